"""The database counts every change of who may do what, by whichever means it was made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.utils import timezone
from guardian.shortcuts import assign_perm, remove_perm

from catalog.access import policy_version
from catalog.access.models import NamespaceGroupGrant, PolicyException, PolicyState
from catalog.kinds.namespace import Namespace
from portal.access.holding import hold_policy
from portal.accounts.models import User
from tests.catalog.access.conftest import access_of, bind, person, role, unbind

pytestmark = pytest.mark.django_db
VIEW = "namespace|component:view"


def version() -> int:
    return PolicyState.objects.get().version


def moves(change: Callable[[], Any]) -> bool:
    before = version()
    change()
    return version() > before


@pytest.fixture
def acme(tenants: None) -> Any:
    return Namespace.objects.system("test").get(name="acme")


def test_grants_by_guardians_tools_count(acme: Any) -> None:
    ann, team = person("ann"), Group.objects.create(name="team")
    assert moves(lambda: assign_perm(VIEW, ann, acme))
    assert moves(lambda: assign_perm(VIEW, team, acme))
    assert moves(lambda: remove_perm(VIEW, ann, acme))
    assert moves(lambda: remove_perm(VIEW, team, acme))


def test_rows_that_are_written_in_bulk_or_by_hand_count(acme: Any) -> None:
    team = Group.objects.create(name="team")
    assign_perm(VIEW, team, acme)
    row = NamespaceGroupGrant.objects.get(group=team)
    rows = NamespaceGroupGrant.objects.filter(pk=row.pk)
    assert moves(lambda: rows.update(expires_at=timezone.now()))
    assert moves(lambda: rows._raw_delete("default"))
    row.pk = None
    assert moves(lambda: NamespaceGroupGrant.objects.bulk_create([row]))
    with connection.cursor() as cursor:
        assert moves(lambda: cursor.execute("DELETE FROM catalog_namespacegroupgrant"))


def test_members_of_groups_count(acme: Any) -> None:
    ann, team = person("ann"), Group.objects.create(name="team")
    assert moves(lambda: ann.groups.add(team))
    assert moves(lambda: ann.groups.remove(team))
    assert moves(lambda: team.user_set.add(ann))
    assert moves(lambda: team.user_set.clear())
    through = User.groups.through
    assert moves(lambda: through.objects.bulk_create([through(user=ann, group=team)]))
    assert moves(lambda: setattr(team, "name", "others") or team.save())
    assert moves(lambda: team.delete())


@pytest.mark.parametrize(
    "change",
    [{"is_active": False}, {"is_superuser": True}, {"expires_at": timezone.now()}],
    ids=lambda it: next(iter(it)),
)
def test_what_makes_somebody_another_counts_and_signing_in_does_not(acme: Any, change: dict[str, Any]) -> None:
    ann = person("ann")
    rows = User.objects.filter(pk=ann.pk)
    assert not moves(lambda: rows.update(last_login=timezone.now(), first_name="Ann"))
    assert not moves(lambda: rows.update(is_active=True))
    assert moves(lambda: rows.update(**change))


def test_bindings_roles_and_their_conditions_count(acme: Any) -> None:
    in_dev = [{"actions": ["releasebinding:*"], "expression": 'resource.environment == "acme/dev"'}]
    assert moves(lambda: role("dev", "releasebinding:*"))
    assert moves(lambda: bind("b", "groups:dev", "dev", conditions=in_dev))
    assert moves(lambda: role("dev", "releasebinding:view"))
    assert moves(lambda: PolicyException.objects.system("test").update(expires_at=timezone.now()))
    assert moves(lambda: unbind("b"))


def test_the_end_of_a_person_or_of_an_object_that_grants_hang_on_counts(acme: Any) -> None:
    ann = person("ann")
    assign_perm(VIEW, ann, acme)
    assert moves(lambda: ann.delete())
    ben = person("ben")
    assign_perm("component|component:view", ben, acme_component())
    assert moves(lambda: acme_component().delete())


def acme_component() -> Any:
    from catalog.kinds.component import Component

    return Component.objects.system("test").get(namespace_id="acme", name="shop-web")


@pytest.mark.skipif(
    "'sqlite' in __import__('django.conf').conf.settings.DATABASES['default']['ENGINE']", reason="counts rows"
)
def test_a_statement_that_changes_nothing_counts_nothing(acme: Any) -> None:
    assert not moves(lambda: NamespaceGroupGrant.objects.filter(pk=-1).delete())
    assert not moves(lambda: NamespaceGroupGrant.objects.filter(pk=-1).update(is_manual=True))
    assert not moves(lambda: acme_component().delete()), "nothing was given on it"


def test_triggers_come_back_once_they_were_out_of_the_way(acme: Any) -> None:
    held = policy_version.installed(connection)
    policy_version.make_way("default")
    assert bool(policy_version.installed(connection)) == (connection.vendor == "postgresql")
    policy_version.install("default")
    policy_version.install("default")
    assert policy_version.installed(connection) == held and len(held) == 3 * 12 + 4


def test_a_trigger_that_is_no_longer_what_it_should_be_is_made_anew(acme: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy_version, "SAYS_WHO", ("is_active",))
    ann = person("ann")
    policy_version.install("default")
    assert not moves(lambda: User.objects.filter(pk=ann.pk).update(is_superuser=True))
    monkeypatch.undo()
    policy_version.install("default")
    assert moves(lambda: User.objects.filter(pk=ann.pk).update(is_superuser=False))


def test_holding_the_policy_reads_anew_only_what_has_moved(acme: Any, django_assert_num_queries: Any) -> None:
    from django.db import transaction

    role("dev", "component:view")
    bind("b", "groups:dev", "dev", scope={"namespace": "acme"})
    access = access_of(person("ann", "dev"))
    assert access.reaches("component:view")
    with transaction.atomic(), django_assert_num_queries(1):
        hold_policy(access)
        assert access.reaches("component:view")
    unbind("b")
    with transaction.atomic():
        hold_policy(access)
        assert not access.reaches("component:view")
