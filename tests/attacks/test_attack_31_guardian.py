"""Attack 31: what django-guardian's rows could give beyond what was meant."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone
from guardian.shortcuts import assign_perm, get_objects_for_user

from catalog import store
from catalog.access.models import GRANTS, ComponentUserGrant, ProjectUserGrant
from catalog.access.permissions import touch_roles
from catalog.kinds.component import Component
from catalog.kinds.namespace import Namespace
from catalog.kinds.project import Project
from portal.access.doors import ClosedQuery
from portal.access.engine import Access
from portal.access.place import Place
from portal.accounts.models import User, issue_token
from tests.catalog.access.conftest import access_of, person
from tests.catalog.api.conftest import ApiClient
from tests.factories import TESTER, ComponentFactory

pytestmark = pytest.mark.django_db
WEB = Place("acme", "shop", component="shop-web")
VIEW = "component|component:view"


@pytest.fixture
def web(tenants: None) -> Any:
    return Component.objects.system("test").get(namespace_id="acme", name="shop-web")


def sees(user: User, place: Place = WEB) -> bool:
    return access_of(user).allows("component:view", place)


def listed(user: User) -> set[str]:
    return {str(row) for row in Component.objects.for_subject(access_of(user))}


# Orphans --------------------------------------------------------------------------------------------------------------


def test_a_grant_goes_with_its_object_and_a_new_one_of_the_name_starts_clean(web: Any) -> None:
    ann = person("ann")
    assign_perm(VIEW, ann, web)
    assert sees(ann) and listed(ann) == {"acme/shop-web"}
    web.delete()
    assert not ComponentUserGrant.objects.exists()
    ComponentFactory(name="shop-web", namespace="acme", project="shop")
    assert not sees(ann) and listed(ann) == set()


def test_neither_does_a_row_that_gets_the_key_of_one_that_is_gone_inherit_anything(web: Any) -> None:
    ann, key = person("ann"), web.pk
    assign_perm(VIEW, ann, web)
    web.delete()
    made: Any = ComponentFactory(name="other", namespace="acme", project="bank")
    Component.objects.system("test").filter(pk=made.pk).update(id=key)
    assert listed(ann) == set()


def test_a_grant_on_nothing_cannot_be_stored(web: Any) -> None:
    permission = Permission.objects.get(codename="project|component:view")
    with pytest.raises(IntegrityError), transaction.atomic():
        row = ProjectUserGrant(user=person("ann"), permission=permission, content_object_id=10**9)
        ProjectUserGrant.objects.bulk_create([row])
        connection.check_constraints()  # both databases look at the end of a transaction


def test_the_rows_are_tied_to_their_objects_by_the_database(web: Any) -> None:
    for models in GRANTS.values():
        for model in models:
            field = model._meta.get_field("content_object")
            assert field.remote_field.on_delete.__name__ == "CASCADE" and field.db_constraint


# Widening -------------------------------------------------------------------------------------------------------------


def test_a_permission_on_the_model_gives_nothing(web: Any) -> None:
    """Held without an object it is how guardian's lists once returned everything."""
    ann, team = person("ann"), Group.objects.create(name="team")
    ann.groups.add(team)
    every = Permission.objects.filter(content_type__app_label="catalog")
    ann.user_permissions.set(every)
    team.permissions.set(every)
    assert not sees(ann) and listed(ann) == set() and not Access.of(ann).policy.rules
    api = ApiClient(Client(), issue_token(ann, "tests"))
    assert api.get("/api/v1/namespaces/acme/components").json()["items"] == []
    with pytest.raises(ClosedQuery):
        list(get_objects_for_user(ann, "catalog.component|component:view", Component))


def test_a_permission_of_another_level_on_an_object_gives_nothing_of_that_level(web: Any) -> None:
    """`namespace|component:view` on a component would be a namespace's worth of rights on one row."""
    permission = Permission.objects.get(codename="namespace|component:view")
    ann = person("ann")
    for attempt in (
        lambda: assign_perm("namespace|component:view", ann, web),
        lambda: ComponentUserGrant.objects.create(user=ann, permission=permission, content_object=web),
    ):
        try:
            with transaction.atomic():
                attempt()
        except Exception as refused:
            assert "ermission" in str(refused) or "content" in str(refused)
    assert not sees(ann, Place("acme", "bank", component="bank-web"))
    assert listed(ann) <= {"acme/shop-web"}


