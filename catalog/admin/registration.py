"""One loop that registers every kind, by the sections of the front page, and the two lists beside them."""

from __future__ import annotations

from django.contrib import admin

from catalog.access.compile import BINDINGS, SCOPE_KINDS
from catalog.access.permissions import ROLES
from catalog.admin import deleted_page, drift_page
from catalog.admin.access.binding_admin import BindingAdmin
from catalog.admin.access.pages import PAGES
from catalog.admin.access.role_admin import RoleAdmin
from catalog.admin.access.scope_admin import ScopeAdmin
from catalog.admin.health_admin import HealthRuleAdmin
from catalog.admin.log_admin import RevisionAdmin
from catalog.admin.object_admin import ObjectAdmin
from catalog.admin.work_admin import WorkItemAdmin
from catalog.controllers.models import WorkItem
from catalog.delivery.health_models import HealthRule
from catalog.kinds.registry import KINDS
from catalog.manifests.drifting import BINDING_KINDS
from catalog.store.models import Revision

SECTIONS = {
    "Applications": ("Namespace", "Project", "Component", "Workload", "Resource", "SecretReference", "WorkflowRun"),
    "Releases": (
        "ComponentRelease",
        "ReleaseBinding",
        "ProjectRelease",
        "ProjectReleaseBinding",
        "ResourceRelease",
        "ResourceReleaseBinding",
        "RenderedRelease",
    ),
    "Types": (
        "ComponentType",
        "ClusterComponentType",
        "Trait",
        "ClusterTrait",
        "ProjectType",
        "ClusterProjectType",
        "ResourceType",
        "ClusterResourceType",
        "Workflow",
        "ClusterWorkflow",
    ),
    "Environments and planes": (
        "Environment",
        "DeploymentPipeline",
        "DataPlane",
        "ClusterDataPlane",
        "WorkflowPlane",
        "ClusterWorkflowPlane",
        "ObservabilityPlane",
        "ClusterObservabilityPlane",
    ),
}
SECTION_OF = {kind: section for section, kinds in SECTIONS.items() for kind in kinds}
OTHERS = "Alerts and permissions"

BASES: dict[str, type[ObjectAdmin]] = {
    **dict.fromkeys(SCOPE_KINDS, ScopeAdmin),
    **dict.fromkeys(ROLES, RoleAdmin),
    **dict.fromkeys(BINDINGS, BindingAdmin),
    **dict.fromkeys(sorted(BINDING_KINDS), drift_page.BindingAdmin),
}
"""The kinds with more to their pages than any has."""

for model in KINDS:
    section = SECTION_OF.get(model.kind, OTHERS)
    base = BASES.get(model.kind, ObjectAdmin)
    admin.site.register(model, type(f"{model.kind}Admin", (base,), {"section": section}))
admin.site.register(Revision, RevisionAdmin)
admin.site.register(WorkItem, WorkItemAdmin)
admin.site.register(HealthRule, HealthRuleAdmin)
for page in (*PAGES, *deleted_page.PAGES):
    admin.site.add_page(page)
