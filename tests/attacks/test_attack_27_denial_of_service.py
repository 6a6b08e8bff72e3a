"""Attack 27: making the server work for what gives nothing: batches, selectors, lists of the rightless, broad rights.

Exec sessions are attack 29's, and an outage of an issuer's keys is that of the tests of outside tokens.
"""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.kinds.component import Component
from portal.access.engine import Access
from portal.access.lookup import RulesByPlace
from portal.access.place import Place
from portal.access.rules import Role, Rule
from portal.access.views import BATCH_MAX
from portal.accounts.models import issue_token
from portal.wire.selectors import LENGTH_MAX, REQUIREMENTS_MAX
from tests.catalog.access.conftest import access_of, bind, person, role
from tests.catalog.api.conftest import ApiClient
from tests.factories import ComponentFactory

pytestmark = pytest.mark.django_db
EVALUATES = "/api/v1/authz/evaluates"
LIST = "/api/v1/namespaces/acme/components"


@pytest.fixture
def eve(tenants: None) -> ApiClient:
    return ApiClient(Client(), issue_token(person("eve"), "tests"))


def question(number: int = 0) -> dict[str, Any]:
    hierarchy = {"namespace": "acme", "project": f"p{number}", "component": "any"}
    return {"resource": {"type": "component", "id": "x", "hierarchy": hierarchy}, "action": "component:view"}


def queries(ask: Any) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        ask()
    return [query["sql"] for query in captured]


# Batches --------------------------------------------------------------------------------------------------------------


def test_a_batch_has_a_limit_and_a_larger_one_is_refused_unread(eve: ApiClient) -> None:
    for many in (BATCH_MAX + 1, 20_000):
        spent = queries(lambda many=many: eve.post(EVALUATES, [question()] * many))
        assert not [sql for sql in spent if "UNION ALL" in sql], "no rights are read for what is refused"
    assert eve.post(EVALUATES, [question()] * (BATCH_MAX + 1)).status_code == 400


def test_the_largest_batch_costs_one_reading_of_rights(eve: ApiClient) -> None:
    replies: list[Any] = []
    spent = queries(lambda: replies.append(eve.post(EVALUATES, [question(number) for number in range(BATCH_MAX)])))
    assert replies[0].status_code == 200 and len(replies[0].json()) == BATCH_MAX
    assert len([sql for sql in spent if "UNION ALL" in sql]) <= 1 and len(spent) < 20


def test_a_body_beyond_the_limit_is_refused(eve: ApiClient, settings: Any) -> None:
    body = b"[" + b" " * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1) + b"]"
    assert eve.post(EVALUATES, body).status_code == 413


# Selectors ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "selector",
    [
        ",".join(f"k{number}=v" for number in range(10_000)),
        ",".join(f"!k{number}" for number in range(REQUIREMENTS_MAX + 1)),
        "k in (" + ",".join(f"v{number}" for number in range(10_000)) + ")",
        "k=" + "v" * LENGTH_MAX,
        "(" * 5_000,
        "," * 8_000,
        "!" * 8_000,
    ],
    ids=["terms", "absences", "values", "length", "brackets", "commas", "negations"],
)
def test_a_selector_that_nobody_writes_is_refused_without_asking_for_rows(eve: ApiClient, selector: str) -> None:
    started = time.perf_counter()
    spent = queries(lambda: None)
    reply = eve.get(f"{LIST}?labelSelector={selector}")
    assert reply.status_code == 400 and "label" in reply.json()["error"], reply.content[:200]
    assert len(reply.content) < 4 * LENGTH_MAX and time.perf_counter() - started < 2 and spent == []


def test_a_selector_as_long_as_is_allowed_is_answered(eve: ApiClient) -> None:
    selector = ",".join(f"k{number}!=v" for number in range(REQUIREMENTS_MAX))
    assert eve.get(f"{LIST}?labelSelector={selector}").status_code == 200


# Lists ----------------------------------------------------------------------------------------------------------------


def test_a_list_by_somebody_without_rights_asks_for_no_row(eve: ApiClient) -> None:
    """The reference reads every object and asks about each. Here it is known that there is nothing to find."""
    for number in range(50):
        ComponentFactory(name=f"c{number}", namespace="acme", project="shop")
    spent = queries(lambda: eve.get(LIST))
    assert not [sql for sql in spent if 'FROM "catalog_component"' in sql]
    assert eve.get(LIST).json() == {"items": [], "pagination": {}}


def test_a_list_costs_the_same_queries_whatever_is_there(eve: ApiClient) -> None:
    role("viewer", "component:view")
    bind("eve", "sub:eve", "viewer", scope={"namespace": "acme", "project": "shop"})
    eve.get(LIST)  # what a process reads once: roles, content types, the token's last use
    few = len(queries(lambda: eve.get(f"{LIST}?limit=100")))
    for number in range(60):
        ComponentFactory(name=f"c{number}", namespace="acme", project="shop")
    assert len(queries(lambda: eve.get(f"{LIST}?limit=100"))) == few


@pytest.mark.parametrize("limit", ["100000", "-1", "0", "99999999999999999999"])
def test_a_page_is_never_larger_than_a_page(eve: ApiClient, limit: str) -> None:
    role("viewer", "component:view")
    bind("eve", "sub:eve", "viewer")
    for number in range(120):
        ComponentFactory(name=f"c{number}", namespace="acme", project="shop")
    reply = eve.get(f"{LIST}?limit={limit}")
    assert reply.status_code == 400 or len(reply.json()["items"]) <= 100


# Rights ---------------------------------------------------------------------------------------------------------------


def test_a_check_looks_at_few_of_many_grants() -> None:
    """Somebody in hundreds of groups costs no more per question than anybody."""
    viewer = Role("viewer", ("component:view",))
    rules = [
        Rule(
            "allow", "project", Place(f"n{number % 100}", f"p{number}"), viewer, "team", False, "group", number, number
        )
        for number in range(60_000)
    ]
    found = RulesByPlace(rules)
    assert len(found.around(Place("n7", "p107", component="x"))) == 1
    assert found.around(Place("elsewhere", "p1", component="x")) == []


def test_a_profile_of_somebody_with_many_grants_is_drawn_in_one_pass(tenants: None) -> None:
    role("viewer", "*")
    person("eve")
    access = access_of(person("eve"))
    viewer = Role("viewer", ("*",))
    rules = tuple(
        Rule("allow", "project", Place("acme", f"p{number}"), viewer, "t", False, "group", number, number)
        for number in range(300)
    )
    access.__dict__["policy"] = type(access.policy)(rules)
    started = time.perf_counter()
    profile = access.profile(Place("acme"))
    assert len(profile) == 159 and time.perf_counter() - started < 5


def test_a_condition_is_bounded_before_it_is_stored(tenants: None) -> None:
    from catalog import store

    role("viewer", "releasebinding:view")
    for expression in (
        " || ".join(['resource.environment == "a"'] * 200),
        "(" * 5000,
        'resource.environment == "' + "x" * 9000 + '"',
    ):
        with pytest.raises(store.StoreError):
            bind(
                "b", "groups:dev", "viewer", conditions=[{"actions": ["releasebinding:view"], "expression": expression}]
            )
    assert Component.objects.for_subject(Access.of(person("eve"))).count() == 0
