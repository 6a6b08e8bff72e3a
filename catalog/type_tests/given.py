"""A case's inputs as the pipelines take them, completed with defaults: a case says only what it is about.

Without more, a component is called `demo`, in the project `demo` of the namespace `default`; it runs one container and
stands in the environment `development`, on a plane with a secret store and with gateways for `external` and `internal`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalog.compiler.component.workload import secret_key_references
from catalog.compiler.documents import Document
from catalog.compiler.errors import InputError
from catalog.compiler.gateway import environment_context, plane_context
from catalog.compiler.metadata import component_metadata, project_metadata, resource_metadata
from catalog.kinds.registry import kind_named
from catalog.store.admission import admit
from catalog.type_tests.cases import laid_over
from catalog.type_tests.definitions import Definition, Definitions

Given = Mapping[str, Any]

IMAGE = "registry.example/demo:1"
PLANE: Document = {
    "name": "default",
    "secretStoreRef": {"name": "default"},
    "gateway": {
        "ingress": {
            "external": {
                "name": "gateway-external",
                "namespace": "gateways",
                "http": {"listenerName": "http", "host": "apps.example", "port": 80},
            },
            "internal": {
                "name": "gateway-internal",
                "namespace": "gateways",
                "http": {"listenerName": "http", "host": "apps.internal", "port": 8080},
            },
        }
    },
}
PLAIN_TYPE: Document = {
    "workloadType": "deployment",
    "resources": [
        {
            "id": "deployment",
            "template": {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"name": "${metadata.name}", "namespace": "${metadata.namespace}"},
                "spec": {
                    "selector": {"matchLabels": "${metadata.podSelectors}"},
                    "template": {
                        "metadata": {"labels": "${metadata.podSelectors}"},
                        "spec": {"containers": [{"name": "main", "image": "${workload.container.image}"}]},
                    },
                },
            },
        }
    ],
}
"""What a trait is tried on, unless a case names a component type."""


def component_input(given: Given, target: Definition, definitions: Definitions) -> Document:
    """The input of a component render for a test of a component type or a trait. Raises `InputError`."""
    if target.kind.endswith("ComponentType"):
        type_spec, type_name = target.spec, target.name
        uses, parameters, configs = given.get("traits") or [], given.get("parameters"), given.get("environmentConfigs")
    else:
        type_spec, type_name = _type_for_trait(given, definitions)
        on = given.get("componentType") or {}
        uses = [*(given.get("traits") or []), _own_use(given, target)]
        parameters, configs = on.get("parameters"), on.get("environmentConfigs")
    uses = [_use(use, definitions, target) for use in uses]
    project, environment, plane = _place(given)
    namespace, component_name = given.get("namespace", "default"), given.get("component", "demo")
    component = _document("Component", component_name, {"parameters": parameters, "traits": uses})
    owner = {"projectName": project["metadata"]["name"], "componentName": component_name}
    release = {"metadata": {"namespace": namespace}, "spec": {"owner": owner}}
    workload = _workload(given, owner)
    overrides = given.get("workloadOverrides")
    return {
        "ComponentType": _document("ComponentType", f"{type_spec.get('workloadType')}/{type_name}", type_spec),
        "Component": component,
        "Traits": _traits(type_spec, uses, definitions, target),
        "Workload": {"spec": workload},
        "Environment": environment,
        "DataPlane": plane,
        "ReleaseBinding": {
            "spec": {
                "componentTypeEnvironmentConfigs": configs,
                "traitEnvironmentConfigs": {
                    use["instanceName"]: use["environmentConfigs"] for use in uses if "environmentConfigs" in use
                },
                **({"workloadOverrides": overrides} if overrides else {}),
            }
        },
        "SecretReferences": _secrets(given, workload),
        "Metadata": component_metadata(release, component, project, environment, plane),
        "DefaultNotificationChannel": given.get("notificationChannel", ""),
        "DependencyItems": (given.get("dependencies") or {}).get("endpoints") or [],
        "ResourceDependencyItems": (given.get("dependencies") or {}).get("resources") or [],
    }


def project_input(given: Given, target: Definition) -> Document:
    """The input of a project render."""
    project, environment, plane = _place(given)
    owner = {"projectName": project["metadata"]["name"]}
    binding = _binding(given, owner)
    return {
        "ProjectTypeSpec": target.spec,
        "ProjectParameters": given.get("parameters"),
        "EnvironmentConfigs": given.get("environmentConfigs"),
        "Metadata": project_metadata(binding, project, environment, plane),
        "DataPlane": plane_context(plane),
        "Environment": environment_context(environment, plane),
    }


def resource_input(given: Given, target: Definition) -> Document:
    """The input of a resource render."""
    project, environment, plane = _place(given)
    name = given.get("resource", "demo")
    resource = _document("Resource", name, {"parameters": given.get("parameters")})
    binding = _binding(given, {"projectName": project["metadata"]["name"], "resourceName": name})
    binding["spec"]["resourceTypeEnvironmentConfigs"] = given.get("environmentConfigs")
    return {
        "ResourceType": {"spec": target.spec},
        "Resource": resource,
        "ResourceReleaseBinding": binding,
        "Metadata": resource_metadata(binding, resource, project, environment, plane),
        "DataPlane": plane_context(plane),
        "Environment": environment_context(environment, plane),
    }


def workflow_input(given: Given, target: Definition) -> Document:
    """The input of a workflow render."""
    return {
        "Workflow": {"spec": target.spec},
        "WorkflowRun": {"spec": {"workflow": {"parameters": given.get("parameters")}}},
        "Context": {
            "NamespaceName": given.get("namespace", "default"),
            "WorkflowRunName": given.get("run", "demo-run"),
            "Labels": dict(given.get("labels") or {}),
            "ExternalRefs": {name: {"spec": spec} for name, spec in (given.get("externalRefs") or {}).items()},
            "WorkflowPlane": {"SecretStore": given.get("secretStore", "default")},
        },
    }


def _place(given: Given) -> tuple[Document, Document, Document]:
    """The project, the environment and the data plane."""
    environment = {"name": "development", **(given.get("environment") or {})}
    plane = laid_over(PLANE, given.get("dataPlane") or {})
    annotations = plane.pop("annotations", {})
    plane_document = _document("DataPlane", plane.pop("name"), plane)
    plane_document["metadata"]["annotations"] = annotations
    return (
        _document("Project", given.get("project", "demo"), {}),
        _document("Environment", environment.pop("name"), environment),
        plane_document,
    )


def _document(kind: str, name: str, spec: Document) -> Document:
    # Stable uids, told apart by their kind: snapshots show them.
    return {"kind": kind, "metadata": {"name": name, "uid": f"{kind.lower()}-uid"}, "spec": spec}


def _binding(given: Given, owner: Document) -> Document:
    metadata = {"namespace": given.get("namespace", "default"), "annotations": dict(given.get("annotations") or {})}
    return {"metadata": metadata, "spec": {"owner": owner}}


def _workload(given: Given, owner: Document) -> Document:
    """The workload's spec, judged as the store would: a test with a mistyped field would test something else."""
    spec = laid_over({"container": {"image": IMAGE}}, given.get("workload") or {})
    metadata = {"name": "workload", "namespace": "default", "labels": {}, "annotations": {}}
    admitted, errors = admit(kind_named("Workload"), None, {"metadata": metadata, "spec": {**spec, "owner": owner}})
    if errors:
        raise InputError("given.workload: " + "; ".join(map(str, errors)))
    if unknown := [field for field in spec if field not in admitted["spec"]]:
        raise InputError(f"given.workload: a workload has no field {', '.join(unknown)}")
    return admitted["spec"]  # type: ignore[no-any-return]


