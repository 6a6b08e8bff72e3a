"""What OpenChoreo's decisions are made of, table by table: paths, actions, claims, conditions, profiles."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from catalog.access.compile import compiled_conditions
from portal.access.actions import (
    all_actions,
    common_attributes,
    contract_actions,
    covers,
    expand,
)
from portal.access.condition import Condition, frozen
from portal.access.engine import Access
from portal.access.place import Place
from portal.access.rules import Role, Rule
from portal.access.subject import entitlement
from tests.catalog.access.conftest import access_of, bind, person, role, token_of
from tests.catalog.api.conftest import ApiClient

# Paths, actions, claims -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "path"),
    [
        (Place("acme", "p1", "c1"), "ns/acme/project/p1/component/c1"),
        (Place("acme"), "ns/acme"),
        (Place("acme", "p1"), "ns/acme/project/p1"),
        (Place(), "*"),
        (Place("acme", "p1", resource="r1"), "ns/acme/project/p1/resource/r1"),
        (Place("acme", "p1", resource="c1"), "ns/acme/project/p1/resource/c1"),
    ],
)
def test_a_place_as_the_contracts_path(place: Place, path: str) -> None:
    assert place.path == path


@pytest.mark.parametrize(
    ("granted", "asked", "is_held"),
    [
        (Place("acme"), Place("acme"), True),
        (Place("acme", "p1"), Place("acme", "p1", "c1"), True),
        (Place("acme"), Place("other", "p1"), False),
        (Place("acme"), Place("acme-other"), False),
        (Place(), Place("acme", "p1", "c1"), True),
        (Place("acme", "p1"), Place("acme"), False),
        (Place("acme"), Place(), False),
        (Place("acme", "p1", "c1"), Place("acme", "p1", resource="c1"), False),
    ],
)
def test_a_grant_holds_at_its_place_and_within(granted: Place, asked: Place, is_held: bool) -> None:
    assert granted.contains(asked) is is_held


@pytest.mark.parametrize(
    ("entry", "action", "is_covered"),
    [
        ("component:view", "component:view", True),
        ("component:*", "component:view", True),
        ("*", "component:view", True),
        ("component:*", "project:view", False),
        ("component:view", "component:update", False),
        ("", "component:view", False),
        ("component:view", "", False),
        ("cluster:*", "clustertrait:view", False),
    ],
)
def test_entries_of_roles_cover_actions(entry: str, action: str, is_covered: bool) -> None:
    assert covers(entry, action) is is_covered


def test_wildcards_expand_to_the_contracts_actions() -> None:
    verbs = ("create", "delete", "update", "view")

    assert list(expand("component:view")) == ["component:view"]
    assert sorted(expand("releasebinding:*")) == [f"releasebinding:{verb}" for verb in verbs]
    assert sorted(expand("*")) == sorted(action.name for action in contract_actions())
    assert list(expand("nonexistent:*")) == list(expand("cluster:*")) == []


def test_actions_are_kind_and_verb_in_small_letters_once_each_with_a_level() -> None:
    names = [action.name for action in contract_actions()]

    assert len(names) == len(set(names)) == 159
    for action in contract_actions():
        kind, _, verb = action.name.partition(":")
        assert kind and verb and ":" not in verb and action.name == action.name.lower()
        assert action.lowest_scope in ("cluster", "namespace", "project", "component", "resource")


def test_attributes_of_each_action() -> None:
    """§1.4: which attribute a condition may use, by action; every other action has none."""
    in_environments = {
        f"{kind}:{verb}"
        for kind in ("releasebinding", "resourcereleasebinding", "projectreleasebinding")
        for verb in ("create", "view", "update", "delete")
    } | {"component:exec", "logs:view", "wirelogs:view", "metrics:view", "traces:view"}
    in_environments |= {"drift:accept", "drift:ignore", "drift:restore"}  # ours: drift is a binding's, as it is
    expected = dict.fromkeys(in_environments, ("environment",))
    for kind, attribute in (("component", "componentType"), ("resource", "resourceType"), ("workflowrun", "workflow")):
        expected |= dict.fromkeys((f"{kind}:{verb}" for verb in ("create", "update", "delete")), (attribute,))

    assert {action.name: action.conditions for action in all_actions() if action.conditions} == expected


@pytest.mark.parametrize(
    ("actions", "attributes"),
    [
        (["releasebinding:create", "releasebinding:view"], {"environment"}),
        (["releasebinding:create", "logs:view"], {"environment"}),
        (["releasebinding:*", "metrics:view"], {"environment"}),
        (["releasebinding:*"], {"environment"}),
        (["metrics:view", "component:update"], set()),
        (["releasebinding:create", "component:view"], set()),
        (["project:*"], set()),
        (["*"], set()),
        (["bogus:*"], set()),
        ([], set()),
    ],
)
def test_a_condition_may_use_what_all_its_actions_have(actions: list[str], attributes: set[str]) -> None:
    assert common_attributes(actions) == attributes


@pytest.mark.parametrize(
    ("claim", "value", "name"),
    [
        ("group", "developers", "group:developers"),
        ("service_account", "my-service", "service_account:my-service"),
        ("group", "dev-team@acme.com", "group:dev-team@acme.com"),
        ("group", "namespace:team", "group:namespace:team"),
    ],
)
def test_a_claim_and_its_value_as_one_name(claim: str, value: str, name: str) -> None:
    assert entitlement(claim, value) == name


# Conditions -----------------------------------------------------------------------------------------------------------

ACTION = "releasebinding:create"
DEV, PROD, STAGING = (f'resource.environment == "{name}"' for name in ("dev", "prod", "staging"))
BROKEN, NO_BOOLEAN, UNKNOWN = "not an expression ((((", "resource.environment", 'resource.nothing == "dev"'
CONDITIONS: list[tuple[str, str, list[tuple[str, str]], str, bool]] = [
    ("no entries: unconstrained", "allow", [], "dev", True),
    ("no entries: unconstrained", "deny", [], "dev", True),
    ("entries for another action only", "allow", [("releasebinding:delete", DEV)], "dev", True),
    ("entries for another action only", "deny", [("releasebinding:delete", DEV)], "dev", True),
    ("one that holds", "allow", [(ACTION, DEV)], "dev", True),
    ("one that does not", "allow", [(ACTION, DEV)], "prod", False),
    ("one that does not", "deny", [(ACTION, DEV)], "prod", False),
    ("by a wildcard", "allow", [("releasebinding:*", DEV)], "dev", True),
    ("any of two", "allow", [(ACTION, PROD), (ACTION, DEV)], "dev", True),
    ("none of two", "allow", [(ACTION, PROD), (ACTION, STAGING)], "dev", False),
    ("only the one for the action counts", "allow", [(ACTION, DEV), ("releasebinding:delete", PROD)], "dev", True),
    ("a list, and an empty attribute", "allow", [(ACTION, 'resource.environment in ["dev", "staging"]')], "", False),
    ("an expression that cannot be read", "allow", [(ACTION, BROKEN)], "dev", False),
    ("an expression that cannot be read", "deny", [(ACTION, BROKEN)], "dev", True),
    ("no boolean", "allow", [(ACTION, NO_BOOLEAN)], "dev", False),
    ("no boolean", "deny", [(ACTION, NO_BOOLEAN)], "dev", True),
    ("an attribute that there is not", "allow", [(ACTION, UNKNOWN)], "dev", False),
    ("an error beats its neighbour that holds", "allow", [(ACTION, BROKEN), (ACTION, DEV)], "dev", False),
    ("an error beats its neighbour that holds", "allow", [(ACTION, DEV), (ACTION, BROKEN)], "dev", False),
    ("an error beats its neighbour that does not", "deny", [(ACTION, BROKEN), (ACTION, PROD)], "dev", True),
    ("an error beats its neighbour that does not", "deny", [(ACTION, PROD), (ACTION, BROKEN)], "dev", True),
    ("an error for another action", "allow", [("releasebinding:delete", BROKEN), (ACTION, DEV)], "dev", True),
]


@pytest.mark.parametrize(("told", "effect", "entries", "environment", "counts"), CONDITIONS)
def test_conditions_hold_or_fail_closed(
    told: str, effect: Any, entries: list[tuple[str, str]], environment: str, counts: bool
) -> None:
    stored = compiled_conditions({"actions": [action], "expression": text} for action, text in entries)
    conditions = tuple(Condition(tuple(item["actions"]), item["expression"], frozen(item["tree"])) for item in stored)
    rule = Rule(effect, "cluster", Place(), Role("r", ("*",)), "groups:a", False, "exception", 1, 1, conditions)

    assert rule.counts(ACTION, {"environment": environment}) is counts, told


def capability(access: Access, action: str, asked: Place) -> tuple[Any, Any]:
    found = access.profile(asked).get(action)
    return (None, None) if found is None else (found.allowed, found.denied)


def test_profiles_show_what_bears_on_a_scope_around_it_and_within(places: None) -> None:
    role("editor", "component:view", "component:create", "component:update")
    role("viewer", "component:view", "project:view")
    acme = {"namespace": "acme"}
    bind("1", "groups:dev", "editor", scope=acme)
    bind("2", "groups:dev", "viewer", scope={**acme, "project": "p1"})
    bind("3", "groups:dev", "editor", scope={**acme, "project": "secret"}, effect="deny")
    access = access_of(person("ada", "dev"))

    at_acme = access.profile(Place("acme"))
    assert set(at_acme) == {"component:view", "component:create", "component:update", "project:view"}
    assert capability(access, "component:view", Place("acme")) == (
        {"ns/acme": None, "ns/acme/project/p1": None},
        {"ns/acme/project/secret": None},
    )
    assert capability(access, "component:create", Place("acme", "p1")) == ({"ns/acme": None}, {})
    assert capability(access, "component:view", Place("acme", "p2")) == ({"ns/acme": None}, {})
    assert capability(access, "component:view", Place("acme", "secret"))[1] == {"ns/acme/project/secret": None}
    assert access.profile(Place("other")) == {}
    assert access_of(person("eve", "nobody")).profile(Place("acme")) == {}


def test_profiles_show_conditions_by_path_and_what_is_unconditional_absorbs_them(places: None) -> None:
    role("deployer", "releasebinding:view", "component:view")
    acme = {"namespace": "acme"}

    def when(*texts: str) -> list[Any]:
        return [{"actions": ["releasebinding:view"], "expression": text} for text in texts]

    bind("1", "groups:dev", "deployer", scope={**acme, "project": "p1"}, conditions=when(PROD))
    bind("2", "groups:dev", "deployer", scope={**acme, "project": "p2"}, conditions=when(PROD, STAGING))
    bind("3", "groups:dev", "deployer", scope={**acme, "project": "public"}, conditions=when(PROD))
    bind("4", "groups:dev", "deployer", scope={**acme, "project": "public"})
    bind("5", "groups:dev", "deployer", scope={**acme, "project": "secret"}, effect="deny", conditions=when(STAGING))
    access = access_of(person("ada", "dev"))

    assert capability(access, "releasebinding:view", Place("acme")) == (
        {"ns/acme/project/p1": [PROD], "ns/acme/project/p2": [PROD, STAGING], "ns/acme/project/public": None},
        {"ns/acme/project/secret": [STAGING]},
    )
    assert capability(access, "component:view", Place("acme", "p1")) == ({"ns/acme/project/p1": None}, {})


def test_the_profile_endpoint_names_the_caller_and_the_time(places: None) -> None:
    role("viewer", "component:*")
    bind("1", "groups:dev", "viewer", scope={"namespace": "acme"})
    said = ApiClient(Client(), token_of(person("ada", "dev"))).get("/api/v1/authz/profile?namespace=acme").json()

    assert said["user"] == {"type": "user", "entitlement_claim": "groups", "entitlement_values": ["dev"]}
    assert said["evaluatedAt"].endswith("Z")
    assert said["capabilities"]["component:exec"] == {"allowed": [{"path": "ns/acme"}], "denied": []}