def test_codenames_are_unique_over_all_levels_and_models() -> None:
    names = list(
        Permission.objects.filter(content_type__app_label="catalog", codename__contains="|").values_list(
            "codename", flat=True
        )
    )
    assert len(names) == len(set(names)) > 300
    for name in names:
        level = name.partition("|")[0]
        assert Permission.objects.get(codename=name).content_type == ContentType.objects.get(
            app_label="catalog", model=level
        )


def test_a_codename_that_no_registry_knows_gives_nothing(web: Any) -> None:
    of_component = ContentType.objects.get_for_model(Component)
    for codename in ("component|*", "component|component:*", "component|", "component:view", "component|authzrole#0"):
        permission, _ = Permission.objects.get_or_create(content_type=of_component, codename=codename, name="made up")
        ComponentUserGrant.objects.create(user=person("ann"), permission=permission, content_object=web)
    touch_roles()  # every process reads anew what permissions mean
    assert not access_of(person("ann")).allows("component:delete", WEB)
    assert not access_of(person("ann")).allows("component:view", Place("acme", "bank", component="bank-web"))


# Who ------------------------------------------------------------------------------------------------------------------


def test_there_is_no_anonymous_user_whose_grants_would_be_everybodys(web: Any) -> None:
    from django.conf import settings

    assert settings.ANONYMOUS_USER_NAME is None and not User.objects.filter(username="AnonymousUser").exists()
    assign_perm(VIEW, User.objects.create_user("AnonymousUser"), web)
    assert not AnonymousUser().has_perm(VIEW, web)
    assert ApiClient(Client()).get("/api/v1/namespaces/acme/components/shop-web").status_code == 401


def test_those_who_are_switched_off_have_nothing(web: Any) -> None:
    ann = person("ann")
    assign_perm(VIEW, ann, web)
    User.objects.filter(pk=ann.pk).update(is_active=False)
    assert not sees(ann) and listed(ann) == set()


def test_a_group_that_is_deleted_takes_its_grants_along_and_its_name_comes_back_empty(web: Any) -> None:
    ann, team = person("ann"), Group.objects.create(name="team")
    ann.groups.add(team)
    assign_perm(VIEW, team, web)
    assert sees(ann)
    team.delete()
    assert not sees(ann)
    ann.groups.add(Group.objects.create(name="team"))
    assert not sees(ann)


def test_a_user_who_is_deleted_leaves_nothing_to_the_next_of_the_name(web: Any) -> None:
    ann = person("ann")
    assign_perm(VIEW, ann, web)
    ann.delete()
    assert not ComponentUserGrant.objects.exists() and not sees(person("ann"))


def test_a_grant_that_has_ended_counts_nowhere(web: Any) -> None:
    ann = person("ann")
    row = assign_perm(VIEW, ann, web)
    ComponentUserGrant.objects.filter(pk=row.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert not sees(ann) and listed(ann) == set() and not User.objects.get(pk=ann.pk).has_perm(VIEW, web)


def test_a_project_that_goes_takes_the_grants_on_it_along(web: Any) -> None:
    ann, shop = person("ann"), Project.objects.system("test").get(namespace_id="acme", name="shop")
    assign_perm("project|component:view", ann, shop)
    assert listed(ann) == {"acme/shop-web", "acme/shop-api"}
    shop.delete()
    assert listed(ann) == set()
    store.apply(
        {
            "apiVersion": "openchoreo.dev/v1alpha1", "kind": "Project",
            "metadata": {"name": "shop", "namespace": "acme"},
            "spec": {
                "deploymentPipelineRef": {"name": "default"}, "type": {"kind": "ClusterProjectType", "name": "default"},
            },
        },
        TESTER,
    )  # fmt: skip
    assert listed(ann) == set()
    assert Namespace.objects.system("test").filter(name="acme").exists()
