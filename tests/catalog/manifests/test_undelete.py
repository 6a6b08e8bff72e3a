"""Undelete: what was deleted comes back from the log with what went with it, as another object of the old name."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalog import store
from catalog.kinds.release_binding import ReleaseBinding
from catalog.manifests.undeleting import NotUndeleted, undelete
from catalog.store.models import Revision
from portal.access.engine import Access
from portal.accounts.models import User, issue_token
from portal.audit.models import AuditEvent
from tests.catalog.controllers import components as web
from tests.catalog.controllers import installation as it
from tests.catalog.manifests.conftest import run
from tests.catalog.manifests.test_deletion_plan import settle

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def shop() -> None:
    web.install()
    web.deploy()
    settle()


def delete(kind: str, name: str) -> None:
    """Delete, and wait until it is gone."""
    store.delete(kind, "default", name, it.TESTER)
    for _ in range(4):
        settle()
        it.finish_cleanup()
    settle()
    assert it.gone(kind, name)


def test_a_component_comes_back_with_its_workload_releases_and_bindings_as_they_were():
    spec, releases, uid = web.binding().spec, web.releases(), web.component().uid
    delete("Component", "web")
    assert web.releases() == []
    done = undelete("Component", "default", "web", it.TESTER)
    assert {obj.kind for obj in done.others} == {"Workload", "ComponentRelease", "ReleaseBinding"}
    settle()
    assert web.releases() == releases
    assert web.binding().spec == spec
    assert web.component().uid != uid
    assert web.rendered().spec["environmentName"] == "development"
    assert ReleaseBinding.objects.system("test").get().component_id == web.component().pk


def test_a_project_comes_back_with_its_components_but_not_with_one_that_had_gone_before():
    web.deploy("former")
    settle()
    delete("Component", "former")
    delete("Project", "shop")
    done = undelete("Project", "default", "shop", it.TESTER)
    assert {(obj.kind, obj.name) for obj in done.others if obj.kind == "Component"} == {("Component", "web")}
    settle()
    assert web.binding().ready_reason


def test_grants_on_the_old_object_are_not_inherited(django_user_model):
    bob = User.objects.create_user("bob")
    it.apply("AuthzRole", "viewer", {"actions": ["component:view"]})
    mapping = {"roleRef": {"kind": "AuthzRole", "name": "viewer"}, "scope": {"project": "shop", "component": "web"}}
    entitled = {"claim": "sub", "value": "bob"}
    it.apply("AuthzRoleBinding", "bob", {"entitlement": entitled, "roleMappings": [mapping]})
    assert Access.of(bob).may("view", web.component())
    delete("Component", "web")
    undelete("Component", "default", "web", it.TESTER)
    assert not Access.of(bob).may("view", web.component())


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        ("Component", "web", "is there"),
        ("Component", "never", "no Component never was deleted in namespace default"),
        ("RenderedRelease", "web-development", "made by controllers"),
    ],
)
def test_what_cannot_come_back_says_why(kind, name, words):
    with pytest.raises(NotUndeleted, match=words):
        undelete(kind, "default", name, it.TESTER)


def test_it_waits_for_the_end_of_the_deletion_and_for_its_owner():
    store.delete("Component", "default", "web", it.TESTER)
    with pytest.raises(NotUndeleted, match="still being deleted; wait"):
        undelete("Component", "default", "web", it.TESTER)
    delete("Component", "web")
    delete("Project", "shop")
    with pytest.raises(NotUndeleted, match="belongs to Project shop, which is gone: undelete that first"):
        undelete("Component", "default", "web", it.TESTER)


def test_after_its_days_it_does_not_come_back(settings):
    delete("Component", "web")
    rows = Revision.objects.system("test").filter(kind="Component", action="deleted")
    rows.update(recorded_at=timezone.now() - timedelta(days=31))
    with pytest.raises(NotUndeleted, match=r"comes back for 30 days \(UNDELETE_DAYS\)"):
        undelete("Component", "default", "web", it.TESTER)
    settings.UNDELETE_DAYS = 60
    assert undelete("Component", "default", "web", it.TESTER).obj.name == "web"


def test_the_command_lists_what_can_come_back_and_brings_it_back():
    delete("Component", "web")
    listed = run("undelete")
    assert [line.split("  ", 1)[1] for line in listed.out.splitlines()] == ["Component default/web  by tester"]
    shown = run("undelete", "component", "web")
    assert (shown.code, shown.out.splitlines()[0]) == (0, "component/web is back")
    assert AuditEvent.objects.system("test").filter(action="component:undelete", name="web").count() == 1
    assert run("undelete", "component", "web").code == 1


def ask(client: Client, user: User, method: str, path: str) -> Any:
    headers = {"Authorization": f"Bearer {issue_token(user, 'test')}"}
    return client.generic(method, f"/api/stagecraft/v1/{path}", headers=headers)


def test_rest_brings_it_back_for_who_may_create_it(client: Client):
    root, stranger = User.objects.create_superuser("root"), User.objects.create_user("stranger")
    delete("Component", "web")
    path = "namespaces/default/components/web/undelete"
    assert ask(client, stranger, "POST", path).status_code == 404
    assert ask(client, stranger, "GET", "deleted").json() == {"items": []}
    listed = ask(client, root, "GET", "deleted?kind=Component").json()["items"]
    assert [(item["name"], item["kind"]) for item in listed] == [("web", "Component")]
    back = ask(client, root, "POST", path)
    assert (back.status_code, back.json()["object"]["metadata"]["name"]) == (200, "web")
    again = ask(client, root, "POST", path)
    assert (again.status_code, "is there" in again.json()["error"]) == (409, True)


def test_who_may_see_but_not_create_is_refused(client: Client):
    bob = User.objects.create_user("bob")
    it.apply("AuthzRole", "viewer", {"actions": ["component:view", "project:view"]})
    mapping = {"roleRef": {"kind": "AuthzRole", "name": "viewer"}, "scope": {"project": "shop"}}
    it.apply("AuthzRoleBinding", "bob", {"entitlement": {"claim": "sub", "value": "bob"}, "roleMappings": [mapping]})
    delete("Component", "web")
    reply = ask(client, bob, "POST", "namespaces/default/components/web/undelete")
    assert reply.status_code == 403, reply.content
    assert it.gone("Component", "web")


def test_the_admin_lists_it_and_brings_it_back_and_shows_the_plan_before_it_goes(client: Client):
    client.force_login(User.objects.create_superuser("root", "root@example.com", "x"))
    url = reverse("admin:catalog_component_delete", args=[web.component().pk])
    assert "ReleaseBinding default/web-development" in client.get(url).content.decode()
    delete("Component", "web")
    page = client.get(reverse("admin:deleted_objects")).content.decode()
    assert "Component default/web" in page
    form = {"kind": "Component", "namespace": "default", "name": "web"}
    reply = client.post(reverse("admin:deleted_objects"), form, follow=True)
    assert "Component web is back, and 3 objects with it." in reply.content.decode()
    again = client.post(reverse("admin:deleted_objects"), form, follow=True)
    assert "Component web is there" in again.content.decode()
