"""Bindings become grants, follow their documents, and never come back by name."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission
from guardian.shortcuts import assign_perm

from catalog import store
from catalog.access.compile import rebuild, snapshot
from catalog.access.models import CompiledMapping, NamespaceGroupGrant, PolicyException, ProjectGroupGrant
from catalog.kinds.authz_role_binding import EXPIRES
from catalog.kinds.component import Component
from catalog.kinds.namespace import Namespace
from catalog.kinds.project import Project
from portal.access.place import Place
from portal.accounts.models import User
from tests.catalog.access.conftest import access_of, apply, bind, person, role, unbind
from tests.factories import TESTER, ProjectFactory

pytestmark = pytest.mark.django_db
SHOP = Place("acme", "shop")
WEB = Place("acme", "shop", component="shop-web")


def allowed(user: User, action: str, place: Place) -> bool:
    return access_of(user).allows(action, place)


def test_a_mapping_is_one_row_at_the_place_where_it_was_given(tenants: None) -> None:
    role("viewer", "component:view", "project:view")

    bind("team", "groups:dev", "viewer", namespace="acme", scope={"project": "shop"})

    row = ProjectGroupGrant.objects.get()
    assert (row.group.name, row.content_object.name, row.is_manual) == ("groups:dev", "shop", False)
    assert NamespaceGroupGrant.objects.count() == 0
    ada = person("ada", "dev")
    assert allowed(ada, "component:view", WEB)
    assert not allowed(ada, "component:update", WEB)
    assert not allowed(ada, "component:view", Place("acme", "bank", component="bank-web"))
    assert not allowed(ada, "component:view", Place("globex", "shop", component="shop-web"))


def test_editing_a_role_rewrites_no_grant_and_counts_at_once(tenants: None) -> None:
    role("viewer", "component:view")
    bind("team", "groups:dev", "viewer", namespace="acme")
    ada, rows = person("ada", "dev"), set(NamespaceGroupGrant.objects.values_list("pk"))
    assert not allowed(ada, "component:update", WEB)

    role("viewer", "component:*")

    assert allowed(ada, "component:update", WEB)
    assert set(NamespaceGroupGrant.objects.values_list("pk")) == rows


def test_of_two_bindings_that_give_the_same_one_may_go(tenants: None) -> None:
    role("viewer", "component:view")
    bind("one", "groups:dev", "viewer", namespace="acme")
    bind("two", "groups:dev", "viewer", namespace="acme")
    ada = person("ada", "dev")
    assert NamespaceGroupGrant.objects.count() == 1

    unbind("one", "acme")
    assert allowed(ada, "component:view", WEB)
    unbind("two", "acme")
    assert not allowed(ada, "component:view", WEB)


def test_what_was_given_by_hand_outlives_a_binding_that_gives_the_same(tenants: None) -> None:
    viewer = role("viewer", "component:view")
    group = Group.objects.create(name="groups:dev")
    permission = Permission.objects.get(codename=f"namespace|clusterauthzrole#{viewer.pk}")
    assign_perm(permission, group, Namespace.objects.system("test").get(name="acme"))

    bind("one", "groups:dev", "viewer", namespace="acme")
    unbind("one", "acme")

    assert allowed(person("ada", "dev"), "component:view", WEB)


def test_a_single_action_given_by_hand_with_guardians_own_tools_counts(tenants: None) -> None:
    ada = person("ada")
    component = Component.objects.system("test").get(namespace_id="acme", name="shop-web")

    assign_perm("component|component:view", ada, component)

    assert allowed(ada, "component:view", WEB)
    assert not allowed(ada, "component:view", Place("acme", "shop", component="shop-api"))
    assert list(access_of(ada).visible(Component.objects.system("test"))) == [component]


def test_an_object_of_an_old_name_inherits_nothing(tenants: None) -> None:
    role("viewer", "project:view", "component:view")
    bind("team", "groups:dev", "viewer", namespace="acme", scope={"project": "shop"})
    ada = person("ada", "dev")
    Component.objects.system("test").filter(namespace_id="acme", project__name="shop").delete()
    project = Project.objects.system("test").get(namespace_id="acme", name="shop")
    store.delete("Project", "acme", "shop", TESTER)
    store.remove_finalizer(project, Project.finalizer, TESTER)

    ProjectFactory.create(name="shop", namespace="acme")

    assert not allowed(ada, "project:view", SHOP)
    assert CompiledMapping.objects.system("test").get().state == "ended"
    rebuild()
    assert not allowed(ada, "project:view", SHOP)
    bind("team", "groups:dev", "viewer", namespace="acme", scope={"project": "shop"}, labels={"written": "again"})
    assert not allowed(ada, "project:view", SHOP), "a label is no new word about rights"
    bind("team", "groups:dev", "viewer", scope={"project": "shop", "component": "x"}, namespace="acme")
    bind("team", "groups:dev", "viewer", scope={"project": "shop"}, namespace="acme")
    assert allowed(ada, "project:view", SHOP)


def test_a_binding_written_before_its_project_and_role_waits_for_them(db: None) -> None:
    apply("Namespace", "acme", {})
    bind("team", "groups:dev", "viewer", namespace="acme", scope={"project": "shop"})
    ada = person("ada", "dev")
    assert CompiledMapping.objects.system("test").get().state == "waiting"

    role("viewer", "project:view")
    assert CompiledMapping.objects.system("test").get().state == "waiting"
    ProjectFactory.create(name="shop", namespace="acme")

    assert CompiledMapping.objects.system("test").get().state == "granted"
    assert allowed(ada, "project:view", SHOP)


def test_a_deleted_role_gives_nothing(tenants: None) -> None:
    role("viewer", "component:view")
    bind("team", "groups:dev", "viewer", namespace="acme")
    ada = person("ada", "dev")

    store.delete("ClusterAuthzRole", "", "viewer", TESTER)

    assert not allowed(ada, "component:view", WEB)
    assert NamespaceGroupGrant.objects.count() == 0


def test_a_namespaces_role_of_the_same_name_elsewhere_is_another(tenants: None) -> None:
    role("viewer", "component:view", namespace="acme")
    role("viewer", "component:*", namespace="globex")
    bind("team", "groups:dev", "viewer", namespace="acme", role_kind="AuthzRole")
    ada = person("ada", "dev")

    assert allowed(ada, "component:view", WEB)
    assert not allowed(ada, "component:update", WEB)
    assert not allowed(ada, "component:view", Place("globex", "shop", component="shop-web"))


def test_a_scope_that_names_a_component_of_another_project_gives_nothing(tenants: None) -> None:
    role("viewer", "component:view")

    bind("team", "groups:dev", "viewer", namespace="acme", scope={"project": "bank", "component": "shop-web"})

    assert CompiledMapping.objects.system("test").get().state == "waiting"
    assert not allowed(person("ada", "dev"), "component:view", WEB)


def test_denies_and_conditions_are_exceptions_and_go_with_their_binding(tenants: None) -> None:
    role("deployer", "releasebinding:*")
    condition = {"actions": ["releasebinding:*"], "expression": 'resource.environment != "acme/prod"'}

    bind("a", "groups:dev", "deployer", namespace="acme", conditions=[condition])
    bind("b", "groups:dev", "deployer", namespace="acme", effect="deny", scope={"project": "bank"})

    assert sorted(PolicyException.objects.system("test").values_list("effect", "level")) == [
        ("allow", "namespace"),
        ("deny", "project"),
    ]
    unbind("a", "acme")
    unbind("b", "acme")
    assert not PolicyException.objects.system("test").exists()


def test_a_rehearsed_binding_leaves_no_grant(tenants: None) -> None:
    role("viewer", "component:view")

    with store.rehearsal():
        bind("team", "groups:dev", "viewer", namespace="acme")
        role("viewer", "component:*")

    assert not NamespaceGroupGrant.objects.exists()
    assert not allowed(person("ada", "dev"), "component:view", WEB)


def test_a_binding_ends_when_its_annotation_says(tenants: None) -> None:
    role("viewer", "component:view")
    ada = person("ada", "dev")

    bind("t", "groups:dev", "viewer", namespace="acme", annotations={EXPIRES: "2020-01-01T00:00:00Z"})
    assert not allowed(ada, "component:view", WEB)
    bind("t", "groups:dev", "viewer", namespace="acme", annotations={EXPIRES: "2999-01-01T00:00:00Z"})
    assert allowed(ada, "component:view", WEB)


def test_building_everything_anew_changes_nothing(tenants: None) -> None:
    role("viewer", "component:view")
    role("deployer", "releasebinding:*", namespace="acme")
    bind("a", "groups:dev", "viewer", namespace="acme", scope={"project": "shop", "component": "shop-web"})
    bind("b", "groups:ops", "deployer", namespace="acme", role_kind="AuthzRole", effect="deny")
    bind("c", "sub:bot", "viewer")
    before = snapshot()

    rebuild()

    assert snapshot() == before
    assert len(before) == 3


def test_an_exception_counts_where_it_was_given_and_nowhere_else(tenants: None) -> None:
    role("deployer", "releasebinding:*")
    condition = {"actions": ["releasebinding:*"], "expression": 'resource.environment == "acme/dev"'}
    scope = {"project": "shop", "component": "shop-web"}
    bind("a", "groups:dev", "deployer", namespace="acme", scope=scope, conditions=[condition])
    access = access_of(person("ada", "dev"))

    assert access.allows("releasebinding:view", WEB, {"environment": "acme/dev"})
    assert not access.allows("releasebinding:view", WEB, {"environment": "acme/prod"})
    assert not access.allows("releasebinding:view", Place("acme", "bank"), {"environment": "acme/dev"})
