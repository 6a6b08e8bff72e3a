"""`user.has_perm` with an object is the engine's answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Group
from django.utils import timezone
from guardian.shortcuts import assign_perm

from catalog.kinds.component import Component
from catalog.kinds.namespace import Namespace
from catalog.kinds.project import Project
from portal.accounts.models import User
from tests.catalog.access.conftest import apply, bind, person, role

pytestmark = pytest.mark.django_db
IN_SHOP = {"namespace": "acme", "project": "shop"}
VIEW = "catalog.component:view"


def user(name: str = "ann", *groups: str) -> User:
    """Read anew: Django's users remember what they were asked."""
    person(name, *(groups or ("dev",)))
    return User.objects.get(username=name)


@pytest.fixture
def web(tenants: None) -> Any:
    return Component.objects.system("test").get(namespace_id="acme", name="shop-web")


def test_it_climbs_from_the_object_to_what_holds_it(web: Any) -> None:
    other = Component.objects.system("test").get(namespace_id="acme", name="bank-web")
    assert not user().has_perm(VIEW, web)
    role("viewer", "component:view")
    bind("b", "groups:dev", "viewer", scope=IN_SHOP)
    assert user().has_perm(VIEW, web) and user().has_perm("component:view", web)
    assert not user().has_perm(VIEW, other) and not user().has_perm("catalog.component:update", web)
    assert user().has_perms([VIEW], web)


@pytest.mark.parametrize("scope", ["cluster", "namespace", "project", "component"])
def test_a_grant_by_hand_counts_from_any_level(web: Any, scope: str) -> None:
    from catalog.access.models import Cluster

    holders = {
        "cluster": Cluster.objects.get(),
        "namespace": Namespace.objects.system("test").get(name="acme"),
        "project": Project.objects.system("test").get(namespace_id="acme", name="shop"),
        "component": web,
    }
    assign_perm(f"{scope}|component:view", user(), holders[scope])
    assert user().has_perm(VIEW, web)


def test_denies_count(web: Any) -> None:
    role("viewer", "component:view")
    bind("b", "groups:dev", "viewer", scope=IN_SHOP)
    bind("no", "sub:ann", "viewer", effect="deny")
    assert not user().has_perm(VIEW, web)
    assert user("bob").has_perm(VIEW, web)


def test_conditions_count(web: Any) -> None:
    role("editor", "component:update")
    condition = {"actions": ["component:update"], "expression": 'resource.componentType == "deployment/other"'}
    bind("b", "groups:dev", "editor", conditions=[condition])
    assert not user().has_perm("catalog.component:update", web)
    condition["expression"] = 'resource.componentType == "worker"'
    bind("b", "groups:dev", "editor", conditions=[condition])
    assert user().has_perm("catalog.component:update", web)


def test_an_end_counts_also_where_the_row_itself_is_named(web: Any) -> None:
    ann = user()
    row = assign_perm("component|component:view", ann, web)
    assert user().has_perm("component|component:view", web)
    type(row).objects.filter(pk=row.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert not user().has_perm("component|component:view", web) and not user().has_perm(VIEW, web)


def test_nobody_gets_anything_by_what_is_no_action_or_by_a_permission_on_the_model(web: Any) -> None:
    from django.contrib.auth.models import Permission

    ann = user()
    ann.user_permissions.add(*Permission.objects.filter(codename__endswith="component:view"))
    ann.user_permissions.add(*Permission.objects.filter(codename="view_component"))
    assert not user().has_perm(VIEW, web)
    assert not user().has_perm("catalog.view_component", web)
    assert not user().has_perm("catalog.component:*", web) and not user().has_perm("*", web)


def test_those_who_are_nobody_or_switched_off_may_nothing(web: Any) -> None:
    role("viewer", "component:view")
    bind("b", "groups:dev", "viewer")
    ann = user()
    User.objects.filter(pk=ann.pk).update(is_active=False)
    assert not user().has_perm(VIEW, web)
    assert not AnonymousUser().has_perm(VIEW, web)


def test_other_objects_and_questions_without_one_are_answered_as_ever(web: Any) -> None:
    assert not user().has_perm("auth.change_group", Group.objects.first())
    assert not user().has_perm("accounts.add_user")
    apply("Namespace", "other", {})
