"""OpenChoreo's decisions, table by table, asked over its own endpoints in its own mode.

A table is a policy in documents and rows of (who, action, place) with the answer. Each is asked at once through
`authz/evaluates`, by somebody who may ask about others. Where we differ: `test_deliberate_differences.py`.
"""

from __future__ import annotations

from typing import Any

import pytest

from portal.access.engine import Access
from portal.access.place import Place
from portal.access.rules import decide
from portal.access.subject import entitled
from tests.catalog.access.conftest import bind, role
from tests.catalog.access.peer import EVALUATES, held_to, question
from tests.catalog.api.conftest import ApiClient

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
