"""The shapes and rules of what runs: container, variables, files, endpoints, dependencies.

Workload has them, ComponentRelease freezes them, ReleaseBinding overrides variables and files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from catalog.kinds import refs
from catalog.kinds.base import FieldError, Ref
from catalog.kinds.rules import invalid
from catalog.kinds.schema import Schema, array, enum, integer, map_of, obj, string
from catalog.kinds.shapes import name, secret_key_ref

BINDINGS_MAX = 50
EMPTY_BINDING = {
    "envBindings": "envBindings keys (output names) and values (env var names) cannot be empty",
    "fileBindings": "fileBindings keys (output names) and values (mount paths) cannot be empty",
}


def port() -> Schema:
    """A TCP or UDP port."""
    return integer(minimum=1, maximum=65535)


def value_or_secret() -> dict[str, Schema]:
    """The fields of a value that is given here or taken from a secret."""
    return {"value": string(), "valueFrom": obj({"secretKeyRef": secret_key_ref()})}


def environment_and_files() -> dict[str, Schema]:
    """The fields of a container that an environment may override."""
    return {
        "env": array(obj({"key!": string(), **value_or_secret()})),
        "files": array(obj({"key!": string(), "mountPath!": string(), **value_or_secret()})),
    }


def workload_fields() -> dict[str, Schema]:
    """All of a Workload's spec but its owner."""
    container = obj(
        {
            "image!": name(),
            "command": array(string()),
            "args": array(string()),
            **environment_and_files(),
        }
    )
    return {"container!": container, "endpoints": map_of(endpoint()), "dependencies": dependencies()}


def endpoint() -> Schema:
    """A port that the container serves, and to whom."""
    return obj(
        {
            "type!": enum("HTTP", "gRPC", "GraphQL", "Websocket", "TCP", "UDP"),
            "port!": port(),
            "targetPort": port(),
            "visibility": array(enum("project", "namespace", "internal", "external"), unique=True),
            "basePath": string(),
            "displayName": string(),
            "schema": obj({"type": string(), "content": string()}),
        }
    )


def dependencies() -> Schema:
    """Endpoints of other components, and outputs of resources, with the variables and files that receive them."""
    variables = obj({"address": string(), "host": string(), "port": string(), "basePath": string()})
    on_endpoint = obj(
        {
            "component!": name(),
            "project": string(),
            "name!": name(),
            "visibility!": enum("project", "namespace"),
            "envBindings!": variables,
        }
    )
    bindings = map_of(string(), max_properties=BINDINGS_MAX)
    on_resource = obj({"ref!": name(), "envBindings": bindings, "fileBindings": bindings})
    return obj(
        {
            "endpoints": array(on_endpoint, max_items=BINDINGS_MAX),
            "resources": array(on_resource, max_items=BINDINGS_MAX, keyed_by="ref"),
        }
    )


def workload_violations(workload: Mapping[str, Any], path: str) -> Iterator[FieldError]:
    """The rules about values, secrets and bindings of a workload."""
    yield from container_violations(workload.get("container") or {}, f"{path}.container")
    for index, dependency in enumerate((workload.get("dependencies") or {}).get("resources") or ()):
        for field, message in EMPTY_BINDING.items():
            bindings = dependency.get(field) or {}
            if not all(output and target for output, target in bindings.items()):
                yield invalid(f"{path}.dependencies.resources[{index}].{field}", message, bindings)


def container_violations(container: Mapping[str, Any], path: str) -> Iterator[FieldError]:
    """A variable or file has a value of its own or one from a secret, not both."""
    for field in ("env", "files"):
        for index, entry in enumerate(container.get(field) or ()):
            if "value" in entry and "valueFrom" in entry:
                yield invalid(f"{path}.{field}[{index}]", "value and valueFrom are mutually exclusive", entry)


def secrets_of(container: Mapping[str, Any] | None, namespace: str) -> Iterator[Ref]:
    """The SecretReferences that a container's variables and files take their values from."""
    for field in ("env", "files"):
        for entry in (container or {}).get(field) or ():
            key_ref = (entry.get("valueFrom") or {}).get("secretKeyRef") or {}
            yield from refs.to("SecretReference", namespace, key_ref.get("name"))


def dependencies_of(workload: Mapping[str, Any], namespace: str) -> Iterator[Ref]:
    """The components and resources that a workload depends on."""
    declared = workload.get("dependencies") or {}
    for dependency in declared.get("endpoints") or ():
        yield from refs.to("Component", namespace, dependency.get("component"), "connection")
    for dependency in declared.get("resources") or ():
        yield from refs.to("Resource", namespace, dependency.get("ref"), "resource_dependency")
