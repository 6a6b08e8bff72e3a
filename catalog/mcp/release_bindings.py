"""Tools about release bindings: which release of a component runs in which environment, and how."""

from __future__ import annotations

from typing import Any

from catalog.api.collection import Draft
from catalog.mcp import objects
from catalog.mcp.declare import NAMESPACE, PAGE, WRITTEN, WRITTEN_ALWAYS, one, page_of
from portal.access.endpoint import Call
from portal.mcp.arguments import ITEMS, OBJECT, TEXT, described, one_of
from portal.mcp.registry import Arguments, Document, Tool
from portal.wire.responses import Refusal

KIND = "ReleaseBinding"
IN_DEPLOYMENT = ("deployment",)
NAMED: Document = {**NAMESPACE, "binding_name": TEXT}
OVERRIDES: Document = {
    "component_type_environment_configs": OBJECT,
    "trait_environment_configs": described(OBJECT, "by instance name"),
    "workload_overrides": described(
        OBJECT, "{container: {env: [{key, value}], files: [{key, mountPath, value}]}}; replaces all"
    ),
}
OVERRIDABLE = {"": ("container",), "container": ("env", "files")}


def list_release_bindings(call: Call, given: Arguments) -> Document:
    return objects.listed(call, KIND, given, "bindings", {"component": given["component_name"]})


def get_release_binding(call: Call, given: Arguments) -> Document:
    return objects.detailed(call, KIND, given, given["binding_name"])


def create_release_binding(call: Call, given: Arguments) -> Document:
    """The binding `{component}-{environment}`."""
    component, environment = given["component_name"], given["environment"]
    spec: Document = {
        "owner": {"projectName": given["project_name"], "componentName": component},
        "environment": environment,
        **settings_of(given),
    }
    return objects.written(objects.created(call, KIND, given, f"{component}-{environment}", spec), "created")


def update_release_binding(call: Call, given: Arguments) -> Document:
    """What is not given stays. Another release promotes or rolls back; `Undeploy` takes down and keeps the binding."""

    def edit(draft: Draft) -> None:
        draft.spec.update(settings_of(given))

    return objects.written(objects.changed(call, KIND, given, given["binding_name"], edit), "patched")


def settings_of(given: Arguments) -> Document:
    """What may change of a binding. Raises `Refusal`."""
    require_overridable(given.get("workload_overrides") or {}, "")
    return objects.given_fields(
        given,
        releaseName="release_name",
        state="release_state",
        componentTypeEnvironmentConfigs="component_type_environment_configs",
        traitEnvironmentConfigs="trait_environment_configs",
        workloadOverrides="workload_overrides",
    )


def require_overridable(overrides: Any, within: str) -> None:
    """Refuse fields that cannot be overridden: admission would drop them silently, and the caller think they count."""
    where = f"workload_overrides{'.' + within if within else ''}"
    if not isinstance(overrides, dict):
        raise Refusal(400, f"{where} must be an object")
    allowed = OVERRIDABLE[within]
    for field, value in overrides.items():
        if field not in allowed:
            raise Refusal(400, f'unknown field "{field[:100]}" in {where}, allowed fields: [{", ".join(allowed)}]')
        if not within:
            require_overridable(value, field)


def delete_release_binding(call: Call, given: Arguments) -> Document:
    return objects.deleted(call, KIND, given, given["binding_name"])


TOOLS = (
    Tool(
        "list_release_bindings",
        "List release bindings",
        "Where a component is deployed: release, state, URLs, status of each environment.",
        list_release_bindings,
        one("releasebinding:view"),
        IN_DEPLOYMENT,
        arguments={**NAMESPACE, "component_name": TEXT, **PAGE},
        required=("namespace_name", "component_name"),
        result=page_of("bindings"),
        always=("bindings",),
    ),
    Tool(
        "get_release_binding",
        "Get a release binding",
        "One deployment: release, overrides, URLs, connections, conditions.",
        get_release_binding,
        one("releasebinding:view"),
        IN_DEPLOYMENT,
        arguments=NAMED,
        required=tuple(NAMED),
        result={
            "name": TEXT,
            "environment": TEXT,
            "releaseName": TEXT,
            "status": TEXT,
            "endpoints": ITEMS,
            "conditions": ITEMS,
        },
        always=("name",),
    ),
    Tool(
        "create_release_binding",
        "Deploy a release",
        "Deploy a release into an environment that has no binding of the component yet; it is called "
        "<component>-<environment>.",
        create_release_binding,
        one("releasebinding:create"),
        IN_DEPLOYMENT,
        arguments={
            **NAMESPACE,
            "project_name": TEXT,
            "component_name": TEXT,
            "environment": TEXT,
            "release_name": TEXT,
            **OVERRIDES,
        },
        required=("namespace_name", "project_name", "component_name", "environment", "release_name"),
        result=WRITTEN,
        always=WRITTEN_ALWAYS,
        effect="create",
    ),
    Tool(
        "update_release_binding",
        "Change a deployment",
        "Promote or roll back (release_name), undeploy (release_state) or override settings; what is not given stays.",
        update_release_binding,
        one("releasebinding:update"),
        IN_DEPLOYMENT,
        arguments={**NAMED, "release_name": TEXT, "release_state": one_of("Active", "Undeploy"), **OVERRIDES},
        required=tuple(NAMED),
        result=WRITTEN,
        always=WRITTEN_ALWAYS,
        effect="update",
    ),
    Tool(
        "delete_release_binding",
        "Delete a release binding",
        "Delete a binding and what runs by it; to keep it, undeploy.",
        delete_release_binding,
        one("releasebinding:delete"),
        IN_DEPLOYMENT,
        arguments=NAMED,
        required=tuple(NAMED),
        result=WRITTEN,
        always=WRITTEN_ALWAYS,
        effect="delete",
    ),
)
