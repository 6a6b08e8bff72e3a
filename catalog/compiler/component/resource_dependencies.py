"""Dependencies on resources: outputs of a resource become variables, files and volumes of a workload.

Called by the release-binding controller with what the resource's binding reports.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from catalog.compiler.component.connections import environment_variable
from catalog.compiler.documents import Document, items, name_of, section, text
from catalog.compiler.errors import CompilerError
from catalog.compiler.messages import quote
from catalog.compiler.names import fnv1a32_hex

_SOURCES = (("secretKeyRef", "secret"), ("configMapKeyRef", "configmap"))


class OutputNotUsableError(CompilerError):
    """An output that a workload depends on is not resolved, or is a plain value that cannot be mounted."""

    error_class: ClassVar[str] = "output"


def resource_dependency_targets(workload: Document, namespace: str, project: str, environment: str) -> list[Document]:
    """Return ``{namespace, project, resourceName, environment}`` per declared resource dependency of a workload's spec.

    Shape of ``status.resourceDependencyTargets``.
    """
    return [
        {"namespace": namespace, "project": project, "resourceName": text(declared, "ref"), "environment": environment}
        for declared in declared_resources(workload)
    ]


def declared_resources(workload: Document) -> list[Document]:
    """Return the resource dependencies of a workload's spec: ``{ref, envBindings?, fileBindings?}``."""
    return items(section(workload, "dependencies"), "resources")


def resolve_resource_dependency(
    declared: Document, target: Document, providers: Sequence[Document]
) -> tuple[Document | None, Document | None]:
    """Resolve one declared dependency against the ResourceReleaseBindings of its resource and environment.

    ``target`` is its entry of ``resource_dependency_targets``. Returns ``(item, None)`` with one of the render's
    ``ResourceDependencyItems``, or ``(None, pending)``: ``{namespace, project, resourceName, reason}``.
    """
    where = f"{target['project']}/{target['resourceName']} in environment {target['environment']}"
    if not providers:
        return None, _pending(target, f"ResourceReleaseBinding not found for {where}")
    if len(providers) > 1:
        return None, _pending(target, f"multiple ResourceReleaseBindings found for {where}")
    provider = providers[0]
    if not _is_ready(provider):
        return None, _pending(target, f"ResourceReleaseBinding {quote(name_of(provider))} not ready")
    try:
        return resource_dependency_item(declared, items(section(provider, "status"), "outputs")), None
    except OutputNotUsableError as error:
        return None, _pending(target, str(error))


def resource_dependency_item(declared: Document, outputs: Sequence[Document]) -> Document:
    """Return ``{ref, envVars[], volumeMounts[], volumes[]}`` for a declared dependency and a resource's outputs.

    An output is ``{name, value? | secretKeyRef? | configMapKeyRef?}``. Bindings are taken by sorted output name,
    volumes sorted by kind and name of their source. Raises ``OutputNotUsableError``.
    """
    reference = text(declared, "ref")
    by_name = {text(output, "name"): output for output in outputs}
    variables = [
        _variable(variable, _output(by_name, output))
        for output, variable in sorted(section(declared, "envBindings").items())
    ]
    mounts: list[Document] = []
    volumes: dict[tuple[str, str], Document] = {}
    for output, path in sorted(section(declared, "fileBindings").items()):
        kind, source = _mountable(output, _output(by_name, output))
        volume = "r-" + fnv1a32_hex(f"{reference}:{kind}:{text(source, 'name')}")
        volumes[kind, text(source, "name")] = {"name": volume, **_volume_source(kind, text(source, "name"))}
        mounts.append({"name": volume, "mountPath": path, "subPath": text(source, "key")})
    return {
        "ref": reference,
        "envVars": variables,
        "volumeMounts": mounts,
        "volumes": [volumes[key] for key in sorted(volumes)],
    }


def _pending(target: Document, reason: str) -> Document:
    return {**{field: target[field] for field in ("namespace", "project", "resourceName")}, "reason": reason}


def _is_ready(binding: Document) -> bool:
    generation = section(binding, "metadata").get("generation")
    return any(
        condition.get("type") == "Ready"
        and condition.get("status") == "True"
        and condition.get("observedGeneration") == generation
        for condition in items(section(binding, "status"), "conditions")
    )


def _output(outputs: dict[str, Document], name: str) -> Document:
    if name not in outputs:
        raise OutputNotUsableError(f"output not resolved on resource release binding: {name}")
    return outputs[name]


def _variable(name: str, output: Document) -> Document:
    for field, _ in _SOURCES:
        if output.get(field) is not None:
            source = output[field]
            return {"name": name, "valueFrom": {field: {"name": text(source, "name"), "key": text(source, "key")}}}
    return environment_variable(name, text(output, "value"))


def _mountable(name: str, output: Document) -> tuple[str, Document]:
    for field, kind in _SOURCES:
        if output.get(field) is not None:
            return kind, output[field]
    raise OutputNotUsableError(f"output kind cannot be mounted as file: {name}")


def _volume_source(kind: str, name: str) -> Document:
    return {"secret": {"secretName": name}} if kind == "secret" else {"configMap": {"name": name}}
