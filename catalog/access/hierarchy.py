"""How each kind lies in the hierarchy, in names for one object and in SQL for many; and its attributes for conditions.

What is stored decides, never what a request says: the owner is that of the row. Kinds that belong to a component,
resource or project have foreign keys to them, which the store keeps in step; a WorkflowRun says it in labels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import Case, F, Q, TextField, Value, When
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce, Concat, StrIndex, Substr
from django.db.models.lookups import Exact, In

from catalog.api.label_filter import LabelValue
from catalog.kinds.base import PlatformObject
from catalog.kinds.registry import KINDS
from portal.access import tables
from portal.access.actions import Action, Level, extension, register
from portal.access.membership import one_of
from portal.access.place import Place
from portal.access.rules import Rule
from portal.access.tables import Attribute, Hierarchy

PROJECT_LABEL = "openchoreo.dev/project"
COMPONENT_LABEL = "openchoreo.dev/component"
OWNED_BY_LABELS = "WorkflowRun"
Within = Callable[[list[Rule]], Q]


def describe_kinds() -> None:
    """Tell the engine of every kind, and register actions for the two that the contract has none for."""
    for kind, noun in (("renderedrelease", "rendered releases"), ("observabilityalertrule", "alert rules")):
        for verb, word in (("create", "Create"), ("view", "See"), ("update", "Change"), ("delete", "Delete")):
            extension(f"{kind}:{verb}", "component", f"{word} {noun}")
    for verb, word in (("restore", "Undo"), ("accept", "Make an override of"), ("ignore", "Leave alone for a time")):
        what = f"{word} what was changed by hand on a plane"
        register(Action(f"drift:{verb}", "component", what, ("environment",), is_contract=False))
    extension("deletion:force", "component", "Let deletions end without waiting for planes and for what is retained")
    extension("revision:view", "cluster", "See the log of all changes in the admin")
    extension("workitem:view", "cluster", "See what waits for controllers")
    extension("workitem:update", "cluster", "Have controllers look at objects again")
    for model in KINDS:
        tables.describe(model, hierarchy_of_kind(model))


def hierarchy_of_kind(model: type[PlatformObject]) -> Hierarchy:
    fields = {field.name for field in model._meta.get_fields()}
    within: dict[Level, Within] = {}
    if model.kind == "Namespace":
        within["namespace"] = by_key("pk")
    elif model.namespaced:
        within["namespace"] = lambda rules: one_of("namespace_id", {rule.place.namespace for rule in rules})
    levels: tuple[Level, ...] = ("project", "component", "resource")
    for level in levels:
        if model.kind.lower() == level:
            within[level] = by_key("pk")
        elif level in fields:
            within[level] = by_key(f"{level}_id")
    if model.kind == OWNED_BY_LABELS:
        within |= {"project": in_labelled_project, "component": in_labelled_component}
    return Hierarchy(
        kind=model.kind.lower(),
        within=within,
        place_of=lambda obj: place_of(obj.kind, obj.namespace_name, obj.name, obj.spec, obj.labels),
        attributes_of=lambda obj: attributes_of(obj.kind, obj.namespace_name, obj.spec),
        attributes=attributes_in_sql(model.kind),
    )


def by_key(column: str) -> Within:
    """Rows whose key to a scope object is one of the rules' scopes."""
    return lambda rules: one_of(column, {rule.scope for rule in rules})


def label(key: str) -> Any:
    return Coalesce(LabelValue(key), Value(""), output_field=TextField())


def in_labelled_project(rules: list[Rule]) -> Q:
    """Runs whose labels name a project of the rules; a run counts as a project's only with a component."""
    found = Q()
    for rule in rules:
        named = Q(namespace_id=rule.place.namespace) & Q(Exact(label(PROJECT_LABEL), Value(rule.place.project)))
        found |= named & ~Q(Exact(label(COMPONENT_LABEL), Value("")))
    return found


