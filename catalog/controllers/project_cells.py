"""The cells of a project: one ProjectReleaseBinding for each environment of its pipeline.

OpenChoreo leaves it to its clients to make these bindings, and components of a project without them fail with
"namespace not found". Here the Project controller makes the missing ones. An annotation on the project,
`stagecraft.dev/manage-project-release-bindings: "false"`, leaves it to others again; the setting
MANAGE_PROJECT_RELEASE_BINDINGS says so for the whole installation.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings

from catalog import store
from catalog.compiler import labels
from catalog.compiler.names import RESOURCE_NAME_LIMIT, kubernetes_name
from catalog.controllers.pins import pin
from catalog.controllers.registry import Watch
from catalog.kinds.base import API_VERSION
from catalog.kinds.environment import Environment
from catalog.kinds.project import Project
from catalog.kinds.project_release_binding import MADE_BY_ANNOTATION, ProjectReleaseBinding
from catalog.releases.pipeline import environments_of
from catalog.store.changes import Change
from catalog.store.references import referrers as references_to
from portal.accounts.actor import Actor

MANAGE_ANNOTATION = "stagecraft.dev/manage-project-release-bindings"
MAKER = "project-controller"


def bring_cells_in_step(project: Project, release_name: str, actor: Actor) -> None:
    """Fill the empty pins of the project's bindings and make the bindings that are missing."""
    bindings = list(ProjectReleaseBinding.objects.system("reconcile").filter(project=project))
    for binding in bindings:
        if binding.deleted_at is None and not binding.spec.get("projectRelease"):
            pin(binding, "projectRelease", release_name, actor)
    if are_cells_managed(project):
        covered = {binding.spec["environment"] for binding in bindings}
        for environment in missing_environments(project, covered):
            create_binding(project, environment, release_name, actor)


def are_cells_managed(project: Project) -> bool:
    """Whether missing bindings of this project are made here."""
    if project.annotations.get(MANAGE_ANNOTATION, "").lower() == "false":
        return False
    return bool(settings.MANAGE_PROJECT_RELEASE_BINDINGS)


def missing_environments(project: Project, covered: set[str]) -> list[str]:
    """The environments of the project's pipeline that exist and have no binding yet, in the order of the pipeline."""
    pipeline = project.deployment_pipeline
    wanted = [] if pipeline is None else [name for name in environments_of(pipeline) if name not in covered]
    if not wanted:
        return []
    rows = Environment.objects.system("reconcile").filter(
        namespace_id=project.namespace_name, name__in=wanted, deleted_at=None
    )
    existing = set(rows.values_list("name", flat=True))
    return [name for name in wanted if name in existing]


def create_binding(project: Project, environment: str, release_name: str, actor: Actor) -> None:
    """Make the binding of a project and an environment, under the name that people would give it."""
    document = {
        "apiVersion": API_VERSION,
        "kind": "ProjectReleaseBinding",
        "metadata": {
            "name": binding_name(project, environment),
            "namespace": project.namespace_name,
            "labels": {labels.PROJECT: project.name, labels.ENVIRONMENT: environment},
            "annotations": {MADE_BY_ANNOTATION: MAKER},
        },
        "spec": {
            "owner": {"projectName": project.name},
            "environment": environment,
            "projectRelease": release_name,
        },
    }
    store.create(document, actor)


def binding_name(project: Project, environment: str) -> str:
    """`{project}-{environment}`; with a hash where that is too long or already the name of another binding.

    Project `a` in `b-c` and project `a-b` in `c` want the same name.
    """
    name = f"{project.name}-{environment}"
    namespace = project.namespace_name
    if len(name) > RESOURCE_NAME_LIMIT or store.get_or_none("ProjectReleaseBinding", namespace, name):
        return kubernetes_name(RESOURCE_NAME_LIMIT, project.name, environment)
    return name


def projects_of_new_environment() -> Watch:
    """A new environment concerns the projects whose pipeline names it."""

    def mapping(change: Change, watcher: str) -> Iterable[int]:
        environment = change.obj
        rows = references_to("Environment", environment.namespace_name, environment.name)
        pipelines = rows.filter(source_kind="DeploymentPipeline").values("source_id")
        return (
            Project.objects.system("reconcile")
            .filter(deployment_pipeline_id__in=pipelines)
            .values_list("id", flat=True)
        )

    return Watch("Environment", mapping, frozenset({"created"}))
