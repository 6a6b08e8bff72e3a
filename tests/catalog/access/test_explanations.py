"""What an explanation names is what decides: take it away and an allow turns, add it and a refusal does."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import transaction
from django.test import Client, override_settings
from guardian.shortcuts import assign_perm
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from catalog import store
from catalog.access.grant_rows import take
from catalog.access.models import GRANTS
from catalog.kinds.component import Component
from catalog.store.read import get
from portal.access.engine import Access
from portal.access.explanation_text import lines_of
from portal.access.explanations import explain
from portal.access.place import Place
from portal.access.subject import Subject, entitled, subject_of
from portal.accounts.models import User
from portal.audit.models import AuditEvent
from tests.catalog.access.conftest import access_of, apply, bind, person, role, token_of
from tests.catalog.access.policies import PEOPLE, PLACES, RandomPolicy, applied, policies, world  # noqa: F401
from tests.catalog.api.conftest import ApiClient
from tests.factories import TESTER

WEB = Place("acme", "shop", component="shop-web")
ENVIRONMENTS = ("", "acme/dev", "acme/prod")
ACTIONS = (
    *("component:view", "component:update", "component:delete", "project:view", "releasebinding:view"),
    *("releasebinding:update", "environment:view", "workflowrun:view", "authzrole:update", "namespace:view"),
)


@dataclass
class Tally:
    """What became of the decisions."""

    decisions: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        told = ", ".join(f"{number} {outcome}" for outcome, number in sorted(self.outcomes.items()))
        return f"{self.decisions} decisions: {told}; every explanation held"


@dataclass(frozen=True)
class Decision:
    """One question about one account; `behind` names the person for whom an agent asks."""

    user: str
    behind: str
    action: str
    place: Place
    environment: str

    @property
    def attributes(self) -> dict[str, str]:
        return {"environment": self.environment} if self.environment else {}

    def access(self) -> Access:
        """The rights at this moment."""
        subject = subject_of(User.objects.select_related("owner").get(username=self.user))
        if self.behind and subject.is_agent:
            person_behind = subject_of(User.objects.get(username=self.behind))
            subject = Subject(
                subject.user_id, subject.name, subject.kind, subject.entitlements, acting_for=person_behind
            )
        return Access(subject)

    def is_allowed(self) -> bool:
        return self.access().allows(self.action, self.place, self.attributes)

    def explained(self) -> dict[str, Any]:
        return explain(self.access(), self.action, self.place, self.attributes)


class _Undone(Exception):
    """Ends `undone`."""


@contextmanager
def undone() -> Iterator[None]:
    """Whatever is written within goes again. The store's own rehearsals join the one around them, so not these."""
    try:
        with transaction.atomic():
            yield
            raise _Undone
    except _Undone:
        return


decisions = st.builds(
    Decision,
    st.sampled_from([*(name for name, *_ in PEOPLE), "ada", "bob", "bob", "bot"]),
    st.sampled_from(["", "", "", "bob"]),
    st.sampled_from(ACTIONS),
    st.sampled_from(PLACES),
    st.sampled_from(ENVIRONMENTS),
)


def remove_rules(rules: list[dict[str, Any]]) -> None:
    """Take away what some explained rules come from: mappings of bindings, and grants by hand."""
    remove_mappings({freeze(mapping) for rule in rules for mapping in rule.get("mappings", ())})
    for rule in rules:
        if "given by hand" in rule["bindings"]:
            table, level, row = rule["grant"].split(":")
            take(GRANTS[level][table == "group"].objects.get(pk=row))


def freeze(mapping: dict[str, Any]) -> tuple[str, str, str, int]:
    return mapping["kind"], mapping["namespace"], mapping["name"], mapping["index"]


def remove_mappings(mappings: set[tuple[str, str, str, int]]) -> None:
    for kind, namespace, name in {mapping[:3] for mapping in mappings}:
        binding = get(kind, namespace, name)
        gone = {index for *names, index in mappings if tuple(names) == (kind, namespace, name)}
        left = [item for index, item in enumerate(binding.spec["roleMappings"]) if index not in gone]
        if left:
            apply(kind, name, {**binding.spec, "roleMappings": left}, namespace)
        else:
            store.delete(kind, namespace, name, TESTER)


def give(grants: list[dict[str, Any]]) -> None:
    """Give what an explanation asks for, as bindings of roles with one action."""
    for number, grant in enumerate(grants):
        parts = [] if grant["scope"] == "*" else grant["scope"].split("/")
        scope = {{"ns": "namespace"}.get(word, word): name for word, name in zip(parts[::2], parts[1::2], strict=True)}
        role(f"least-{number}", grant["action"])
        who = grant["entitlement"]
        bind(f"least-{number}", f"{who['claim']}:{who['value']}", f"least-{number}", scope=scope)


def check_explanation(decision: Decision, tally: Tally) -> None:
    """Hold one explanation against what happens. Raises `AssertionError`."""
    shown = decision.explained()
    assert shown["allowed"] is decision.is_allowed()
    tally.decisions += 1
    if shown["allowed"]:
        check_allow(decision, shown, tally)
    else:
        check_refusal(decision, shown, tally)


