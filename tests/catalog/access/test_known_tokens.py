"""What a process keeps of an access token is never older than the database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.access import policy_version
from portal.access import known_tokens
from portal.accounts import tokens
from portal.accounts.models import AccessToken, User, issue_token
from portal.accounts.principals import make_agent, make_person, set_active
from tests.factories import NamespaceFactory

pytestmark = pytest.mark.django_db(transaction=True)
PATH = "/api/v1/namespaces"


@pytest.fixture(autouse=True)
def _as_a_new_process(transactional_db: None) -> None:
    known_tokens.clear()
    NamespaceFactory(name="acme")


@pytest.fixture
def ada() -> User:
    return make_person("ada", is_superuser=True)


@pytest.fixture
def bot(ada: User) -> User:
    return make_agent("bot", owner=make_person("olga"))


def status(token: str) -> int:
    return Client().get(PATH, headers={"Authorization": f"Bearer {token}"}).status_code


def tables_asked(token: str) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        assert status(token) == 200
    return [query["sql"] for query in captured if "policystate" in query["sql"] or "accounts_" in query["sql"]]


def test_a_token_that_is_known_costs_one_look_at_the_moment(ada: User) -> None:
    token = issue_token(ada, "laptop")
    assert any("accesstoken" in sql for sql in tables_asked(token))
    (again,) = tables_asked(token)
    assert "policystate" in again


def rows(**of: Any) -> Any:
    return AccessToken.objects.filter(**of)


ENDS: dict[str, Callable[[User], Any]] = {
    "revoked": lambda ada: revoked(ada),
    "revoked by hand": lambda ada: in_sql("UPDATE accounts_accesstoken SET revoked_at = created_at"),
    "ended early": lambda ada: rows(user=ada).update(expires_at=timezone.now()),
    "deleted": lambda ada: rows(user=ada).delete(),
    "deleted by hand": lambda ada: in_sql("DELETE FROM accounts_accesstoken"),
    "another's digest": lambda ada: rows(user=ada).update(digest="0" * 64),
    "its user shut out": lambda ada: set_active(ada, False),
    "its user ended": lambda ada: User.objects.filter(pk=ada.pk).update(expires_at=timezone.now()),
    "its user deleted": lambda ada: ada.delete(),
}


def revoked(ada: User) -> None:
    with transaction.atomic():
        tokens.revoke(rows(user=ada))


def in_sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
def test_every_end_of_a_token_counts_at_the_next_request(ada: User, end: Callable[[User], Any]) -> None:
    token = issue_token(ada, "laptop")
    assert [status(token), status(token)] == [200, 200]
    end(ada)
    assert status(token) == 401


def test_an_agents_token_ends_with_its_owner_and_with_whom_it_acts_for(ada: User, bot: User) -> None:
    token = issue_token(bot, "own")
    assert [status(token), status(token)] == [200, 200]
    set_active(User.objects.get(username="olga"), False)
    assert status(token) == 401
    set_active(User.objects.get(username="olga"), True)
    for_ada = issue_token(bot, "for ada", on_behalf_of=ada)
    assert [status(for_ada), status(for_ada)] == [200, 200]
    set_active(ada, False)
    assert status(for_ada) == 401


def test_time_alone_ends_a_token_that_is_known(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    token = issue_token(ada, "laptop", timezone.now() + timedelta(hours=1))
    assert [status(token), status(token)] == [200, 200]
    later = timezone.now() + timedelta(hours=2)
    monkeypatch.setattr(timezone, "now", lambda: later)
    assert status(token) == 401


def test_a_token_that_is_narrowed_is_narrow_at_the_next_request(ada: User) -> None:
    token = issue_token(ada, "laptop")

    def seen() -> list[str]:
        reply = Client().get(PATH, headers={"Authorization": f"Bearer {token}"})
        return [item["metadata"]["name"] for item in reply.json()["items"]]

    assert "acme" in seen() and "acme" in seen()
    rows(user=ada).update(actions=["component:view"])
    assert seen() == []


def test_somebody_who_is_no_superuser_any_more_is_none_at_the_next_request(ada: User) -> None:
    token = issue_token(ada, "laptop")
    path, headers = f"{PATH}/acme", {"Authorization": f"Bearer {token}"}
    assert [Client().get(path, headers=headers).status_code for _ in range(2)] == [200, 200]
    User.objects.filter(pk=ada.pk).update(is_superuser=False)
    assert Client().get(path, headers=headers).status_code == 404


def test_what_a_request_notes_on_its_user_does_not_meet_the_next(ada: User) -> None:
    token = issue_token(ada, "laptop")
    known_tokens.lookup(token)
    first, second = (known_tokens.lookup(token)[0] for _ in range(2))
    assert first is not None and second is not None and first.user == second.user
    first.user._perm_cache = {"everything"}  # as Django does
    first.user.is_superuser = False
    assert not hasattr(second.user, "_perm_cache")
    assert second.user.is_superuser


def test_a_transaction_that_is_undone_leaves_nothing(ada: User) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        token = issue_token(ada, "laptop")
        assert known_tokens.lookup(token)[0] is not None
        raise ZeroDivisionError
    assert status(token) == 401
    token = issue_token(ada, "laptop")
    assert status(token) == 200
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        tokens.revoke(rows(user=ada))
        assert known_tokens.lookup(token)[0] is None
        raise ZeroDivisionError
    assert status(token) == 200


def test_nothing_is_kept_where_the_database_does_not_count(ada: User) -> None:
    token = issue_token(ada, "laptop")
    held = policy_version.installed(connection)
    name, table = next((name, table) for name, table in held.items() if "accesstoken_update" in name)
    policy_version.drop(connection, {name: table})
    try:
        assert status(token) == 200
        assert any("accesstoken" in sql for sql in tables_asked(token))
    finally:
        policy_version.install("default")


def test_the_use_of_a_known_token_is_noted_to_the_minute(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    token = issue_token(ada, "laptop")
    assert [status(token), status(token)] == [200, 200]
    first = rows(user=ada).get().last_used_at
    later = timezone.now() + timedelta(minutes=5)
    monkeypatch.setattr(timezone, "now", lambda: later)
    assert [status(token), status(token)] == [200, 200]
    assert rows(user=ada).get().last_used_at == later > first


def test_the_oldest_make_room(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_tokens, "TOKENS_MAX", 3)
    for number in range(10):
        assert status(issue_token(ada, f"t{number}")) == 200
    assert len(known_tokens._held) == 3
