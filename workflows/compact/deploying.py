"""deploy, promote, rollback, diff: what is done with a component's release in an environment.

Each is a few calls of the contract's tools in the caller's name: bindings are read and written by the same functions
as in contract mode, so the same permissions are asked for and the same events written.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from catalog import store
from catalog.kinds.component import Component
from catalog.releases.bind import AmbiguousBinding, binding_in, bindings_of
from catalog.releases.compare import Difference, NotBound, compare_environments
from catalog.releases.promote import PromotionRefused, source_environment
from catalog.releases.rollback import RollbackRefused, check_release, is_fed_by_auto_deploy, previous_release
from portal.access.endpoint import Call
from portal.mcp.arguments import FLAG, OBJECT, TEXT, BadArguments, described, one_of
from portal.mcp.registry import Arguments, Document
from portal.wire.responses import Refusal
from workflows.compact.dispatching import read, write
from workflows.compact.tool import CompactTool, Picked, actions_behind
from workflows.compact.verbs import SPARING

BINDING_WRITES = ("update_release_binding", "create_release_binding")
RESOURCE_WRITES = ("update_resource_release_binding", "create_resource_release_binding")
NEW = "new"
AT: Document = {"namespace": TEXT, "component": TEXT, "environment": TEXT}


def visible_component(call: Call, given: Arguments) -> Component:
    """The component, if the caller may see it. Raises the refusal in the contract's words."""
    read(call, "get_component", {"namespace_name": given["namespace"], "component_name": given["component"]})
    return cast(Component, store.get("Component", given["namespace"], given["component"]))


def binding_named(component: Component, environment: str) -> str:
    """The name of the component's binding there, "" if there is none. Raises `Refusal`."""
    try:
        bound = binding_in(bindings_of(component), environment)
    except AmbiguousBinding as ambiguous:
        raise Refusal(409, str(ambiguous)) from None
    return "" if bound is None else bound.binding


def binding_at(call: Call, component: Component, environment: str) -> Document:
    """The binding as the contract's tool shows it. Raises `Refusal` if there is none or it may not be seen."""
    name = binding_named(component, environment)
    if not name:
        raise Refusal(404, f'no release of "{component.name}" is bound in environment "{environment}"')
    return read(call, "get_release_binding", {"namespace_name": component.namespace_name, "binding_name": name})


def bind(call: Call, component: Component, environment: str, release: str, **changes: Any) -> Document:
    """Point the environment at a release, and change what else is given; makes the binding if there is none."""
    namespace, name = component.namespace_name, binding_named(component, environment)
    if name:
        given = {"namespace_name": namespace, "binding_name": name, **changes}
        return write(call, "update_release_binding", {**given, **({"release_name": release} if release else {})})
    owner = {"project_name": component.spec["owner"]["projectName"], "component_name": component.name}
    state = changes.pop("release_state", None)
    if state == "Undeploy":
        raise Refusal(404, f'no release of "{component.name}" is bound in environment "{environment}"')
    given = {"namespace_name": namespace, **owner, "environment": environment, "release_name": release, **changes}
    return write(call, "create_release_binding", given)


def outcome(call: Call, component: Component, environment: str, done: Document, **more: Any) -> Document:
    """What a write answers: the binding as it is now, if it may be seen, and what was done."""
    held = store.get("ReleaseBinding", component.namespace_name, done["name"])
    state = {"state": held.spec.get("state") or "Active", "release": held.spec.get("releaseName")}
    return {"binding": done["name"], "action": done["action"], "environment": environment, **state, **more,
            "next": "wait until it is ready"}  # fmt: skip


# deploy ---------------------------------------------------------------------------------------------------------------


def deploy(call: Call, given: Arguments) -> Document:
    """A component's release or a resource's into an environment, with what is set there."""
    if given.get("resource"):
        return deploy_resource(call, given)
    if not given.get("component"):
        raise BadArguments("deploy: give component or resource")
    component = visible_component(call, given)
    environment = given["environment"]
    is_bound = bool(binding_named(component, environment))
    before = binding_at(call, component, environment) if is_bound else {}
    changes: Document = dict(given.get("fields") or {})
    if given.get("state"):
        changes["release_state"] = given["state"]
    if given.get("env"):
        changes["workload_overrides"] = with_variables(changes.get("workload_overrides"), before, given["env"])
    release = release_to_bind(call, component, given, is_kept=is_bound and bool(changes))
    done = bind(call, component, environment, release, **changes)
    env = {"env": variables_of(component, done["name"], given["env"])} if given.get("env") else {}
    replaced = before.get("releaseName")
    return outcome(call, component, environment, done, **({"release_before": replaced} if replaced else {}), **env)