def check_allow(decision: Decision, shown: dict[str, Any], tally: Tally) -> None:
    if shown["because"] == "break-glass":
        assert "rules" not in shown
        tally.outcomes["allowed to superusers"] += 1
        return
    rules = shown["rules"]
    assert rules and rules[0] == shown["rule"]
    with undone():
        remove_rules(rules)
        assert not decision.is_allowed(), "something that was not named gives it too"
    for kept in rules if len(rules) > 1 else ():
        with undone():
            remove_rules([rule for rule in rules if rule != kept])
            assert decision.is_allowed(), "a grant was named that is not enough alone"
    tally.outcomes["allows flipped" if len(rules) == 1 else "allows by several grants flipped"] += 1


def check_refusal(decision: Decision, shown: dict[str, Any], tally: Tally) -> None:
    change = shown.get("wouldAllow")
    if change is None:
        subject = decision.access().subject
        is_power = subject.is_agent and "authz" in decision.action
        is_inactive = not subject.is_active or (subject.acting_for is not None and not subject.acting_for.is_active)
        assert is_power or is_inactive, shown
        tally.outcomes["refused for good"] += 1
        return
    assert change["remove"] or change["grants"]
    mappings = {freeze(mapping) for mapping in change["remove"]}
    with undone():
        remove_mappings(mappings)
        give(change["grants"])
        assert decision.is_allowed(), (shown, "the least change is not enough")
    steps = [(mappings, grant) for grant in range(len(change["grants"]))] + [
        ({*mappings} - {item}, -1) for item in mappings
    ]
    if len(steps) > 1:
        for removed, left_out in steps:
            with undone():
                remove_mappings(removed)
                give([grant for number, grant in enumerate(change["grants"]) if number != left_out])
                assert not decision.is_allowed(), (shown, "less would have been enough")
    kind = "a grant" if not mappings else "a deny removed" if not change["grants"] else "a grant and a deny removed"
    tally.outcomes[f"refusals flipped by {kind}"] += 1


