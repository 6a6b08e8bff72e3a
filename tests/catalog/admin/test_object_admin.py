"""The admin of the kinds: lists that filter, pages that show state, an editor that saves through the store."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from catalog import store
from catalog.admin.editor import skeleton_of
from catalog.compiler.yaml import load
from catalog.controllers.models import WorkItem
from catalog.controllers.work import mark_due
from catalog.kinds.base import PlatformObject
from catalog.kinds.component import Component
from catalog.kinds.namespace import Namespace
from catalog.kinds.project import Project
from catalog.kinds.registry import KINDS
from catalog.kinds.trait import Trait
from catalog.releases.rendered import put_rendered_release
from catalog.store.models import Revision
from portal.accounts.actor import system
from portal.accounts.models import User
from tests.factories import ComponentFactory, NamespaceFactory, ProjectFactory

pytestmark = pytest.mark.django_db
TESTS = system("tests")


@pytest.fixture
def browser(client: Client) -> Client:
    """A browser in which an administrator is signed in."""
    client.force_login(User.objects.create_superuser("root", "root@example.com", "x"))
    return client


@pytest.fixture
def shop(db: None) -> Project:
    NamespaceFactory.create()
    project: Project = ProjectFactory.create(name="shop")
    return project


def page(obj: PlatformObject, name: str = "change", *more: Any) -> str:
    return reverse(f"admin:catalog_{obj._meta.model_name}_{name}", args=[obj.pk, *more])


def listing(model: type[PlatformObject]) -> str:
    return reverse(f"admin:catalog_{model._meta.model_name}_changelist")


def rows(html: str) -> list[str]:
    return re.findall(r'<th class="field-name"><a[^>]*>([^<]*)</a>', html)


def edit(browser: Client, url: str, change: tuple[str, str] | None = None, text: str = "") -> Any:
    """Load a page's editor, change its text, and save."""
    loaded = browser.get(url).context
    new = text or (loaded["text"].replace(*change) if change else loaded["text"])
    return browser.post(url, {"text": new, "fingerprint": loaded["fingerprint"]})


@pytest.mark.parametrize("model", KINDS, ids=lambda model: model.kind)
def test_every_kind_has_a_list_and_a_page_for_new_objects(browser: Client, model: type[PlatformObject]) -> None:
    assert browser.get(listing(model)).status_code == 200
    new = browser.get(reverse(f"admin:catalog_{model._meta.model_name}_add"))
    if model.kind == "RenderedRelease":
        assert new.status_code == 403
    else:
        assert load(new.context["text"])["kind"] == model.kind  # type: ignore[index]


def test_the_front_page_shows_the_kinds_by_sections(browser: Client) -> None:
    html = browser.get("/admin/").content.decode()

    for section in ("Applications", "Releases", "Types", "Environments and planes", "People and access", "Operations"):
        assert section in html
    assert html.index("Namespaces") < html.index("Component types")


def test_a_list_shows_readiness_and_own_columns(browser: Client, shop: Project) -> None:
    component = ComponentFactory.create(name="web", project="shop")
    condition = {"type": "Ready", "status": "False", "reason": "ComponentTypeNotFound"}
    store.write_status(component, {"conditions": [condition]}, TESTS)

    html = browser.get(listing(Component)).content.decode()

    assert 'class="state bad">ComponentTypeNotFound<' in html
    assert '<td class="field-show' in html and ">shop<" in html


def test_a_list_is_searched_and_filtered(browser: Client, shop: Project) -> None:
    NamespaceFactory.create(name="acme")
    bank = ProjectFactory.create(name="bank")
    ComponentFactory.create(name="web", project="shop")
    ready = ComponentFactory.create(name="api", project="bank")
    ComponentFactory.create(name="far", project="shop", namespace="acme")
    store.write_status(ready, {"conditions": [{"type": "Ready", "status": "True"}]}, TESTS)
    url = listing(Component)

    def found(query: str) -> list[str]:
        return rows(browser.get(f"{url}?{query}").content.decode())

    assert found("") == ["api", "far", "web"]
    assert found("q=we") == ["web"]
    assert found("namespace=acme") == ["far"]
    assert found(f"project={bank.pk}") == ["api"]
    assert found("ready=True") == ["api"]
    assert found("ready=none") == ["far", "web"]
    assert found("project=nonsense") == ["api", "far", "web"]