def _secrets(given: Given, workload: Document) -> Document:
    """The SecretReferences by name. Those that the workload needs and no one has given hold each key under its name."""
    found = {name: {"spec": {"data": rows}} for name, rows in (given.get("secrets") or {}).items()}
    for reference in secret_key_references(workload):
        rows: list[Document] = found.setdefault(reference["name"], {"spec": {"data": []}})["spec"]["data"]
        if reference["name"] not in (given.get("secrets") or {}):
            rows.append(
                {"secretKey": reference["key"], "remoteRef": {"key": reference["name"], "property": reference["key"]}}
            )
    return found


def _own_use(given: Given, target: Definition) -> Document:
    fields = {field: given[field] for field in ("parameters", "environmentConfigs") if field in given}
    return {"kind": target.kind, "name": target.name, "instanceName": given.get("instanceName", target.name), **fields}


def _use(use: Document, definitions: Definitions, target: Definition) -> Document:
    """A use of a trait with its kind and instance name; the kind is that of the trait there is."""
    kinds = (use["kind"],) if "kind" in use else ("Trait", "ClusterTrait")
    kind = next((kind for kind in kinds if _trait(kind, use["name"], definitions, target)), None)
    if kind is None:
        raise InputError(f'given.traits: no {" or ".join(kinds)} "{use["name"]}" is defined in the files')
    return {**use, "kind": kind, "instanceName": use.get("instanceName", use["name"])}


def _traits(type_spec: Document, uses: list[Document], definitions: Definitions, target: Definition) -> list[Document]:
    """The definitions of all traits that are used; an embedded one that is not there is for the render to tell."""
    found: dict[tuple[str, str], Document] = {}
    for use in [*(type_spec.get("traits") or []), *uses]:
        key = use.get("kind", "Trait"), use["name"]
        if (definition := _trait(*key, definitions, target)) is not None:
            found[key] = definition.document
    return list(found.values())


def _trait(kind: str, name: str, definitions: Definitions, target: Definition) -> Definition | None:
    return target if (target.kind, target.name) == (kind, name) else definitions.get(kind, name)


def _type_for_trait(given: Given, definitions: Definitions) -> tuple[Document, str]:
    on = given.get("componentType")
    if not on:
        return PLAIN_TYPE, "plain"
    definition = definitions.get(on["kind"], on["name"])
    if definition is None:
        raise InputError(f'given.componentType: no {on["kind"]} "{on["name"]}" is defined in the files')
    return definition.spec, definition.name
