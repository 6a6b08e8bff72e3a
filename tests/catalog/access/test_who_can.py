"""Who may do something at a place: all of them, each with what gives it, and nobody else."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from guardian.shortcuts import assign_perm

from catalog.kinds.authz_role_binding import EXPIRES
from catalog.kinds.component import Component
from portal.access import who
from portal.access.place import Place
from portal.access.who import Holder, who_can
from portal.accounts.models import User
from tests.catalog.access.conftest import access_of, bind, person, role, token_of
from tests.catalog.api.conftest import ApiClient

pytestmark = pytest.mark.django_db
WEB = Place("acme", "shop", component="shop-web")
WHO_CAN = "/api/stagecraft/v1/access/who-can?action=component:update&namespace=acme&project=shop"


def everyone(action: str, place: Place, attributes: Any = None, limit: int = 100) -> list[Holder]:
    """All pages."""
    found, cursor = [], ""
    while True:
        page = who_can(action, place, attributes or {}, limit=limit, cursor=cursor)
        found += page.holders
        cursor = page.cursor
        if not cursor:
            return found


def names(holders: list[Holder], sort: str = "principal") -> list[str]:
    return [holder.name for holder in holders if holder.sort == sort]


def test_members_own_names_hand_grants_and_superusers_are_found_with_what_gives_it(tenants: None) -> None:
    role("owner", "component:*")
    bind("team", "groups:dev", "owner", namespace="acme", scope={"project": "shop"})
    bind("everywhere", "groups:ops", "owner")
    bind("bot", "sub:bot", "owner", namespace="acme")
    bind("elsewhere", "groups:other", "owner", namespace="globex")
    bind("ghost", "sub:ghost", "owner", namespace="acme")
    person("ada", "dev")
    person("bob", "ops")
    person("eve", "other")
    person("bot", kind="agent")
    person("by-bot", "dev", kind="agent")
    root = User.objects.create_superuser("root")
    hand = person("hand")
    assign_perm(
        "component|component:update", hand, Component.objects.system("test").get(name="shop-web", namespace_id="acme")
    )

    found = everyone("component:update", WEB)

    assert names(found) == ["ada", "bob", "bot", "hand", "root"]
    assert names(found, "entitlement") == ["groups:dev", "groups:ops", "sub:ghost"]
    by_name = {holder.name: holder for holder in found}
    assert [rule.place.path for rule in by_name["ada"].rules] == ["ns/acme/project/shop"]
    assert by_name["hand"].rules[0].table == "user"
    assert (by_name["root"].decision.because, by_name["root"].rules) == ("break-glass", ())
    assert (by_name["groups:dev"].members, by_name["sub:ghost"].members) == (2, 0)
    assert root.is_active


def test_denies_ends_conditions_and_inactive_accounts_count(tenants: None) -> None:
    role("deployer", "releasebinding:*")
    condition = {"actions": ["releasebinding:*"], "expression": 'resource.environment != "acme/prod"'}
    bind("dev", "groups:dev", "deployer", namespace="acme", conditions=[condition])
    bind("ops", "groups:ops", "deployer", namespace="acme")
    bind("no-ops", "groups:ops", "deployer", namespace="acme", scope={"project": "shop"}, effect="deny")
    bind("over", "groups:old", "deployer", namespace="acme", annotations={EXPIRES: "2020-01-01T00:00:00Z"})
    bind("no-eve", "sub:eve", "deployer", effect="deny")
    for name, group in (("ada", "dev"), ("bob", "ops"), ("carl", "old"), ("eve", "dev"), ("fred", "dev")):
        person(name, group)
    User.objects.filter(username="fred").update(is_active=False)

    assert names(everyone("releasebinding:update", WEB, {"environment": "acme/dev"})) == ["ada"]
    assert names(everyone("releasebinding:update", WEB, {"environment": "acme/prod"})) == []
    assert names(everyone("releasebinding:update", WEB)) == []
    assert names(everyone("releasebinding:update", Place("acme", "bank"))) == ["bob"]


def test_pages_are_of_the_asked_size_and_miss_nobody(tenants: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(who, "CHUNK", 3)
    role("owner", "component:*")
    for group in ("a", "b", "c"):
        bind(group, f"groups:{group}", "owner", namespace="acme")
    bind("denied", "sub:u04", "owner", namespace="acme", effect="deny")
    for number in range(12):
        person(f"u{number:02}", "abc"[number % 3])

    for limit in (1, 2, 4, 100):
        found = everyone("component:view", WEB, limit=limit)
        assert names(found, "entitlement") == ["groups:a", "groups:b", "groups:c"]
        assert names(found) == [f"u{number:02}" for number in range(12) if number != 4]


def test_the_number_of_queries_does_not_follow_the_number_of_users_and_grants(tenants: None) -> None:
    role("owner", "component:*")

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            who_can("component:view", WEB, {})
        return len(asked)

    bind("g", "groups:g", "owner", namespace="acme")
    person("first", "g")
    queries()  # the roles are read once
    few = queries()
    for number in range(30):
        bind(f"g{number}", f"groups:g{number}", "owner", namespace="acme")
        person(f"u{number}", f"g{number}")
    queries()
    assert queries() == few


def test_over_rest_the_right_to_see_it_is_needed_at_that_place(tenants: None) -> None:
    role("owner", "component:*")
    role("watcher", "authz:view")
    bind("team", "groups:dev", "owner", namespace="acme", scope={"project": "shop"})
    bind("lead", "groups:leads", "watcher", namespace="acme", scope={"project": "shop"})
    person("ada", "dev")
    lead = ApiClient(Client(), token_of(person("lead", "leads")))

    reply = lead.get(WHO_CAN)
    assert reply.status_code == 200
    assert [item.get("name") or item["entitlement"] for item in reply.json()["items"]] == [
        {"claim": "groups", "value": "dev"},
        "ada",
    ]
    assert reply.json()["items"][1]["reason"] == (
        "AuthzRoleBinding acme/team gives owner at ns/acme/project/shop to groups:dev"
    )
    assert lead.get(WHO_CAN.replace("project=shop", "project=bank")).status_code == 403
    assert ApiClient(Client(), token_of(User.objects.get(username="ada"))).get(WHO_CAN).status_code == 403
    assert lead.get(WHO_CAN + "&cursor=nonsense").status_code == 400
    first = lead.get(WHO_CAN + "&limit=1").json()
    assert len(first["items"]) == 1
    rest = lead.get(f"{WHO_CAN}&limit=1&cursor={first['pagination']['nextCursor']}").json()
    assert rest["items"][0]["name"] == "ada"


def test_the_command_names_everyone(tenants: None) -> None:
    role("owner", "component:*")
    bind("team", "groups:dev", "owner", namespace="acme")
    person("ada", "dev")
    said = StringIO()

    call_command("who-can", "component:update", "--namespace=acme", stdout=said)

    text = said.getvalue()
    assert "whoever is groups:dev (1 here)" in text
    assert "ada (human)\n  allow  ClusterAuthzRole owner\n" in text
    assert "binding  AuthzRoleBinding acme/team" in text
    assert text.endswith("2 may do component:update\n")
    assert access_of(User.objects.get(username="ada")).allows("component:update", WEB)
