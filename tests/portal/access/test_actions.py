"""The registry of actions: the contract's list, how entries of roles cover it, and what conditions may use."""

from __future__ import annotations

from collections import Counter

import pytest

from portal.access.actions import (
    Action,
    action_named,
    common_attributes,
    contract_actions,
    covers,
    expand,
    is_pattern_known,
    register,
)


def test_the_contract_has_159_actions_at_their_lowest_scopes() -> None:
    scopes = Counter(action.lowest_scope for action in contract_actions())

    assert scopes == {"cluster": 41, "namespace": 64, "project": 17, "component": 27, "resource": 10}
    assert all(action.description for action in contract_actions())


@pytest.mark.parametrize(
    ("pattern", "action", "expected"),
    [
        ("*", "component:view", True),
        ("component:*", "component:view", True),
        ("component:*", "componenttype:view", False),
        ("component:view", "component:view", True),
        ("component:view", "component:update", False),
        ("component", "component:view", False),
        ("", "component:view", False),
        (":*", "component:view", False),
    ],
)
def test_an_entry_covers_an_action_by_name_kind_or_altogether(pattern: str, action: str, expected: bool) -> None:
    assert covers(pattern, action) is expected


def test_a_star_stands_for_the_contract_and_an_exact_entry_for_itself() -> None:
    assert len(list(expand("*"))) == 159
    assert sorted(expand("incidents:*")) == ["incidents:update", "incidents:view"]
    assert list(expand("nope:do")) == ["nope:do"]


def test_a_condition_may_use_what_all_its_actions_have() -> None:
    assert common_attributes(["releasebinding:*"]) == {"environment"}
    assert common_attributes(["component:create", "component:delete"]) == {"componentType"}
    assert common_attributes(["component:*"]) == frozenset()  # component:view has none
    assert common_attributes(["releasebinding:view", "component:create"]) == frozenset()
    assert common_attributes(["nope:do"]) == frozenset()


def test_an_extension_is_known_but_not_of_the_contract() -> None:
    assert is_pattern_known("secret:reveal")
    assert not is_pattern_known("secrets:reveal")
    assert action_named("secret:reveal") not in contract_actions()


def test_a_name_cannot_mean_two_things() -> None:
    with pytest.raises(ValueError, match="registered already"):
        register(Action("component:view", "cluster", "Something else"))
