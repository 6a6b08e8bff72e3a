"""Which grants were used when: noted once an hour, written behind the requests, right with several processes."""

from __future__ import annotations

import subprocess
import sys
import timeit
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from catalog.access.models import GrantUse, ProjectGroupGrant
from catalog.kinds.component import Component
from portal.access import usage
from portal.access.engine import Access
from portal.accounts.models import User, issue_token
from tests.catalog.access.conftest import bind, person, role, tenants  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("tenants")]
NOON = datetime(2030, 1, 1, 12, 20, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _no_earlier_notes(monkeypatch: pytest.MonkeyPatch) -> Any:
    usage.forget()
    at(monkeypatch, NOON)
    yield
    usage.forget()


def at(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    monkeypatch.setattr(usage.time, "time", lambda: moment.timestamp())


@pytest.fixture
def ann(tenants: None) -> User:  # noqa: F811
    role("dev", "component:*")
    bind("devs", "groups:devs", "dev", namespace="acme", scope={"project": "shop"})
    bind("others", "groups:others", "dev", namespace="globex")
    return person("ann", "devs")


def get(client: Client, user: User, path: str, method: str = "GET") -> int:
    token = issue_token(user, "test")
    return int(client.generic(method, path, headers={"Authorization": f"Bearer {token}"}).status_code)


WEB = "/api/v1/namespaces/acme/components/shop-web"


def test_a_look_and_a_change_are_noted_for_the_grant_that_let_them(client: Client, ann: User) -> None:
    assert get(client, ann, WEB) == 200
    usage.flush()

    use = GrantUse.objects.get()
    assert (use.table, use.level, use.row) == ("group", "project", ProjectGroupGrant.objects.get().pk)
    assert (use.used_at, use.changed_at) == (NOON.replace(minute=0), None)

    assert get(client, ann, WEB, "DELETE") == 204
    usage.flush()
    assert GrantUse.objects.get().changed_at == NOON.replace(minute=0)


def test_a_list_notes_the_grants_that_it_was_filtered_by(client: Client, ann: User) -> None:
    assert get(client, ann, "/api/v1/namespaces/acme/components") == 200
    usage.flush()
    assert GrantUse.objects.filter(table="group", level="project").exists()


def test_refusals_explanations_and_superusers_use_no_grant(client: Client, ann: User) -> None:
    assert get(client, ann, "/api/v1/namespaces/globex/components/shop-web") == 404
    assert get(client, ann, "/api/stagecraft/v1/access/why?action=component:view&namespace=acme&project=shop") == 200
    assert get(client, User.objects.create_superuser("root", "", "x"), WEB) == 200
    assert usage.flush() == 0


def test_one_grant_is_written_once_an_hour(
    ann: User, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    access = Access.of(ann)
    (rule,) = access.rules_for("component:update")
    for _ in range(1000):
        usage.note(rule, "component:update")
    with django_assert_num_queries(1):
        assert usage.flush() == 1
    usage.note(rule, "component:view")
    assert usage.flush() == 0
    at(monkeypatch, NOON.replace(hour=13))
    usage.note(rule, "component:view")
    assert usage.flush() == 1
    use = GrantUse.objects.get()
    assert (use.used_at.hour, use.changed_at.hour) == (13, 12)  # type: ignore[union-attr]


def test_an_older_note_of_another_process_changes_nothing(ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    (rule,) = Access.of(ann).rules_for("component:update")
    at(monkeypatch, NOON.replace(hour=15))
    usage.note(rule, "component:update")
    usage.flush()

    usage.forget()  # another process, which was slow to write what it noted at noon
    at(monkeypatch, NOON)
    usage.note(rule, "component:update")
    usage.flush()

    use = GrantUse.objects.get()
    assert (use.used_at.hour, use.changed_at.hour) == (15, 15)  # type: ignore[union-attr]


def test_what_could_not_be_written_is_kept(ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    (rule,) = Access.of(ann).rules_for("component:view")
    usage.note(rule, "component:view")
    real = usage.write

    def broken(taken: Any) -> None:
        raise OSError("no database")

    monkeypatch.setattr(usage, "write", broken)
    with pytest.raises(OSError, match="no database"):
        usage.flush()
    monkeypatch.setattr(usage, "write", real)
    assert usage.flush() == 1


def test_an_hours_notes_are_forgotten_when_it_is_over(ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    (rule,) = Access.of(ann).rules_for("component:view")
    usage.note(rule, "component:view")
    at(monkeypatch, NOON.replace(hour=14))
    usage.flush()
    assert usage._noted == {}


def test_a_note_of_what_is_noted_costs_less_than_two_microseconds(ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    (rule,) = Access.of(ann).rules_for("component:view")
    usage.note(rule, "component:view")
    best = min(timeit.repeat(lambda: usage.note(rule, "component:view"), number=10_000, repeat=5)) / 10_000
    assert best < 2e-6, f"{best * 1e6:.2f} µs"


@pytest.mark.django_db(transaction=True)
def test_a_process_writes_by_itself_and_when_it_ends(ann: User) -> None:
    """A real second process: its timer writes while it runs, its end writes the rest."""
    from django.db import connection

    if connection.vendor != "sqlite":
        pytest.skip("the child finds the test's database by its file")
    script = f"""
import os, sys, time
sys.argv = ["child"]
import tests.settings as settings
settings.DATABASES["default"]["NAME"] = {str(connection.settings_dict["NAME"])!r}
settings.GRANT_USE_SECONDS = 0.2
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
import django; django.setup()
from portal.access import usage
from portal.access.engine import Access
from portal.accounts.models import User
(rule,) = Access.of(User.objects.get(username="ann")).rules_for("component:update")
usage.note(rule, "component:view")
from catalog.access.models import GrantUse
for _ in range(100):
    if GrantUse.objects.exists():
        break
    time.sleep(0.05)
print(GrantUse.objects.get().changed_at)
settings.GRANT_USE_SECONDS = 60
usage.note(rule, "component:update")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "None"
    assert GrantUse.objects.get().changed_at is not None


def test_the_use_of_lists_does_not_change_what_they_show(ann: User) -> None:
    seen = Access.of(ann).visible(Component.objects.all())
    assert sorted(seen.values_list("name", flat=True)) == ["shop-api", "shop-web"]
