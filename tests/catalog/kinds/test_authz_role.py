"""Roles name actions that there are: a slip is refused, with its place and what may have been meant."""

from __future__ import annotations

from typing import Any

import pytest

from catalog import store
from catalog.kinds.cluster_authz_role import ClusterAuthzRole
from portal.access.actions import all_actions
from tests.catalog.access.conftest import role
from tests.factories import NamespaceFactory

pytestmark = pytest.mark.django_db


def refused(*actions: str, namespace: str = "") -> list[tuple[str, str]]:
    with pytest.raises(store.Invalid) as caught:
        role("slip", *actions, namespace=namespace)
    return [(error.path, error.message) for error in caught.value.errors]


@pytest.mark.parametrize("namespace", ["", "acme"])
def test_an_unknown_action_is_refused_with_its_place_and_a_suggestion(namespace: str) -> None:
    if namespace:
        NamespaceFactory(name=namespace)
    assert refused("component:view", "componet:view", namespace=namespace) == [
        ("spec.actions[1]", '"componet:view" is not an action: did you mean "component:view"?')
    ]
    assert not ClusterAuthzRole.objects.system("test").exists()


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("component:delte", "component has create, delete, exec, update, view"),
        ("component", 'did you mean "component:'),
        ("componet:*", 'did you mean "component:*"?'),
        ("*:view", "is not an action"),
        ("component:v*", "component has"),
        ("component:*:view", "component has"),
        ("**", "an action is kind:verb"),
        ("Component:view", 'did you mean "component:view"?'),
        (" component:view", 'did you mean "component:view"?'),
        ("", "an action is kind:verb"),
        (":*", "is not an action"),
    ],
)
def test_neither_are_wildcards_that_match_nothing_taken(entry: str, said: str) -> None:
    ((path, message),) = refused(entry)
    assert path == "spec.actions[0]" and said in message, message


def test_every_action_and_every_kind_and_everything_can_be_named() -> None:
    names = {action.name for action in all_actions()}
    kinds = {f"{action.kind}:*" for action in all_actions()}
    assert role("all", *sorted(names), *sorted(kinds), "*")
    assert "portal-assistant:invoke" in names, "the default roles of the reference name it"


def test_a_role_that_has_held_an_unknown_action_may_keep_it_but_gains_none() -> None:
    held: Any = role("old", "component:view")
    ClusterAuthzRole.objects.system("test").update(spec={"actions": ["component:view", "gone:verb"]})
    assert role("old", "component:view", "gone:verb", "project:view").generation == held.generation + 1
    with pytest.raises(store.Invalid, match=r"spec\.actions\[2\]"):
        role("old", "component:view", "gone:verb", "gone:other")
