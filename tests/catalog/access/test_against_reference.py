"""Random policies and questions: engine and slow reference say the same, for checks, lists, profiles and who-can."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from catalog.access.hierarchy import attributes_of, place_of
from portal.access.actions import contract_actions
from portal.access.engine import Access
from portal.access.place import Place
from portal.access.subject import Subject, entitlement, subject_of
from portal.access.who import PRINCIPAL, who_can
from portal.accounts.models import User
from tests.catalog.access import reference
from tests.catalog.access.policies import (
    KINDS,
    PEOPLE,
    PLACES,
    VERBS,
    RandomPolicy,
    applied,
    policies,
    world,  # noqa: F401
)

ALL_ACTIONS = [action.name for action in contract_actions()]
PROFILED = (Place(), Place("acme"), Place("acme", "shop"), Place("globex", "bank", component="bank-api"))
ENVIRONMENTS = ("", "acme/dev", "acme/prod", "globex/dev")
by_claims = st.builds(
    reference.Asker,
    st.sets(st.sampled_from(["groups:a", "groups:b", "sub:ada", "sub:bot"]), min_size=1).map(frozenset),
    st.sampled_from([False, False, True]),
)
askers = st.one_of(by_claims, st.builds(replace, by_claims, behind=by_claims))
questions = st.tuples(
    st.sampled_from(["component:view", "component:update", "releasebinding:update", "authzrole:update", "*"]),
    st.sampled_from(PLACES),
    st.sampled_from(ENVIRONMENTS),
)


@dataclass
class Tally:
    """How much has been compared."""

    policies: int = 0
    checks: int = 0
    allowed: int = 0
    lists: int = 0
    profiles: int = 0
    asked_who: int = 0
    holders: int = 0

    def __str__(self) -> str:
        return (
            f"{self.policies} policies: {self.checks} checks ({self.allowed} allowed), {self.lists} lists,"
            f" {self.profiles} profiles, {self.asked_who} times who-can ({self.holders} holders); 0 differences"
        )


def subject_of_asker(asker: reference.Asker) -> Subject:
    """The asker as the engine's subject: known by its claims only."""
    names = frozenset(entitlement(*claim.split(":", 1)) for claim in asker.claims)
    behind = None if asker.behind is None else subject_of_asker(asker.behind)
    return Subject(None, "ada", "agent" if asker.is_agent else "human", names, acting_for=behind)


def account_asker(user: User) -> reference.Asker:
    """An account as an asker of the reference."""
    _, kind, groups, fields = next(row for row in PEOPLE if row[0] == user.username)
    return reference.Asker(
        frozenset({f"sub:{user.username}", f"user:{user.username}", *(f"groups:{group}" for group in groups)}),
        is_agent=kind == "agent",
        is_superuser=fields.get("is_superuser", False),
        is_active=fields.get("is_active", True),
    )


def lines_of(policy: RandomPolicy) -> list[reference.Line]:
    """The policy as the reference reads it.

    Difference: what is given on an object that does not exist gives nothing, instead of waiting for its name.
    """
    lines = reference.lines_of(policy.roles, policy.bindings)
    lines = [line for line in lines if "gone" not in line.path and "shop/component/bank-api" not in line.path]
    return lines + [reference.Line(grant.holder, grant.place.path, (grant.action,)) for grant in policy.by_hand]


def compare(
    policy: RandomPolicy,
    asker: reference.Asker,
    asked: list[tuple[str, Place, str]],
    tally: Tally,
    *,
    is_strict: bool = False,
) -> None:
    """All questions about one policy, on both sides. Raises `AssertionError` at the first difference."""
    with applied(policy):
        lines = lines_of(policy)
        access = Access(subject_of_asker(asker))
        tally.policies += 1
        for model in KINDS:
            rows = list(model.objects.system("both opinions on each"))
            for verb in VERBS:
                action = f"{model.kind.lower()}:{verb}"
                listed = set(access.filter(model.objects.all(), action).values_list("pk", flat=True))
                tally.lists += 1
                for obj in rows:
                    place = place_of(obj.kind, obj.namespace_name, obj.name, obj.spec, obj.labels)
                    attributes = attributes_of(obj.kind, obj.namespace_name, obj.spec)
                    said = reference.is_allowed(lines, asker, action, place.path, attributes, is_strict=is_strict)
                    assert access.allows(action, place, attributes) is said, (action, place)
                    assert (obj.pk in listed) is said, (action, place, "in the list")
                    if attributes:
                        said = reference.is_allowed(lines, asker, action, place.path, {}, is_strict=is_strict)
                        assert access.allows(action, place) is said, (action, place, "without attributes")
                    tally.checks += 1 + bool(attributes)
                    tally.allowed += said
        if asker.behind is None:
            for place in PROFILED:
                assert shown(access, place) == reference.profile(lines, asker, place.path, ALL_ACTIONS)
                tally.profiles += 1
        for action, place, environment in asked:
            compare_who(lines, action, place, {"environment": environment} if environment else {}, tally, is_strict)


def compare_who(
    lines: list[reference.Line], action: str, place: Place, attributes: dict[str, str], tally: Tally, is_strict: bool
) -> None:
    """who_can(action, place) == {user | check(user)} == {user | the reference says so}."""
    found = {holder.name for holder in who_can(action, place, attributes).holders if holder.sort == PRINCIPAL}
    users = list(User.objects.select_related("owner"))
    by_check = {user.username for user in users if Access(subject_of(user)).allows(action, place, attributes)}
    assert found == by_check, (action, place, attributes)
    if place.project or not place.component:  # the texts of the contract know no component without its project
        known = [user for user in users if any(user.username == row[0] for row in PEOPLE)]
        by_reference = {
            user.username
            for user in known
            if reference.is_allowed(lines, account_asker(user), action, place.path, attributes, is_strict=is_strict)
        }
        assert found == by_reference, (action, place, attributes)
    tally.asked_who += 1
    tally.holders += len(found)


def shown(access: Access, asked: Place) -> Any:
    def sets(paths: Any) -> Any:
        return {path: None if expressions is None else set(expressions) for path, expressions in paths.items()}

    return {
        action: {"allow": sets(capability.allowed), "deny": sets(capability.denied)}
        for action, capability in access.profile(asked).items()
    }


def run(count: int, generated: st.SearchStrategy[RandomPolicy]) -> Tally:
    """Compare so many random policies."""
    tally = Tally()

    @limits(
        max_examples=count,
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(
        generated,
        askers,
        st.lists(questions, min_size=1, max_size=1),
        st.sampled_from([False, False, False, True]),
    )
    def each(policy: RandomPolicy, asker: reference.Asker, asked: Any, is_strict: bool) -> None:
        with override_settings(STRICT_DENY=is_strict):
            compare(policy, asker, asked, tally, is_strict=is_strict)

    each()
    return tally


@pytest.mark.django_db
def test_engine_and_reference_agree(world: None) -> None:  # noqa: F811
    tally = run(100, st.one_of(policies(6), policies(8, min_bindings=3, has_all_roles=True)))

    assert tally.policies >= 100
    assert tally.allowed > 0


def test_the_reference_knows_nothing_of_the_engine() -> None:
    tree = ast.parse(Path(reference.__file__).read_text())
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert imported == {"__future__", "collections.abc", "dataclasses", "typing", "catalog.compiler.cel"}
