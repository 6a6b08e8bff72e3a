"""OpenChoreo's decisions, table by table, asked over its own endpoints in its own mode; then where we differ.

A table is a policy in documents and rows of (who, action, place) with the answer. Each is asked at once through
`authz/evaluates`, by somebody who may ask about others.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from catalog import store
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
from portal.access.rules import Role, Rule, decide
from portal.access.subject import entitled, entitlement
from portal.accounts.models import User
from tests.catalog.access.conftest import access_of, apply, bind, person, role, token_of
from tests.catalog.api.conftest import ApiClient
from tests.conftest import REPOSITORY
from tests.factories import ComponentFactory, NamespaceFactory, ProjectFactory

EVALUATES = "/api/v1/authz/evaluates"
Row = tuple[str, str, str]
"""Claims ("groups:a groups:b"), action, and the place as `namespace/project/component`."""


@pytest.fixture
def peer_mode(settings: Any) -> None:
    """What OpenChoreo does wherever there is a choice."""
    settings.STRICT_DENY = False
    settings.HIDE_FORBIDDEN = False


@pytest.fixture
def places(db: None, peer_mode: None) -> None:
    """Namespaces acme, acme2 and other; in acme projects p1, p2, public, secret, each with components."""
    for namespace in ("acme", "acme2", "other"):
        NamespaceFactory.create(name=namespace)
    for project in ("p1", "p2", "public", "secret"):
        ProjectFactory.create(name=project, namespace="acme")
        for component in ("one", "two"):
            ComponentFactory.create(name=f"{project}-{component}", namespace="acme", project=project)
    ProjectFactory.create(name="p1", namespace="other")
    ComponentFactory.create(name="p1-one", namespace="other", project="p1")


@pytest.fixture
def asker(db: None) -> ApiClient:
    return ApiClient(Client(), token_of(User.objects.create_superuser("asker")))


def question(row: Row, kind: str = "user", **attributes: str) -> dict[str, Any]:
    who, action, path = row
    claims = [claim.split(":", 1) for claim in who.split()]
    hierarchy = dict(zip(("namespace", "project", "component"), path.split("/") if path else [], strict=False))
    asked: dict[str, Any] = {
        "subject_context": {
            "type": kind,
            "entitlement_claim": claims[0][0],
            "entitlement_values": [value for _, value in claims],
        },
        "resource": {"type": "component", "hierarchy": hierarchy},
        "action": action,
    }
    if attributes:
        asked["context"] = {"resource": attributes}
    return asked


def held_to(asker: ApiClient, table: dict[Row, bool]) -> None:
    """Ask all rows at once. Raises `AssertionError` with those that are answered otherwise."""
    reply = asker.post(EVALUATES, [question(row) for row in table])
    assert reply.status_code == 200, reply.content
    said = {row: item["decision"] for row, item in zip(table, reply.json(), strict=True)}
    assert {row: found for row, found in said.items() if found is not table[row]} == {}


# Decisions ------------------------------------------------------------------------------------------------------------


def test_cluster_roles_by_groups_subjects_levels_and_wildcards(places: None, asker: ApiClient) -> None:
    role("mixed", "namespace:view", "component:*", "project:view")
    role("everything", "*")
    role("runner", "component:exec")
    role("lead", "project:*", "component:create")
    role("reader", "component:view", "project:view")
    role("maker", "component:create", "project:create")
    role("looker", "component:view")
    role("machine", "component:exec", "component:view")
    bind("1", "groups:team", "mixed", scope={"namespace": "acme"})
    bind("2", "groups:all", "everything")
    bind("3", "groups:one", "runner", scope={"namespace": "acme", "project": "p1", "component": "p1-one"})
    bind("4", "groups:p2", "lead", scope={"namespace": "acme", "project": "p2"})
    bind("5", "groups:both", "reader", scope={"namespace": "acme"})
    bind("6", "groups:both", "maker", scope={"namespace": "acme"})
    bind("7", "sub:u-1", "looker", scope={"namespace": "acme"})
    bind("8", "groups:machines", "machine", scope={"namespace": "acme"})

    held_to(
        asker,
        {
            ("groups:team", "namespace:view", "acme"): True,
            ("groups:team", "component:view", "acme/p1/p1-one"): True,
            ("groups:team", "component:exec", "acme/p1/p1-one"): True,
            ("groups:team", "project:delete", "acme/p1"): False,
            ("groups:wrong", "component:view", "acme/p1/p1-one"): False,
            ("groups:team", "component:view", "other/p1"): False,
            ("groups:x groups:team groups:y", "component:view", "acme"): True,
            ("groups:all", "project:delete", "any/project"): True,
            ("groups:one", "component:exec", "acme/p1/p1-one"): True,
            ("groups:one", "component:exec", "acme/p1/p1-two"): False,
            ("groups:p2", "component:create", "acme/p2/p2-one"): True,
            ("groups:both", "component:view", "acme/p1/p1-one"): True,
            ("groups:both", "component:create", "acme/p1/p1-one"): True,
            ("groups:team", "namespace:view", "acme2"): False,
            ("sub:u-1", "component:view", "acme/p1/p1-one"): True,
            ("sub:u-2", "component:view", "acme/p1/p1-one"): False,
            # A grant goes downwards only, and a claim is not another claim of the same value.
            ("groups:one", "component:exec", "acme/p1"): False,
            ("groups:u-1", "component:view", "acme/p1/p1-one"): False,
        },
    )
    machine = question(("groups:machines", "component:exec", "acme/p1/p1-one"), kind="service_account")
    assert asker.post(EVALUATES, [machine]).json()[0]["decision"] is True


def test_namespace_roles_stay_in_their_namespace_and_scope(places: None, asker: ApiClient) -> None:
    role("engineer", "component:exec", "component:view", "project:view", namespace="acme")
    role("lead", "project:*", "component:*", namespace="acme")
    role("reader", "component:view", "project:view", namespace="acme")
    role("maker", "component:create", "project:create", namespace="acme")
    bind("1", "groups:engineers", "engineer", namespace="acme", role_kind="AuthzRole")
    bind("2", "groups:leads", "lead", namespace="acme", role_kind="AuthzRole", scope={"project": "p1"})
    bind("3", "groups:both", "reader", namespace="acme", role_kind="AuthzRole")
    bind("4", "groups:both", "maker", namespace="acme", role_kind="AuthzRole")

    held_to(
        asker,
        {
            ("groups:engineers", "component:exec", "acme/p1/p1-one"): True,
            ("groups:leads", "component:delete", "acme/p1/p1-one"): True,
            ("groups:engineers", "component:delete", "acme/p1/p1-one"): False,
            ("groups:leads", "component:create", "acme/p1/p1-one"): True,
            ("groups:leads", "project:delete", "acme/p2"): False,
            ("groups:both", "component:view", "acme/p2/p2-one"): True,
            ("groups:both", "component:create", "acme/p2/p2-one"): True,
            ("groups:engineers", "component:exec", "other/p1/p1-one"): False,
        },
    )


def test_a_deny_beats_an_allow_of_the_same_claim_whatever_its_level_and_role(places: None, asker: ApiClient) -> None:
    role("developer", "component:*", "project:view")
    role("developer", "component:*", "project:*", namespace="acme")
    own = {"namespace": "acme", "role_kind": "AuthzRole"}
    bind("1", "groups:dev", "developer", scope={"namespace": "acme"})
    bind("2", "groups:dev", "developer", scope={"namespace": "acme", "project": "secret"}, effect="deny")
    bind("3", "groups:ns", "developer", **own)
    bind("4", "groups:ns", "developer", **own, scope={"project": "p1", "component": "p1-two"}, effect="deny")
    bind("5", "groups:dev", "developer", **own, scope={"project": "public", "component": "public-two"}, effect="deny")

    held_to(
        asker,
        {
            ("groups:dev", "component:view", "acme/public/public-one"): True,
            ("groups:dev", "component:view", "acme/secret/secret-one"): False,
            ("groups:ns", "component:exec", "acme/p1/p1-one"): True,
            ("groups:ns", "component:exec", "acme/p1/p1-two"): False,
            ("groups:dev", "component:view", "acme/public/public-two"): False,
            # Evaluated for each claim alone, then any of them: another group's deny takes nothing away.
            ("groups:dev groups:ns", "component:view", "acme/secret/secret-one"): True,
            ("groups:dev groups:ns", "component:view", "acme/public/public-two"): True,
        },
    )


def test_roles_of_one_name_in_two_namespaces_are_two_roles(places: None, asker: ApiClient) -> None:
    role("engineer", "component:exec", "component:view", "project:view", namespace="acme")
    role("engineer", "component:delete", "project:delete", namespace="other")
    bind("1", "groups:acme", "engineer", namespace="acme", role_kind="AuthzRole")
    bind("1", "groups:other", "engineer", namespace="other", role_kind="AuthzRole")

    held_to(
        asker,
        {
            ("groups:acme", "component:exec", "acme/p1/p1-one"): True,
            ("groups:acme", "component:exec", "other/p1/p1-one"): False,
            ("groups:other", "component:delete", "other/p1/p1-one"): True,
            ("groups:other", "project:delete", "acme/p1"): False,
            ("groups:acme", "component:delete", "acme/p1/p1-one"): False,
            ("groups:other", "component:exec", "other/p1/p1-one"): False,
        },
    )


def test_cluster_and_namespace_roles_of_one_subject_add_up(places: None, asker: ApiClient) -> None:
    role("developer", "component:view", "project:view")
    role("developer", "component:exec", "component:view", "project:view", namespace="acme")
    role("viewer", "component:view", "project:view")
    role("runner", "component:exec", namespace="acme")
    bind("1", "groups:cluster", "developer", scope={"namespace": "acme"})
    bind("2", "groups:ns", "developer", namespace="acme", role_kind="AuthzRole")
    bind("3", "groups:eng", "viewer", scope={"namespace": "acme"})
    bind("4", "groups:eng", "runner", namespace="acme", role_kind="AuthzRole")

    held_to(
        asker,
        {
            ("groups:cluster groups:ns", "component:view", "acme/p1/p1-one"): True,
            ("groups:cluster groups:ns", "component:exec", "acme/p1/p1-one"): True,
            ("groups:cluster groups:ns", "component:delete", "acme/p1/p1-one"): False,
            ("groups:cluster", "component:exec", "acme/p1/p1-one"): False,
            ("groups:eng", "component:view", "acme/p1/p1-one"): True,
            ("groups:eng", "project:view", "acme/p2"): True,
            ("groups:eng", "component:exec", "other/p1/p1-one"): False,
            ("groups:eng", "project:view", "other/p1"): False,
            ("groups:eng", "component:delete", "acme/p1/p1-one"): False,
        },
    )


def test_cluster_bindings_with_and_without_a_scope(places: None, asker: ApiClient) -> None:
    role("viewer", "namespace:view", "project:view")
    role("editor", "namespace:view", "project:view", "project:update")
    bind("1", "groups:scoped", "viewer", scope={"namespace": "acme"})
    bind("2", "groups:global", "editor")

    held_to(
        asker,
        {
            ("groups:scoped", "project:view", "acme/p1"): True,
            ("groups:scoped", "project:view", "other/p1"): False,
            ("groups:global", "project:view", "anything/p1"): True,
            ("groups:global", "project:update", "acme/p1"): True,
            ("groups:scoped", "project:update", "acme/p1"): False,
            ("groups:global", "project:delete", "acme/p1"): False,
            ("groups:scoped", "project:view", ""): False,
            ("groups:global", "project:view", ""): True,
        },
    )


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


# Batches, profiles ----------------------------------------------------------------------------------------------------


def test_a_batch_is_answered_in_order_with_reasons(places: None, asker: ApiClient) -> None:
    role("reader", "component:view")
    role("maker", "component:create")
    bind("1", "groups:dev", "reader", scope={"namespace": "acme"})
    bind("2", "groups:dev", "maker", scope={"namespace": "acme", "project": "p1"})
    rows = [("component:view", "acme/p1"), ("component:create", "acme/p1"), ("component:create", "acme/p2")]

    said = asker.post(EVALUATES, [question(("groups:dev", *row)) for row in rows]).json()

    assert [item["decision"] for item in said] == [True, True, False]
    assert said[0]["context"]["reason"] == (
        "Access granted: entitlement value 'dev' authorized to perform 'component:view'"
        " on hierarchy 'ns/acme/project/p1'"
    )
    assert said[2]["context"]["reason"] == "no matching policies found"
    with_id = question(("groups:dev", "component:view", "acme/p1"))
    with_id["resource"]["id"] = "c1"
    assert asker.post(EVALUATES, [with_id]).json()[0]["context"]["reason"].endswith("(id: c1)")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ([], "between 1 and"),
        (None, "between 1 and"),
        ([{"resource": {"hierarchy": {}}, "action": "component:view"}], "resource type is required at index 0"),
        ([{"resource": {"type": "component"}}], "action is required at index 0"),
        (
            [
                {"resource": {"type": "component"}, "action": "component:view"},
                {"resource": {}, "action": "component:view"},
            ],
            "resource type is required at index 1",
        ),
        ({"action": "x"}, "cannot unmarshal object"),
    ],
)
def test_what_is_no_question_is_refused_with_its_place(asker: ApiClient, body: Any, problem: str) -> None:
    reply = asker.post(EVALUATES, body) if body is not None else asker.send("POST", EVALUATES, b"null")

    assert reply.status_code == 400
    assert problem in reply.content.decode() or body is None


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


# Where we differ on purpose -------------------------------------------------------------------------------------------


def test_difference_1_a_deny_of_the_subject_itself_beats_every_group(places: None) -> None:
    role("viewer", "component:view")
    bind("1", "groups:one", "viewer")
    bind("2", "groups:two", "viewer")
    bind("3", "sub:ada", "viewer", effect="deny")

    assert not access_of(person("ada", "one", "two")).allows("component:view", Place("acme", "p1", "p1-one"))
    assert access_of(person("bob", "one", "two")).allows("component:view", Place("acme", "p1", "p1-one"))


def test_difference_2_a_missing_attribute_fails_closed(places: None, asker: ApiClient) -> None:
    role("deployer", "releasebinding:*")
    condition = {"actions": ["releasebinding:*"], "expression": 'resource.environment != "acme/prod"'}
    bind("1", "groups:dev", "deployer", namespace="acme", conditions=[condition])
    row = ("groups:dev", "releasebinding:update", "acme/p1/p1-one")

    asked = [question(row, environment="acme/prod"), question(row, environment="acme/dev"), question(row)]
    assert [item["decision"] for item in asker.post(EVALUATES, asked).json()] == [False, True, False]


def test_difference_3_the_stored_owner_decides(places: None) -> None:
    role("owner", "*")
    bind("1", "groups:p1", "owner", namespace="acme", scope={"project": "p1"})
    labels = {"openchoreo.dev/project": "p2", "openchoreo.dev/component": "p2-one"}
    apply("WorkflowRun", "run", {"workflow": {"name": "build"}}, "acme", labels=labels)
    own = {"openchoreo.dev/project": "p1", "openchoreo.dev/component": "p1-one"}
    body = {"metadata": {"name": "run", "labels": own}, "spec": {"workflow": {"name": "build"}}}

    reply = ApiClient(Client(), token_of(person("ada", "p1"))).put("/api/v1/namespaces/acme/workflowruns/run", body)

    assert reply.status_code == 403
    assert store.get("WorkflowRun", "acme", "run").labels == labels


def test_difference_4_nobody_gives_what_they_do_not_hold(places: None) -> None:
    role("admin", "*")
    role("giver", "authzrolebinding:*")
    bind("1", "groups:givers", "giver", namespace="acme")
    mapping = {"roleRef": {"kind": "ClusterAuthzRole", "name": "admin"}}
    body = {
        "metadata": {"name": "mine"},
        "spec": {"entitlement": {"claim": "groups", "value": "givers"}, "roleMappings": [mapping]},
    }

    reply = ApiClient(Client(), token_of(person("eve", "givers"))).post(
        "/api/v1/namespaces/acme/authzrolebindings", body
    )

    assert reply.status_code == 403


def test_difference_5_an_issuer_without_an_audience_does_not_start(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "DEBUG": "false",
        "SECRET_KEY": "x" * 50,
        "ALLOWED_HOSTS": "a.example",
        "DATA_DIR": str(tmp_path),
        "OIDC_ISSUER": "https://issuer.example",
        "DJANGO_SETTINGS_MODULE": "portal.settings",
    }
    started = subprocess.run(
        [sys.executable, "-c", "import portal.settings"],
        env=environment,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )

    assert started.returncode != 0
    assert "OIDC_ISSUER is set without OIDC_AUDIENCE" in started.stderr


def test_of_a_component_and_a_resource_at_once_the_component_counts(places: None, asker: ApiClient) -> None:
    role("viewer", "component:view")
    bind("1", "groups:one", "viewer", namespace="acme", scope={"project": "p1", "component": "p1-one"})
    asked = question(("groups:one", "component:view", "acme/p1/p1-one"))
    asked["resource"]["hierarchy"]["resource"] = "r"

    assert asker.post(EVALUATES, [asked]).json()[0]["decision"] is True


def test_decide_and_the_endpoint_agree_on_who_was_asked_about(places: None) -> None:
    role("viewer", "component:view")
    bind("1", "groups:one", "viewer")
    access = Access(entitled("groups", ["one"]))
    rules = access.rules_for("component:view")

    assert decide(rules, "component:view", Place("acme"), {}, strict_deny=False).rule == rules[0]