def in_labelled_component(rules: list[Rule]) -> Q:
    found = Q()
    for rule in rules:
        project = [rule.place.project] if rule.place.project else []
        named = Q(namespace_id=rule.place.namespace) & Q(Exact(label(COMPONENT_LABEL), Value(rule.place.component)))
        named &= Q(In(label(PROJECT_LABEL), project)) if project else ~Q(Exact(label(PROJECT_LABEL), Value("")))
        found |= named
    return found


def place_of(
    kind: str, namespace: str, name: str, spec: Mapping[str, Any] | None, labels: Mapping[str, str] | None
) -> Place:
    """The place of an object, from its identity, its spec's owner and its labels. Tolerates specs of any form."""
    if kind == "Namespace":
        return Place(name)
    if not namespace:
        return Place()
    if kind == "Project":
        return Place(namespace, name)
    owner = (spec or {}).get("owner")
    owner = owner if isinstance(owner, Mapping) else {}
    project = text(owner.get("projectName"))
    if kind == "Component":
        return Place(namespace, project, component=name)
    if kind == "Resource":
        return Place(namespace, project, resource=name)
    if kind == OWNED_BY_LABELS:
        project, component = text((labels or {}).get(PROJECT_LABEL)), text((labels or {}).get(COMPONENT_LABEL))
        return Place(namespace, project, component=component) if project and component else Place(namespace)
    return Place(
        namespace, project, component=text(owner.get("componentName")), resource=text(owner.get("resourceName"))
    )


def text(value: Any) -> str:
    return value if isinstance(value, str) else ""


# Attributes -----------------------------------------------------------------------------------------------------------

TYPE_FIELDS = {
    "Component": ("componentType", "componentType", "ClusterComponentType", "ComponentType"),
    "Resource": ("resourceType", "type", "ClusterResourceType", "ResourceType"),
    "WorkflowRun": ("workflow", "workflow", "ClusterWorkflow", "ClusterWorkflow"),
}
"""Kind → attribute, the spec's field that names the type, the cluster kind of type, and the kind if none is named."""
IN_ENVIRONMENTS = {"ReleaseBinding", "ProjectReleaseBinding", "ResourceReleaseBinding"}


def attributes_of(kind: str, namespace: str, spec: Mapping[str, Any] | None) -> dict[str, str]:
    """The attributes of an object for conditions; what is not there is left out."""
    spec = spec or {}
    if kind in IN_ENVIRONMENTS:
        environment = text(spec.get("environment"))
        return {"environment": f"{namespace}/{environment}"} if environment else {}
    if kind not in TYPE_FIELDS:
        return {}
    attribute, field, cluster_kind, default_kind = TYPE_FIELDS[kind]
    reference = spec.get(field)
    if not isinstance(reference, Mapping):
        return {}
    name = text(reference.get("name"))
    name = name.partition("/")[2] or name
    is_cluster = (text(reference.get("kind")) or default_kind) == cluster_kind
    return {attribute: name if is_cluster else f"{namespace}/{name}"} if name else {}


def attributes_in_sql(kind: str) -> dict[str, Attribute]:
    """The same, as expressions on a kind's rows."""
    if kind in IN_ENVIRONMENTS:
        return {"environment": Attribute(in_namespace(KT("spec__environment")), is_there("spec__environment"))}
    if kind not in TYPE_FIELDS:
        return {}
    attribute, field, cluster_kind, default_kind = TYPE_FIELDS[kind]
    name = KT(f"spec__{field}__name")
    # "deployment/service": the type's name is behind the slash.
    bare = Substr(name, StrIndex(name, Value("/")) + 1)
    kind_of_type = Coalesce(KT(f"spec__{field}__kind"), Value(default_kind), output_field=TextField())
    is_cluster = Q(Exact(kind_of_type, Value(cluster_kind)))
    value = Case(When(is_cluster, then=bare), default=in_namespace(bare), output_field=TextField())
    return {attribute: Attribute(value, is_there(f"spec__{field}__name"))}


def in_namespace(name: Any) -> Any:
    return Concat(F("namespace_id"), Value("/"), name, output_field=TextField())


def is_there(path: str) -> Q:
    return ~Q(Exact(Coalesce(KT(path), Value(""), output_field=TextField()), Value("")))
