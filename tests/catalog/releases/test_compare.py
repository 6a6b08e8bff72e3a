"""What differs between releases, and between environments."""

from __future__ import annotations

import pytest

from catalog.releases.compare import Difference, NotBound, compare_environments, compare_releases, differences
from catalog.releases.promote import promote
from tests.catalog.controllers import components as c
from tests.catalog.controllers import installation as it
from tests.catalog.controllers.installation import TESTER


def found(left: object, right: object) -> list[tuple[str, object, object]]:
    return [(item.path, item.left, item.right) for item in differences(left, right)]


def test_equal_documents_do_not_differ() -> None:
    assert found({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}) == []


def test_a_changed_an_added_and_a_removed_field_are_one_difference_each() -> None:
    left, right = {"same": 1, "changed": 1, "gone": 1}, {"same": 1, "changed": 2, "new": 1}
    assert found(left, right) == [("changed", 1, 2), ("gone", 1, None), ("new", None, 1)]


def test_entries_of_lists_are_matched_by_what_names_them() -> None:
    left = {"env": [{"key": "A", "value": "1"}, {"key": "B", "value": "2"}]}
    right = {"env": [{"key": "C", "value": "3"}, {"key": "A", "value": "9"}]}
    assert found(left, right) == [
        ("env[A].value", "1", "9"),
        ("env[B]", {"key": "B", "value": "2"}, None),
        ("env[C]", None, {"key": "C", "value": "3"}),
    ]


def test_a_mere_change_of_order_is_told_as_such() -> None:
    left = [{"instanceName": "a", "name": "x"}, {"instanceName": "b", "name": "x"}]
    assert found({"traits": left}, {"traits": left[::-1]}) == [("traits (order)", ["a", "b"], ["b", "a"])]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ([1, 2], [2, 1]),
        ([{"name": "a"}, {"name": "a"}], [{"name": "a"}]),
        ("text", ["text"]),
        ({"a": 1}, [1]),
    ],
)
def test_what_has_no_names_or_another_form_differs_as_a_whole(left: object, right: object) -> None:
    assert found({"x": left}, {"x": right}) == [("x", left, right)]


@pytest.fixture
def deployed(db: None) -> None:
    c.install()
    c.deploy(image="web:1")
    promote(c.component(), "staging", TESTER)


@pytest.mark.usefixtures("deployed")
def test_two_releases_differ_in_what_was_changed_between_them() -> None:
    c.apply_workload(image="web:2")
    c.settle()
    first, second = (it.get("ComponentRelease", name) for name in c.releases())
    assert compare_releases(first, second) == [Difference("workload.container.image", "web:1", "web:2")]


@pytest.mark.usefixtures("deployed")
def test_two_environments_differ_in_content_and_in_settings() -> None:
    assert compare_environments(c.component(), "development", "staging").is_same
    c.apply_workload(image="web:2")
    c.apply_binding("", "staging", spec={"componentTypeEnvironmentConfigs": {"replicas": 3}})
    c.settle()
    comparison = compare_environments(c.component(), "development", "staging")
    assert not comparison.is_same
    assert comparison.left_release == c.binding("development").spec["releaseName"]
    assert comparison.right_release == c.binding("staging").spec["releaseName"]
    assert comparison.content == [Difference("workload.container.image", "web:2", "web:1")]
    assert comparison.settings == [Difference("componentTypeEnvironmentConfigs", None, {"replicas": 3})]


@pytest.mark.usefixtures("deployed")
def test_what_runs_nothing_cannot_be_compared() -> None:
    with pytest.raises(NotBound, match='component "web" has no binding in environment "production"'):
        compare_environments(c.component(), "development", "production")
    c.apply_binding("absent", "production")
    with pytest.raises(NotBound, match='ComponentRelease "absent" of environment "production" not found'):
        compare_environments(c.component(), "development", "production")
