"""What a process keeps of somebody's rights is never older than the database."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from guardian.shortcuts import assign_perm, remove_perm

from catalog.access.models import NamespaceUserGrant, PolicyState
from catalog.kinds.component import Component
from catalog.kinds.namespace import Namespace
from portal.access import policy_cache
from portal.access.place import Place
from portal.access.subject import subject_of
from portal.accounts.models import User
from tests.catalog.access.conftest import access_of, bind, person, role, unbind
from tests.factories import ComponentFactory, NamespaceFactory, ProjectFactory

pytestmark = pytest.mark.django_db(transaction=True)
WEB = Place("acme", "shop", component="shop-web")


@pytest.fixture(autouse=True)
def _acme(transactional_db: None) -> None:
    policy_cache.clear()
    NamespaceFactory(name="acme")
    ProjectFactory(name="shop", namespace="acme")
    ComponentFactory(name="shop-web", namespace="acme", project="shop")
    role("viewer", "component:view")
    bind("b", "groups:dev", "viewer", scope={"namespace": "acme", "project": "shop"})


def sees(user: User) -> bool:
    return access_of(user).allows("component:view", WEB)


def queries_of(question: Any) -> list[str]:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        question()
    return [query["sql"] for query in captured]


def test_the_second_question_reads_no_grants() -> None:
    subject = subject_of(person("ann", "dev"))
    (first,) = [sql for sql in queries_of(lambda: policy_cache.policy_of(subject)) if "mine" in sql]
    (second,) = queries_of(lambda: policy_cache.policy_of(subject))
    assert "UNION ALL" in first and "policystate" in second and "UNION" not in second
    assert policy_cache.policy_of(subject) is policy_cache.policy_of(subject)


@pytest.mark.parametrize(
    "revoke",
    [
        lambda ann: unbind("b"),
        lambda ann: role("viewer", "project:view"),
        lambda ann: ann.groups.clear(),
        lambda ann: Group.objects.get(name="groups:dev").delete(),
        lambda ann: role("no", "component:*") and bind("never", "sub:ann", "no", effect="deny"),
        lambda ann: User.objects.filter(pk=ann.pk).update(is_active=False),
    ],
    ids=["binding", "role", "member", "group", "deny", "user"],
)
def test_every_revocation_counts_at_once(revoke: Any) -> None:
    ann = person("ann", "dev")
    assert sees(ann) and sees(ann)
    revoke(ann)
    assert not sees(ann)


def test_a_grant_that_ends_by_itself_ends_in_what_is_kept_too(monkeypatch: Any) -> None:
    bob, acme = person("bob"), Namespace.objects.system("test").get(name="acme")
    row = assign_perm("namespace|component:view", bob, acme)
    NamespaceUserGrant.objects.filter(pk=row.pk).update(expires_at=timezone.now() + timedelta(hours=1))
    assert sees(bob) and sees(bob)
    later = timezone.now() + timedelta(hours=2)
    monkeypatch.setattr(timezone, "now", lambda: later)
    assert not sees(bob)


def test_what_a_transaction_reads_of_itself_is_neither_kept_nor_taken() -> None:
    ann = person("ann", "dev")
    assert sees(ann)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        unbind("b")
        assert not sees(ann)
        raise ZeroDivisionError
    assert sees(ann)
    bob, acme = person("bob"), Namespace.objects.system("test").get(name="acme")
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        assign_perm("namespace|component:view", bob, acme)
        assert sees(bob)
        raise ZeroDivisionError
    # Another change takes the version that was undone.
    assign_perm("namespace|component:view", person("eve"), acme)
    assert not sees(bob)


def test_the_version_that_is_undone_is_not_known_by_its_number_alone() -> None:
    ann = person("ann", "dev")
    assert sees(ann)
    state = PolicyState.objects.get()
    PolicyState.objects.all().delete()
    PolicyState.objects.create(version=state.version)
    assert policy_cache.policy_of(subject_of(ann)).roles != str(state.roles)


def test_different_claims_of_one_user_are_kept_apart() -> None:
    ann = person("ann")
    with_groups, without = subject_of(ann, groups=["dev"]), subject_of(ann)
    assert policy_cache.policy_of(with_groups).rules and not policy_cache.policy_of(without).rules
    assert policy_cache.policy_of(with_groups).rules and not policy_cache.policy_of(without).rules


def test_what_was_read_the_longest_time_ago_makes_room(monkeypatch: Any) -> None:
    monkeypatch.setattr(policy_cache, "RULES_MAX", 8)
    for number in range(20):
        policy_cache.policy_of(subject_of(person(f"user-{number}", "dev")))
    assert len(policy_cache._held) == 4 and policy_cache._count == [8]


def test_a_list_costs_two_queries_whatever_there_is() -> None:
    ann = person("ann", "dev")
    for number in range(30):
        ProjectFactory(name=f"p{number}", namespace="acme")
        ComponentFactory(name=f"c{number}", namespace="acme", project=f"p{number}")
        bind(f"b{number}", "groups:dev", "viewer", scope={"namespace": "acme", "project": f"p{number}"})
    access_of(ann).reaches("component:view")  # reads the roles

    def page() -> None:
        assert len(Component.objects.for_subject(policy_of_now(ann)).order_by("name")[:50]) == 31

    assert len(queries_of(page)) == 2
    assert len(queries_of(page)) == 2
    remove_perm("namespace|component:view", ann, Namespace.objects.system("test").get(name="acme"))
    with transaction.atomic():
        assert len([sql for sql in queries_of(page) if not sql.startswith(("SAVEPOINT", "RELEASE"))]) == 2


def policy_of_now(user: User) -> Any:
    from portal.access.engine import Access

    return Access.of(user)