def release_to_bind(call: Call, component: Component, given: Arguments, *, is_kept: bool) -> str:
    """The release that is asked for: named, cut now, or the newest; "" to keep the one that runs. Raises `Refusal`."""
    wanted = str(given.get("release") or "")
    if wanted == NEW:
        made = {"namespace_name": component.namespace_name, "component_name": component.name}
        return str(write(call, "create_component_release", made)["name"])
    if wanted or is_kept:
        return wanted
    latest = (component.status.get("latestRelease") or {}).get("name") or ""
    if not latest:
        raise Refusal(409, f'"{component.name}" has no release yet: deploy with release="{NEW}" cuts one')
    return str(latest)


def with_variables(overrides: Any, before: Document, env: Document) -> Document:
    """The workload's overrides with variables set; null takes one out. What was set before stays."""
    held = overrides or before.get("workloadOverrides") or {}
    container = dict(held.get("container") or {})
    variables = {item["key"]: item for item in container.get("env") or () if item.get("key")}
    for key, value in env.items():
        variables.pop(key, None)
        if value is not None:
            variables[key] = {"key": key, "value": value if isinstance(value, str) else str(value)}
    return {**held, "container": {**container, "env": list(variables.values())}}


def variables_of(component: Component, binding: str, asked: Document) -> Document:
    """The variables that were set, as they are stored now."""
    held = store.get("ReleaseBinding", component.namespace_name, binding).spec.get("workloadOverrides") or {}
    stored = {item["key"]: item.get("value") for item in (held.get("container") or {}).get("env") or ()}
    return {key: stored.get(key, "(unset)") for key in asked}


def deploy_resource(call: Call, given: Arguments) -> Document:
    """A resource's release into an environment, by the binding `<resource>-<environment>`."""
    namespace, resource, environment = given["namespace"], given["resource"], given["environment"]
    shown = read(call, "get_resource", {"namespace_name": namespace, "name": resource})
    bindings = read(call, "list_resource_release_bindings", {"namespace_name": namespace, "resource_name": resource})
    name = next(
        (item["name"] for item in bindings["resource_release_bindings"] if item.get("environment") == environment), ""
    )
    latest = shown.get("latestRelease")
    release = given.get("release") or (latest.get("name") if isinstance(latest, dict) else latest) or ""
    changes = {**(given.get("fields") or {}), **({"resource_release": release} if release else {})}
    if name:
        done = write(call, RESOURCE_WRITES[0], {"namespace_name": namespace, "name": name, **changes})
    else:
        new = {"name": f"{resource}-{environment}", "project_name": shown["projectName"], "resource_name": resource}
        at = {"namespace_name": namespace, "environment": environment}
        done = write(call, RESOURCE_WRITES[1], {**at, **new, **changes})
    return {"binding": done["name"], "action": done["action"], "environment": environment, "release": release or None,
            "next": "wait until it is ready"}  # fmt: skip


def pick_deploy(given: Arguments) -> Picked:
    """The write that it comes down to, whether of a binding that is there or of a new one."""
    if given.get("resource"):
        return RESOURCE_WRITES[0], {"namespace_name": given["namespace"], "resource_name": given["resource"]}
    return BINDING_WRITES[0], located_at(given)


def located_at(given: Arguments) -> Document:
    return {"namespace_name": given["namespace"], "component_name": given["component"]}


# promote, rollback ----------------------------------------------------------------------------------------------------


def promote(call: Call, given: Arguments) -> Document:
    """The release of one environment becomes that of the next along the pipeline. What is set there stays."""
    component = visible_component(call, given)
    target = given["environment"]
    try:
        source = source_environment(component, target, given.get("from") or None)
    except PromotionRefused as refused:
        raise Refusal(400, str(refused)) from None
    release = binding_at(call, component, source).get("releaseName")
    if not release:
        raise Refusal(409, f'no release is bound in environment "{source}"')
    before = binding_at(call, component, target).get("releaseName") if binding_named(component, target) else None
    done = bind(call, component, target, str(release))
    return outcome(call, component, target, done, promoted_from=source, release_before=before)


