"""Lists of those who hold thousands of scopes: the same rows as by single checks, on either form of the query."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.kinds.component import Component
from portal.access import membership
from portal.access.membership import one_of
from portal.access.place import Place
from tests.catalog.access.conftest import access_of, bind, person, role

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("placeholders_max", [0, 2000])
def test_what_is_listed_is_what_single_checks_allow(tenants: None, monkeypatch: Any, placeholders_max: int) -> None:
    monkeypatch.setattr(membership, "PLACEHOLDERS_MAX", placeholders_max)
    role("viewer", "component:view")
    bind("a", "groups:dev", "viewer", scope={"namespace": "acme", "project": "shop"})
    bind("b", "groups:dev", "viewer", scope={"namespace": "globex"})
    bind("c", "sub:ann", "viewer", scope={"namespace": "globex", "project": "bank"}, effect="deny")
    access = access_of(person("ann", "dev"))
    listed = {str(row) for row in Component.objects.for_subject(access)}
    checked = {str(row) for row in Component.objects.system("test") if access.may("view", row)}
    assert listed == checked == {"acme/shop-web", "acme/shop-api", "globex/shop-web", "globex/shop-api"}


@pytest.mark.parametrize("placeholders_max", [0, 2000])
def test_a_row_without_the_column_is_none_of_many_and_not_one_of_them(
    tenants: None, monkeypatch: Any, placeholders_max: int
) -> None:
    """A component whose project is gone: a deny elsewhere must not hide it, a grant elsewhere not show it."""
    monkeypatch.setattr(membership, "PLACEHOLDERS_MAX", placeholders_max)
    rows = Component.objects.system("test").filter(namespace_id="acme")
    rows.filter(name="bank-web").update(project=None)
    shop = rows.get(name="shop-web").project_id
    inside, outside = rows.filter(one_of("project_id", [shop])), rows.filter(~one_of("project_id", [shop]))
    assert {row.name for row in inside} == {"shop-web", "shop-api"}
    assert {row.name for row in outside} == {"bank-web", "bank-api"}
    assert not rows.filter(one_of("project_id", [])).exists()


def test_ten_thousand_scopes_are_one_parameter_or_few(tenants: None, django_assert_num_queries: Any) -> None:
    wanted = range(1, 10_001)
    query = Component.objects.system("test").filter(one_of("project_id", wanted))
    with django_assert_num_queries(1):
        assert len(query) == 8
    assert len(query.query.sql_with_params()[1]) == 1


def test_rules_are_found_by_place_as_place_contains_says(tenants: None) -> None:
    """The lookup that spares a check the thousands of other grants leaves none out that would count."""
    from portal.access.lookup import RulesByPlace
    from portal.access.rules import Role, Rule

    places = [
        Place(),
        *(Place(n, p, component=c, resource=r) for n in ("a", "b") for p in ("", "x", "y")
          for c, r in (("", ""), ("k", ""), ("", "k"), ("l", "")) if n),
    ]  # fmt: skip
    rules = [Rule("allow", place.level, place, Role("r", ("*",)), "", True, "user", 1, 1) for place in places]
    found = RulesByPlace(rules)
    for asked in places:
        holding = [rule for rule in rules if rule.place.contains(asked)]
        around = [rule for rule in found.around(asked) if rule.place.contains(asked)]
        assert around == holding, asked
