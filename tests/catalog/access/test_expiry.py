"""What has expired gives nothing at once, stays to be seen for a while, and is then removed with an event."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from guardian.shortcuts import assign_perm

from catalog import store
from catalog.access import expiry, grant_rows
from catalog.access.models import GrantUse, ProjectGroupGrant, ProjectUserGrant
from catalog.access.permissions import role_permission
from portal.access.place import Place
from portal.audit.models import AuditEvent
from tests.catalog.access.conftest import access_of, bind, person, role, tenants  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("tenants")]
SHOP = Place("acme", "shop")
DAY = timedelta(days=1)


@pytest.fixture
def shop(tenants: None) -> Any:  # noqa: F811
    return store.get("Project", "acme", "shop")


def ended(ago: timedelta) -> dict[str, Any]:
    return {"annotations": {"stagecraft.dev/expires-at": (timezone.now() - ago).isoformat()}}


def events() -> list[AuditEvent]:
    return list(AuditEvent.objects.system("test").filter(actor="system:expiry").order_by("id"))


def test_an_expired_binding_stays_to_be_seen_and_then_its_document_goes(shop: Any) -> None:
    role("viewer", "component:view")
    bind("old", "groups:crew", "viewer", namespace="acme", scope={"project": "shop"}, **ended(8 * DAY))
    bind("fresh", "groups:crew", "viewer", namespace="globex", scope={"project": "shop"}, **ended(1 * DAY))
    bind("lasting", "groups:others", "viewer", namespace="acme", scope={"project": "shop"}, **ended(-9 * DAY))
    assert not access_of(person("ann", "crew")).allows("component:view", SHOP)

    assert expiry.clean() == 1

    assert store.get_or_none("AuthzRoleBinding", "acme", "old") is None
    assert store.get_or_none("AuthzRoleBinding", "globex", "fresh") is not None
    assert store.get_or_none("AuthzRoleBinding", "acme", "lasting") is not None
    (event,) = events()
    assert (event.action, event.name, event.outcome) == ("authzrolebinding:delete", "old", "success")
    assert '"expired"' in event.details
    assert expiry.clean() == 0
    assert len(events()) == 1


def test_an_expired_grant_by_hand_is_taken_back(shop: Any) -> None:
    ann = person("ann")
    row = assign_perm("project|component:view", ann, shop)
    grant_rows.give(type(row), row.permission, ann, shop, expires_at=timezone.now() - 8 * DAY)
    GrantUse.objects.create(table="user", level="project", row=row.pk, used_at=timezone.now())

    assert expiry.clean() == 1

    assert not ProjectUserGrant.objects.exists()
    assert not GrantUse.objects.exists()
    assert [(event.action, event.kind) for event in events()] == [("authzrolebinding:delete", "Grant")]
    assert '"expired"' in events()[0].details


def test_a_hand_that_has_expired_leaves_what_a_binding_gives(shop: Any) -> None:
    made = role("viewer", "component:view")
    bind("crew", "groups:crew", "viewer", namespace="acme", scope={"project": "shop"})
    ann = person("ann", "crew")
    permission = role_permission(made, "project")
    group = ann.groups.get()
    grant_rows.give(ProjectGroupGrant, permission, group, shop, expires_at=timezone.now() - 8 * DAY)

    expiry.clean()

    assert ProjectGroupGrant.objects.get().is_manual is False
    assert access_of(ann).allows("component:view", SHOP)


def test_what_was_prolonged_meanwhile_stays(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    role("viewer", "component:view")
    bind("old", "groups:crew", "viewer", namespace="acme", scope={"project": "shop"}, **ended(8 * DAY))
    looked = store.lock

    def lock_after_somebody_prolonged(*names: str) -> Any:
        monkeypatch.setattr(store, "lock", looked)
        bind("old", "groups:crew", "viewer", namespace="acme", scope={"project": "shop"}, **ended(-8 * DAY))
        return looked(*names)

    monkeypatch.setattr(store, "lock", lock_after_somebody_prolonged)
    assert expiry.clean() == 0
    assert store.get_or_none("AuthzRoleBinding", "acme", "old") is not None
    assert events() == []


def test_what_is_used_keeps_its_note(shop: Any) -> None:
    row = assign_perm("project|component:view", person("ann"), shop)
    GrantUse.objects.create(table="user", level="project", row=row.pk, used_at=timezone.now())
    expiry.clean()
    assert GrantUse.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_workers_thread_cleans_by_itself(shop: Any) -> None:
    from catalog.access.tasks import clean
    from portal.periodic import Periodic

    role("viewer", "component:view")
    bind("old", "groups:crew", "viewer", namespace="acme", scope={"project": "shop"}, **ended(8 * DAY))
    cleaner = Periodic("cleaner", lambda: 0.05, clean)
    cleaner.start()
    gone = threading.Event()
    for _ in range(200):
        if store.get_or_none("AuthzRoleBinding", "acme", "old") is None:
            gone.set()
            break
        gone.wait(0.05)
    cleaner.stopped.set()
    cleaner.join(10)
    assert gone.is_set()