def rollback(call: Call, given: Arguments) -> Document:
    """An environment returns to a release that it ran before: a named one, or the one before the present one."""
    component = visible_component(call, given)
    environment = given["environment"]
    before = binding_at(call, component, environment).get("releaseName")
    must_stop = is_fed_by_auto_deploy(component, environment)
    if must_stop and not given.get("stop_auto_deploy"):
        raise Refusal(
            409,
            f'auto-deploy keeps environment "{environment}" at the newest release of component "{component.name}": '
            "roll back with stop_auto_deploy=true, or roll back what the release is made of",
        )
    bound = next(held for held in bindings_of(component) if held.environment == environment)
    try:
        release = given.get("release") or previous_release(component, bound)
        check_release(component, release)
    except RollbackRefused as refused:
        raise Refusal(409, str(refused)) from None
    with store.transaction():  # auto-deploy stops with the rollback, or not at all
        if must_stop:
            write(call, "patch_component", {**located_at(given), "auto_deploy": False})
        done = bind(call, component, environment, release)
    stopped = {"auto_deploy": "stopped"} if must_stop else {}
    return outcome(call, component, environment, done, release_before=before, **stopped)


# diff -----------------------------------------------------------------------------------------------------------------


def diff(call: Call, given: Arguments) -> Document:
    """What differs between two environments: in the release's content, and in what is set for each."""
    component = visible_component(call, given)
    left, right = given["from"], given["to"]
    releases = {
        environment: binding_at(call, component, environment).get("releaseName") for environment in (left, right)
    }
    for release in set(releases.values()):
        if release:
            read(call, "get_component_release", {"namespace_name": given["namespace"], "release_name": release})
    try:
        found = compare_environments(component, left, right)
    except NotBound as error:
        raise Refusal(409, str(error)) from None
    rows = [row_of(difference, "release", left, right) for difference in found.content]
    rows += [row_of(difference, "environment", left, right) for difference in found.settings]
    return {"releases": releases, "differences": rows or "none"}


def row_of(difference: Difference, where: str, left: str, right: str) -> Document:
    return {"in": where, "field": difference.path, left: shown(difference.left), right: shown(difference.right)}


def shown(value: Any) -> Any:
    return "(absent)" if value is None else value


def pick_binding_view(given: Arguments) -> Picked:
    return "get_release_binding", located_at(given)


def tools() -> Iterator[CompactTool]:
    """The four."""
    deploys = (*BINDING_WRITES, *RESOURCE_WRITES)
    yield CompactTool(
        "deploy",
        "Deploy",
        "Put a release of a component or resource into an environment, or change what is set there.",
        deploy,
        actions_behind(*deploys),
        (),
        arguments={
            **AT,
            "resource": TEXT,
            "release": described(TEXT, 'default: the latest; "new" cuts one'),
            "env": described(OBJECT, "variables to set there {KEY: value}; null unsets"),
            "state": one_of("Active", "Undeploy"),
            "fields": described(OBJECT, "more, see schema kind=release_binding"),
        },
        required=("namespace", "environment"),
        effect="update",
        covers=deploys,
        pick=pick_deploy,
        either=deploys,
    )
    yield CompactTool(
        "promote",
        "Promote",
        "Put the release of the environment before into this one.",
        promote,
        actions_behind(*BINDING_WRITES),
        (),
        arguments={**AT, "from": TEXT},
        required=tuple(AT),
        effect="update",
        covers=BINDING_WRITES,
        pick=pick_deploy,
        either=BINDING_WRITES,
    )
    yield CompactTool(
        "rollback",
        "Roll back",
        "Return an environment to the release before, or a named one.",
        rollback,
        actions_behind("update_release_binding"),
        (),
        arguments={**AT, "release": TEXT, "stop_auto_deploy": FLAG},
        required=tuple(AT),
        effect="update",
        covers=("update_release_binding",),
        pick=lambda given: ("update_release_binding", located_at(given)),
    )
    yield CompactTool(
        "diff",
        "Compare environments",
        "What differs between two environments of a component.",
        diff,
        actions_behind("get_release_binding"),
        (),
        arguments={"namespace": TEXT, "component": TEXT, "from": TEXT, "to": TEXT, **SPARING},
        required=("namespace", "component", "from", "to"),
        covers=("get_release_binding", "get_component_release"),
        pick=pick_binding_view,
    )
