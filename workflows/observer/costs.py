"""What components cost in an environment, and what they could do with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portal.access.engine import Access
from workflows.observer.adapters import adapter_for
from workflows.observer.answers import Entry, check_place, entries_of, numbers, part_of, texts, times
from workflows.observer.asking import Adapter, AdapterFailed, ask, path_of
from workflows.observer.refusals import ObserverRefusal, bad_request
from workflows.observer.scopes import Found, Scope, note, permit, resolve
from workflows.observer.windows import Window, granularity_of, text_of

ACTION = "finops:view"
NAMES = ("componentUid", "component", "environmentUid", "environment", "projectUid", "project", "namespace")
PROFILE = ("cpuRequest", "cpuLimit", "memoryRequest", "memoryLimit")


def query_costs(access: Access, given: Mapping[str, Any]) -> Entry:
    """`{items: [{component, …, startTime, endTime, cpuCost, memoryCost, efficiency}]}`.

    `given` has `namespace`, `environment`, `project`, `component`, `startTime`, `endTime` and `granularity`.
    Raises `ObserverRefusal`.
    """
    granularity = granularity_of(given)
    found, window = read_question(access, given)
    adapter = adapter_for("finops", found)
    parameters = {**window_and_uids(found, window), **({"granularity": granularity} if granularity else {})}
    try:
        answer = ask(adapter, "GET", path_to(found), parameters=parameters)
        items = [cost_of(adapter, item, found) for item in entries_of(adapter, answer, "items")]
    except AdapterFailed as error:
        raise ObserverRefusal(500, f"Failed to retrieve costs: {error}") from error
    note(access, ACTION, found.scope)
    return {"items": items}


def query_recommendations(access: Access, given: Mapping[str, Any]) -> Entry:
    """`{items: [{component, …, current: profile, recommendation: profile}]}`, a profile being requests, limits and
    costs. As `query_costs`, without granularity. The caller's token is not handed on, as the reference does: an
    adapter needs none of ours."""
    found, window = read_question(access, given)
    adapter = adapter_for("finops", found)
    names = {name: getattr(found.scope, name) for name in ("environment", "project", "component")}
    parameters = {**window_and_uids(found, window), **{name: value for name, value in names.items() if value}}
    try:
        answer = ask(adapter, "GET", path_to(found) + "/recommendations", parameters=parameters)
        items = [recommendation_of(adapter, item, found) for item in entries_of(adapter, answer, "items")]
    except AdapterFailed as error:
        raise ObserverRefusal(500, f"Failed to retrieve recommendations: {error}") from error
    note(access, ACTION, found.scope)
    return {"items": items}


def read_question(access: Access, given: Mapping[str, Any]) -> tuple[Found, Window]:
    """The scope, permitted and resolved, and the time. Raises `ObserverRefusal`."""
    names = {field: text_of(given, field).strip() for field in ("namespace", "environment", "project", "component")}
    for field in ("namespace", "environment"):
        if not names[field]:
            raise bad_request(f"{field} is required")
    window = Window.read(given)
    if names["component"] and not names["project"]:
        raise bad_request("component requires project to also be set")
    scope = Scope(names["namespace"], names["project"], names["component"], names["environment"])
    permit(access, ACTION, scope)
    return resolve(scope, status=404), window


def path_to(found: Found) -> str:
    uid = found.uids["environmentUid"]
    return path_of("api", "v1alpha1", "costs", "namespaces", found.scope.namespace, "environments", uid)


def window_and_uids(found: Found, window: Window) -> dict[str, str]:
    uids = {field: uid for field, uid in found.uids.items() if field != "environmentUid"}
    return {"startTime": window.start, "endTime": window.end, **uids}


def cost_of(adapter: Adapter, item: Mapping[str, Any], found: Found) -> Entry:
    return {
        **identity_of(adapter, item, found),
        **times(adapter, item, ("startTime", "endTime")),
        **numbers(adapter, item, ("cpuCost", "memoryCost", "efficiency")),
    }


def recommendation_of(adapter: Adapter, item: Mapping[str, Any], found: Found) -> Entry:
    profiles = {field: profile_of(adapter, part_of(adapter, item, field)) for field in ("current", "recommendation")}
    return {**identity_of(adapter, item, found), **profiles}


def identity_of(adapter: Adapter, item: Mapping[str, Any], found: Found) -> Entry:
    """Whose item it is. Raises `AdapterFailed` if it is of another place than was asked for."""
    names = texts(adapter, item, NAMES)
    check_place(adapter, names, {"namespace": found.scope.namespace, **found.uids})
    return names


def profile_of(adapter: Adapter, profile: Mapping[str, Any]) -> Entry:
    return {**texts(adapter, profile, PROFILE), **numbers(adapter, profile, ("cpuCost", "memoryCost"))}