def test_a_list_costs_the_same_however_long(
    browser: Client, shop: Project, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(40):
        ComponentFactory.create(name=f"c{number}", project="shop")

    # Session, user, number of rows, rows, and one for each of the namespace and project filters.
    with django_assert_max_num_queries(7):
        assert len(rows(browser.get(listing(Component)).content.decode())) == 40


def test_the_page_shows_conditions_related_objects_and_history(browser: Client, shop: Project) -> None:
    component = ComponentFactory.create(name="web", project="shop")
    condition = {
        "type": "Ready",
        "status": "False",
        "reason": "ComponentTypeNotFound",
        "message": "it is <missing>",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    store.write_status(component, {"conditions": [condition], "other": 1}, TESTS)

    html = browser.get(page(component)).content.decode()

    assert "it is &lt;missing&gt;" in html
    assert "other: 1" in html
    assert f'href="{page(shop)}"' in html  # named by the component
    assert "missing</span>" in html  # its type does not exist
    assert "tester" in html
    assert f'href="{page(component)}"' in browser.get(page(shop)).content.decode()


def test_a_change_in_the_editor_is_saved_through_the_store(browser: Client, shop: Project) -> None:
    reply = edit(browser, page(shop), ("name: default\n  type", "name: fast\n  type"))

    assert reply.status_code == 302
    assert Project.objects.system("test").get().spec["deploymentPipelineRef"]["name"] == "fast"
    newest = Revision.objects.system("test").last()
    assert newest is not None
    assert (newest.action, newest.actor, newest.surface) == ("changed", "root", "admin")


def test_a_violation_is_shown_with_its_line_and_the_text_is_kept(browser: Client, shop: Project) -> None:
    reply = edit(browser, page(shop), ("name: default\n  type", "name: 7\n  type"))

    assert reply.status_code == 200
    problem = reply.context["problems"][0]
    assert problem.path == "spec.deploymentPipelineRef.name"
    assert reply.context["text"].splitlines()[problem.line - 1].strip() == "name: 7"
    assert f'data-wrong="{problem.line} "' in reply.content.decode()
    assert Project.objects.system("test").get().spec["deploymentPipelineRef"]["name"] == "default"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("name: shop", "name: other"), "must stay 'shop'"),
        (("kind: Project", "kind: Trait"), "must stay 'Project'"),
        (("namespace: default", "namespace: x"), "must stay 'default'"),
        (("spec:", "spec: ["), "line"),
        (("kind: Project", "---\nkind: Project"), "more than one document"),
    ],
)
def test_an_editor_text_that_is_no_change_of_this_object_is_refused(
    browser: Client, shop: Project, change: tuple[str, str], reason: str
) -> None:
    reply = edit(browser, page(shop), change)

    assert reply.status_code == 200
    assert reason in str(reply.context["problems"][0])
    assert Revision.objects.system("test").filter(surface="admin").count() == 0


def test_a_change_made_meanwhile_is_not_overwritten(browser: Client, shop: Project) -> None:
    loaded = browser.get(page(shop)).context
    document = store.to_document(shop)
    document["metadata"]["labels"] = {"by": "another"}
    store.put(document, TESTS)

    reply = browser.post(page(shop), {"text": loaded["text"], "fingerprint": loaded["fingerprint"]})
    again = browser.post(page(shop), {"text": loaded["text"], "fingerprint": reply.context["fingerprint"]})

    assert "has changed since" in str(reply.context["problems"][0])
    assert "has changed since" in str(again.context["problems"][0])
    assert Project.objects.system("test").get().labels == {"by": "another"}


def test_a_new_object_is_made_from_the_skeleton(browser: Client, shop: Project) -> None:
    url = reverse("admin:catalog_trait_add")

    reply = edit(browser, url, ('name: ""', "name: backup"))

    assert reply.status_code == 302
    assert Trait.objects.system("test").get().name == "backup"
    taken = edit(browser, url, ('name: ""', "name: backup"))
    assert "already exists" in str(taken.context["problems"][0])


@pytest.mark.parametrize("model", KINDS, ids=lambda model: model.kind)
def test_a_skeleton_has_every_required_field(model: type[PlatformObject]) -> None:
    document: Any = load(skeleton_of(model, "default"))

    assert set(model.spec_schema.get("required") or ()) <= set(document.get("spec") or {})


