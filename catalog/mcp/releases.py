"""Tools about component releases: frozen snapshots of a component and its workload."""

from __future__ import annotations

from collections.abc import Iterator

from catalog.api.component_schema import environment_configs_of, schema_of
from catalog.api.generate_release import cut_release
from catalog.mcp import objects
from catalog.mcp.declare import NAMESPACE, PAGE, SCHEMA, WRITTEN, WRITTEN_ALWAYS, one, page_of
from portal.access.endpoint import Call
from portal.mcp.arguments import OBJECT, TEXT
from portal.mcp.registry import Arguments, Document, Tool
from portal.wire.responses import Refusal

KIND = "ComponentRelease"
NAMED: Document = {**NAMESPACE, "release_name": TEXT}
OF_COMPONENT: Document = {**NAMESPACE, "component_name": TEXT}


def list_component_releases(call: Call, given: Arguments) -> Document:
    return objects.listed(call, KIND, given, "releases", {"component": given["component_name"]})


def get_component_release(call: Call, given: Arguments) -> Document:
    return objects.detailed(call, KIND, given, given["release_name"])


def get_component_release_schema(call: Call, given: Arguments) -> Document:
    """As of a component, from what the release has frozen."""
    release = objects.got(call, KIND, given, given["release_name"])
    spec = release.full_spec()
    if spec["owner"]["componentName"] != given["component_name"]:
        raise Refusal(404, "ComponentRelease not found")
    return schema_of(environment_configs_of(spec["componentType"]["spec"]), dict(trait_schemas(spec)))


def trait_schemas(spec: Document) -> Iterator[tuple[str, Document]]:
    """The schema of each frozen trait that has something to set, by instance name."""
    frozen = {(trait["kind"], trait["name"]): trait["spec"] for trait in spec.get("traits") or ()}
    for used in (spec.get("componentProfile") or {}).get("traits") or ():
        declared = environment_configs_of(frozen.get((used["kind"], used["name"])) or {})
        if declared is not None:
            yield used["instanceName"], declared


def create_component_release(call: Call, given: Arguments) -> Document:
    made = cut_release(call, given["namespace_name"], given["component_name"], given.get("release_name", ""))
    return objects.written(made, "created")


def delete_component_release(call: Call, given: Arguments) -> Document:
    return objects.deleted(call, KIND, given, given["release_name"])


TOOLS = (
    Tool(
        "list_component_releases",
        "List component releases",
        "The releases of a component.",
        list_component_releases,
        one("componentrelease:view"),
        ("pe",),
        arguments={**OF_COMPONENT, **PAGE},
        required=tuple(OF_COMPONENT),
        result=page_of("releases"),
        always=("releases",),
    ),
    Tool(
        "get_component_release",
        "Get a component release",
        "One release: type, image, endpoints, dependencies, parameters.",
        get_component_release,
        one("componentrelease:view"),
        ("pe",),
        arguments=NAMED,
        required=tuple(NAMED),
        result={"name": TEXT, "componentName": TEXT, "image": TEXT, "endpoints": OBJECT},
        always=("name",),
    ),
    Tool(
        "get_component_release_schema",
        "Get a release's schema",
        "JSON Schema of what may be set for the release in each environment.",
        get_component_release_schema,
        one("componentrelease:view"),
        ("pe",),
        arguments={**OF_COMPONENT, "release_name": TEXT},
        required=("namespace_name", "component_name", "release_name"),
        result=SCHEMA,
    ),
    Tool(
        "create_component_release",
        "Create a component release",
        "Freeze what a component is now; a name is made if none is given.",
        create_component_release,
        one("componentrelease:create"),
        ("pe",),
        arguments={**OF_COMPONENT, "release_name": TEXT},
        required=tuple(OF_COMPONENT),
        result=WRITTEN,
        always=WRITTEN_ALWAYS,
        effect="create",
    ),
    Tool(
        "delete_component_release",
        "Delete a component release",
        "Delete a release; what is bound to it runs on.",
        delete_component_release,
        one("componentrelease:delete"),
        ("deployment",),
        arguments=NAMED,
        required=tuple(NAMED),
        result=WRITTEN,
        always=WRITTEN_ALWAYS,
        effect="delete",
    ),
)
