"""Which component is built from which repository: an index, so that a push looks at the components of its repository.

A workflow's schema marks the parameters that hold repository, branch, path and commit
(`x-openchoreo-component-parameter-repository-url: true` and so on); the component gives them their values. The index
follows the components that ask for builds, and their workflows, within the transaction of each change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from catalog import store
from catalog.compiler.errors import ReferenceResolutionError
from catalog.compiler.schema.refs import resolve_refs
from catalog.kinds.component import Component
from catalog.store.changes import Change
from catalog.store.references import referrers
from workflows.webhooks.models import BuildSource
from workflows.webhooks.repositories import directory, normalized

MARK = "x-openchoreo-component-parameter-repository-"
WORKFLOW_KINDS = frozenset({"Workflow", "ClusterWorkflow"})
Steps = tuple[str, ...]


class NoSource(Exception):
    """Why no repository is known for a component. The text is for users."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a component's code lies, in the forms of the index."""

    repository: str
    branch: str = ""
    app_path: str = ""


def source_of(component: Mapping[str, Any], workflow: Mapping[str, Any] | None) -> Source:
    """The source of a component, from its spec and the spec of its workflow. Raises `NoSource`."""
    configured = component.get("workflow")
    if not configured:
        raise NoSource("the component has no workflow")
    if workflow is None:
        raise NoSource(f"{configured.get('kind') or 'ClusterWorkflow'} {configured['name']!r} not found")
    schema = parameters_schema(workflow)
    marks = marked_parameters(schema)
    if "url" not in marks:
        raise NoSource(f"the schema of workflow {configured['name']!r} marks no parameter as {MARK}url")
    values = configured.get("parameters") or {}
    address = text_at(values, marks["url"])
    repository = normalized(address)
    if not repository:
        raise NoSource(f"parameter {'.'.join(marks['url'])} is no address of a repository: {address!r}")
    branch = text_at(values, marks["branch"]) or default_at(schema, marks["branch"]) if "branch" in marks else ""
    app_path = text_at(values, marks["app-path"]) if "app-path" in marks else ""
    return Source(repository, branch, directory(app_path))


def parameters_schema(workflow: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema of a workflow's parameters, references resolved; {} if there is none."""
    schema: Mapping[str, Any] = (workflow.get("parameters") or {}).get("openAPIV3Schema") or {}
    with suppress(ReferenceResolutionError):
        return resolve_refs(schema)
    return schema


def marked_parameters(schema: Mapping[str, Any], steps: Steps = ()) -> dict[str, Steps]:
    """Role (url, branch, app-path, commit, secret-ref) → where that parameter is.

    Raises `NoSource` where two parameters have one role.
    """
    found = {key.removeprefix(MARK): steps for key, value in schema.items() if key.startswith(MARK) and value is True}
    if not steps:
        found = {}
    properties = schema.get("properties")
    for name, nested in properties.items() if isinstance(properties, Mapping) else ():
        if isinstance(nested, Mapping):
            for role, where in marked_parameters(nested, (*steps, name)).items():
                if role in found:
                    raise NoSource(f"two parameters are marked as {MARK}{role}: {'.'.join(where)} is one of them")
                found[role] = where
    return found


def text_at(values: Any, steps: Steps) -> str:
    """The text at a place of the parameters, "" if there is none."""
    for step in steps:
        values = values.get(step) if isinstance(values, Mapping) else None
    return values if isinstance(values, str) else ""


def default_at(schema: Any, steps: Steps) -> str:
    """The default that the schema has for a parameter, "" if it is no text."""
    for step in steps:
        schema = (schema.get("properties") or {}).get(step) or {}
    default = schema.get("default")
    return default if isinstance(default, str) else ""


# The index ------------------------------------------------------------------------------------------------------------


def follow(change: Change) -> None:
    """Keep the index in step with a change. Listens to the store."""
    if change.obj.kind == "Component" and change.action in ("created", "changed"):
        component: Any = change.obj
        before = (change.before or {}).get("spec") or {}
        if component.spec.get("autoBuild") or before.get("autoBuild"):
            reindex([component])
    elif change.obj.kind in WORKFLOW_KINDS and change.action in ("created", "changed", "deleted"):
        reindex(components_using(change.obj.kind, change.obj.namespace_name, change.obj.name))


def components_using(kind: str, namespace: str, name: str) -> Iterator[Component]:
    """The components that are configured with a workflow."""
    rows = referrers(kind, namespace, name).filter(source_kind="Component", role__in=("workflow", "cluster_workflow"))
    found: Any = Component.objects.system("index of build sources").filter(pk__in=rows.values("source_id"))
    yield from found.iterator(chunk_size=500)


def reindex(components: Iterable[Component]) -> None:
    """Write down where these components are built from, as of now."""
    for component in components:
        source = None
        if component.spec.get("autoBuild"):
            with suppress(NoSource):
                source = source_of(component.spec, workflow_spec_of(component))
        if source is None:
            BuildSource.objects.filter(component_id=component.pk).delete()
        else:
            BuildSource.objects.update_or_create(
                component_id=component.pk,
                defaults={
                    "repository": source.repository[:512],
                    "branch": source.branch[:255],
                    "app_path": source.app_path[:1024],
                },
            )


def workflow_spec_of(component: Component) -> Mapping[str, Any] | None:
    """The spec of the workflow that a component is configured with, None if it is not there."""
    configured = component.spec.get("workflow")
    if not configured:
        return None
    kind = configured.get("kind") or "ClusterWorkflow"
    namespace = "" if kind == "ClusterWorkflow" else component.namespace_name
    found = store.get_or_none(kind, namespace, configured["name"])
    return None if found is None else found.spec