def test_deleting_goes_through_the_store(browser: Client, shop: Project) -> None:
    asked = browser.get(page(shop, "delete"))
    assert "Project default/shop" in asked.content.decode()

    browser.post(page(shop, "delete"), {"post": "yes"})
    assert Project.objects.system("test").get().deleted_at is not None

    trait = store.apply(
        {
            "apiVersion": "openchoreo.dev/v1alpha1",
            "kind": "Trait",
            "metadata": {"name": "t", "namespace": "default"},
        },
        TESTS,
    ).obj
    browser.post(listing(Trait), {"action": "delete_selected", "_selected_action": [trait.pk], "post": "yes"})
    assert not Trait.objects.system("test").exists()
    newest = Revision.objects.system("test").get(kind="Trait", action="deleted")
    assert (newest.actor, newest.surface) == ("root", "admin")


def test_a_namespace_with_content_can_be_asked_to_go(browser: Client, shop: Project) -> None:
    namespace = Namespace.objects.system("test").get(name="default")

    browser.post(page(namespace, "delete"), {"post": "yes"})

    assert Namespace.objects.system("test").get(name="default").deleted_at is not None


def test_history_shows_what_each_revision_changed(browser: Client, shop: Project) -> None:
    edit(browser, page(shop), ("name: default\n  type", "name: fast\n  type"))
    changed = Revision.objects.system("test").get(kind="Project", action="changed")

    history = browser.get(page(shop, "history")).content.decode()
    assert f"history/{changed.sequence}/" in history

    lines = browser.get(page(shop, "revision", changed.sequence)).context["lines"]
    assert [line.text.strip() for line in lines if line.style in ("added", "removed")] == [
        "-    name: default".strip(),
        "+    name: fast".strip(),
    ]
    assert browser.get(page(shop, "revision", changed.sequence + 1000)).status_code == 404


def test_the_log_can_be_searched_and_only_read(browser: Client, shop: Project) -> None:
    url = reverse("admin:catalog_revision_changelist")

    assert "shop" in browser.get(f"{url}?q=Project").content.decode()
    revision = Revision.objects.system("test").get(kind="Project")
    assert browser.get(reverse("admin:catalog_revision_change", args=[revision.pk])).status_code == 200
    assert browser.get(reverse("admin:catalog_revision_add")).status_code in (403, 404)


def test_the_manifests_of_a_binding_are_shown_with_their_state(browser: Client, shop: Project) -> None:
    binding = store.apply(
        {
            "apiVersion": "openchoreo.dev/v1alpha1",
            "kind": "ReleaseBinding",
            "metadata": {"name": "web-dev", "namespace": "default"},
            "spec": {"owner": {"projectName": "shop", "componentName": "web"}, "environment": "dev"},
        },
        TESTS,
    ).obj
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"k": "a value"}}
    owner = {"projectName": "shop", "componentName": "web"}
    resources = [{"id": "config", "object": manifest}]
    put_rendered_release("web-dev", "default", binding, owner, "dev", "dataplane", resources, {}, TESTS)

    html = browser.get(page(binding)).content.decode()

    assert "Rendered for the dataplane" in html
    assert "ConfigMap settings" in html
    assert "k: a value" in html
    assert "not yet" in html


def test_work_that_fails_is_listed_and_can_be_woken(browser: Client, shop: Project) -> None:
    mark_due([("Project", shop.pk)])
    WorkItem.objects.filter(kind="Project").update(
        attempts=3, last_error="Traceback\nValueError: no such thing", due_at=None
    )
    url = reverse("admin:catalog_workitem_changelist")

    html = browser.get(f"{url}?state=failing").content.decode()
    assert "ValueError: no such thing" in html
    assert f'href="{page(shop)}"' in html

    item = WorkItem.objects.get(kind="Project")
    browser.post(url, {"action": "look_again", "_selected_action": [item.pk]})
    assert WorkItem.objects.get(kind="Project").due_at is not None


def test_who_is_not_staff_sees_nothing(client: Client, shop: Project) -> None:
    client.force_login(User.objects.create_user("reader", "r@example.com", "x"))

    for url in (listing(Project), page(shop), page(shop, "history"), page(shop, "delete")):
        assert client.get(url).status_code == 302
    client.post(page(shop, "delete"), {"post": "yes"})
    assert Project.objects.system("test").get().deleted_at is None