def chosen(asked: list[Decision], number: int) -> list[Decision]:
    """Some of the questions, about half of them with a grant behind the answer: most random ones are refused."""
    is_given = [decision.user != "root" and decision.is_allowed() for decision in asked]
    order = sorted(range(len(asked)), key=lambda index: not is_given[index])
    allows = order[: min(number // 2, sum(is_given))]
    others = [index for index in reversed(order) if index not in allows]
    return [asked[index] for index in (*allows, *others[: number - len(allows)])]


def run(count: int, per_policy: int = 4) -> Tally:
    """So many random decisions, some about each policy: half of them allows, where there are so many."""
    tally = Tally()

    @limits(
        max_examples=count // per_policy,
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(
        policies(8, min_bindings=3, has_all_roles=True),
        st.lists(decisions, min_size=4 * per_policy, max_size=4 * per_policy),
        st.sampled_from([False, False, False, True]),
    )
    def each(policy: RandomPolicy, asked: list[Decision], is_strict: bool) -> None:
        with override_settings(STRICT_DENY=is_strict), applied(policy):
            for decision in chosen(asked, per_policy):
                try:
                    check_explanation(decision, tally)
                except AssertionError as error:
                    raise AssertionError(f"{error}\n{decision}\n{policy}\n{decision.explained()}") from error

    each()
    return tally


@pytest.mark.django_db
def test_what_explanations_name_is_what_decides(world: None) -> None:  # noqa: F811
    tally = run(200)

    assert tally.decisions >= 200
    assert any(outcome.startswith("allows") for outcome in tally.outcomes), tally
    assert any(outcome.startswith("refusals") for outcome in tally.outcomes), tally


# By hand --------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_every_grant_that_would_be_enough_is_named(tenants: None) -> None:
    role("owner", "component:*")
    bind("one", "groups:dev", "owner", namespace="acme", scope={"project": "shop"})
    bind("two", "groups:ops", "owner", namespace="acme")
    bind("three", "groups:ops", "owner", namespace="acme")
    ada = person("ada", "dev", "ops")
    web = Component.objects.system("test").get(namespace_id="acme", name="shop-web")
    assign_perm("component|component:update", ada, web)

    shown = explain(access_of(ada), "component:update", WEB, {})

    assert sorted(binding for rule in shown["rules"] for binding in rule["bindings"]) == [
        *("AuthzRoleBinding acme/one", "AuthzRoleBinding acme/three", "AuthzRoleBinding acme/two", "given by hand")
    ]
    assert "AuthzRoleBinding acme/one gives owner at ns/acme/project/shop to groups:dev" in shown["reason"]


@pytest.mark.django_db
def test_a_condition_is_told_with_the_values_that_it_was_judged_by(tenants: None) -> None:
    role("deployer", "releasebinding:*")
    condition = {"actions": ["releasebinding:*"], "expression": 'resource.environment != "acme/prod"'}
    bind("a", "groups:dev", "deployer", namespace="acme", conditions=[condition])
    access = access_of(person("ada", "dev"))

    allowed = explain(access, "releasebinding:update", WEB, {"environment": "acme/dev"})
    refused = explain(access, "releasebinding:update", WEB, {"environment": "acme/prod"})
    unasked = explain(access, "releasebinding:update", WEB, {})

    assert allowed["rule"]["conditions"] == [condition["expression"]]
    assert allowed["rule"]["attributes"] == {"environment": "acme/dev"}
    assert allowed["reason"].endswith('if resource.environment != "acme/prod" (environment is acme/dev)')
    assert refused["unmet"][0]["attributes"] == {"environment": "acme/prod"}
    assert refused["reason"].endswith('if resource.environment != "acme/prod" (environment is acme/prod)')
    assert unasked["reason"].endswith("(environment is not given)")


@pytest.mark.django_db
def test_a_deny_of_ones_own_name_is_what_must_go_and_no_grant_helps(tenants: None) -> None:
    role("viewer", "component:view")
    bind("a", "groups:dev", "viewer", namespace="acme")
    bind("b", "sub:ada", "viewer", namespace="acme", effect="deny")
    shown = explain(access_of(person("ada", "dev")), "component:view", WEB, {})

    assert shown["wouldAllow"]["remove"] == [
        {"binding": "AuthzRoleBinding acme/b", "kind": "AuthzRoleBinding", "namespace": "acme", "name": "b", "index": 0}
    ]
    assert shown["wouldAllow"]["grants"] == []
    assert "    take away AuthzRoleBinding acme/b, roleMappings[0]" in lines_of(shown)


@pytest.mark.django_db
def test_for_a_subject_known_by_groups_only_the_least_grant_is_to_one_of_them(tenants: None) -> None:
    role("viewer", "component:view")
    bind("no", "groups:a", "viewer", namespace="acme", effect="deny")

    def least(*groups: str) -> Any:
        return explain(Access(entitled("groups", groups)), "component:view", WEB, {})["wouldAllow"]

    assert least("a", "b")["grants"][0]["entitlement"] == {"claim": "groups", "value": "b"}
    assert least("a")["remove"][0]["name"] == "no"


@pytest.mark.django_db
def test_the_least_grant_is_where_something_exists(tenants: None) -> None:
    access = access_of(person("ada"))

    def scope(action: str, place: Place) -> str:
        return str(explain(access, action, place, {})["wouldAllow"]["grants"][0]["scope"])

    assert scope("component:update", WEB) == WEB.path
    assert scope("component:update", Place("acme", component="shop-web")) == WEB.path
    assert scope("component:update", Place("acme", "bank", component="shop-web")) == "ns/acme/project/bank"
    assert scope("component:update", Place("acme", "gone", component="x")) == "ns/acme"
    assert scope("project:create", WEB) == "ns/acme"
    assert scope("namespace:create", WEB) == "*"
    assert "wouldAllow" not in explain(access, "nonsense:act", WEB, {})


@pytest.mark.django_db
def test_whoever_asks_about_somebody_else_needs_the_right_there(tenants: None) -> None:
    role("watcher", "authz:view")
    bind("watch", "groups:leads", "watcher", namespace="acme", scope={"project": "shop"})
    person("ada")
    why = "/api/stagecraft/v1/access/why?action=component:view&namespace=acme"
    lead, other = (ApiClient(Client(), token_of(person(name, group))) for name, group in (("l", "leads"), ("o", "x")))

    assert lead.get(f"{why}&project=shop&user=ada").json()["subject"] == "ada"
    lead.get(why.replace("/why", "/who-can") + "&project=shop")
    asked = AuditEvent.objects.system("what was asked").filter(actor="l", action="authz:view").order_by("id")
    assert [(event.kind, event.name, event.outcome) for event in asked] == [
        ("User", "ada", "success"),
        ("", "", "success"),
    ]
    assert json.loads(asked[0].details)["scope"] == "ns/acme/project/shop"
    assert lead.get(f"{why}&project=bank&user=ada").status_code == 403
    assert lead.get(f"{why}&project=shop&user=nobody").status_code == 404
    assert other.get(f"{why}&project=shop&user=ada").status_code == 403
    assert other.get(f"{why}&project=shop").json()["subject"] == "o"
    assert other.get("/api/stagecraft/v1/access/why").status_code == 400


@pytest.mark.django_db
def test_the_page_of_an_object_says_why(tenants: None) -> None:
    role("viewer", "component:view")
    bind("team", "groups:dev", "viewer", namespace="acme")
    client = Client()
    client.force_login(person("ada", "dev", is_staff=True))
    web = Component.objects.system("test").get(namespace_id="acme", name="shop-web")

    page = client.get(f"/admin/catalog/component/{web.pk}/change/").content.decode()

    assert "AuthzRoleBinding acme/team gives viewer at ns/acme to groups:dev" in page
    assert "give component:update at ns/acme/project/shop/component/shop-web to sub:ada" in page
