"""Conditions at admission, and what their evaluation may cost (attack 10)."""

from __future__ import annotations

import time

import pytest

from catalog.access.conditions import BadCondition, problems_of, tree_of
from catalog.store.errors import Invalid
from portal.access.condition import closure
from tests.catalog.access.conftest import bind

ALLOWED = {
    'resource.environment == "acme/dev"': {"acme/dev": True, "acme/prod": False},
    '!("acme/dev" != resource.environment)': {"acme/dev": True, "acme/prod": False},
    'resource.environment in ["a", "b"] || resource.environment.endsWith("d")': {"a": True, "prod": True, "c": False},
    'resource.environment.matches("^a+$") && true': {"aaa": True, "b": False},
    'resource.environment.startsWith("")': {"anything": True},
    'resource.environment.contains("x") && !resource.environment.contains("y")': {"ax": True, "axy": False},
}


@pytest.mark.parametrize("expression", ALLOWED)
def test_the_subset_is_decided_as_the_language_says(expression: str) -> None:
    test = closure(tree_of(expression))

    assert {value: test({"environment": value}) for value in ALLOWED[expression]} == ALLOWED[expression]


@pytest.mark.parametrize(
    "expression",
    [
        "resource.environment ==",
        'resource["environment"] == "x"',
        'has(resource.environment) && resource.environment == "x"',
        '["a"].all(x, ["b"].all(y, resource.environment == x + y))',
        'resource.environment + "x" == "yx"',
        "size(resource.environment) > 3",
        "resource == 1",
        'other.environment == "x"',
        'resource.environment.deep == "x"',
        "resource.environment == 1",
        'resource.environment.matches("(a")',
        "resource.environment == resource.environment",
        "resource.environment.matches(resource.environment)",
        "resource.environment == '" + "x" * 1_000_000 + "'",
        "(" * 400 + 'resource.environment == "x"' + ")" * 400,
        " || ".join(['resource.environment == "x"'] * 150),
        "resource.environment in [" + ",".join(['"x"'] * 300) + "]",
    ],
    ids=lambda expression: expression[:40],
)
def test_attack_10_whatever_is_not_of_the_subset_is_refused_at_once(expression: str) -> None:
    began = time.perf_counter()

    with pytest.raises(BadCondition):
        tree_of(expression)

    assert time.perf_counter() - began < 0.5


def test_attack_10_an_evil_pattern_costs_no_more_than_its_text() -> None:
    test = closure(tree_of('resource.environment.matches("^(a+)+$")'))
    began = time.perf_counter()

    assert test({"environment": "a" * 5_000 + "!"}) is False
    assert time.perf_counter() - began < 0.05


def test_text_of_users_in_an_expression_is_a_text_and_no_more() -> None:
    with pytest.raises(BadCondition):
        tree_of('resource.environment == "x" || "a" == "a"')


@pytest.mark.parametrize(
    ("actions", "expression", "problem"),
    [
        (["component:view"], 'resource.environment == "x"', "not an attribute of every one of its actions"),
        (["releasebinding:*", "component:view"], 'resource.environment == "x"', "not an attribute"),
        (["releasebinding:view"], 'resource.workflow == "x"', "these are: resource.environment"),
        (["releasebinding:view"], "true", "must depend on an attribute"),
    ],
)
def test_a_condition_may_only_use_what_all_its_actions_have(actions: list[str], expression: str, problem: str) -> None:
    assert problem in next(problems_of({"actions": actions, "expression": expression}))


@pytest.mark.django_db
def test_a_binding_with_a_bad_condition_or_end_is_not_stored(tenants: None) -> None:
    with pytest.raises(Invalid, match=r"conditions\[0\].expression: Invalid value"):
        condition = {"actions": ["releasebinding:*"], "expression": "resource.nope =="}
        bind("a", "groups:dev", "x", namespace="acme", conditions=[condition])
    with pytest.raises(Invalid, match="must be a time"):
        bind("b", "groups:dev", "x", namespace="acme", annotations={"stagecraft.dev/expires-at": "soon"})
