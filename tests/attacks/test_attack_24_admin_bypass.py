"""Attack 24: past the admin's lists. Somebody of the staff without grants, or with those of another tenant, goes to the
addresses of objects, actions, choosers, histories and exports directly; posts from another site; makes a superuser of
themselves; and machines try to sign in.

The addresses come from the list of URLs, so a page that is added later is attacked too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import NoReverseMatch, get_resolver, reverse
from guardian.shortcuts import assign_perm

from catalog import store
from catalog.access.models import ProjectGroupGrant, ProjectUserGrant
from catalog.controllers.models import WorkItem
from catalog.kinds.base import PlatformObject
from catalog.store.models import Revision
from portal.access.place import Place
from portal.accounts.models import AccessToken, User, issue_token
from portal.audit.models import AuditEvent
from tests.attacks.two_tenants import CANARY, NAMESPACED, make_tenant, name_of
from tests.catalog.access.conftest import access_of, bind, person, role
from tests.catalog.api.test_every_route import routes

pytestmark = pytest.mark.django_db
ACTIONS = ("change", "delete", "history")


@pytest.fixture
def worlds(db: None) -> None:
    """`ours`, where Mallory of the staff may do everything, and `theirs`, where she may nothing."""
    make_tenant("ours")
    make_tenant("theirs", CANARY)
    role("all", "*")
    bind("mallory", "groups:mallets", "all", namespace="ours")


@pytest.fixture
def mallory(worlds: None) -> Client:
    return signed_in(person("mallory", "mallets", is_staff=True))


@pytest.fixture
def nobody(worlds: None) -> Client:
    """Somebody of the staff who has been given nothing."""
    return signed_in(person("nobody", is_staff=True))


def signed_in(user: User, **options: Any) -> Client:
    browser = Client(**options)
    browser.force_login(user)
    return browser


def theirs(model: type[PlatformObject]) -> PlatformObject:
    found = store.get(model.kind, "theirs", name_of(model))
    assert found.annotations["openchoreo.dev/description"] == CANARY
    return found


def pages_of(obj: PlatformObject) -> Iterator[str]:
    """Every page of an object."""
    name = obj._meta.model_name
    for page in (*ACTIONS, "access"):
        try:
            yield reverse(f"admin:catalog_{name}_{page}", args=[obj.pk])
        except NoReverseMatch:
            assert page == "access"
    yield reverse(f"admin:catalog_{name}_revision", args=[obj.pk, 1])


def listing(model: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


# Objects of others ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["mallory", "nobody"])
def test_no_page_of_anothers_object_opens_or_says_that_there_is_one(who: str, request: Any) -> None:
    browser: Client = request.getfixturevalue(who)
    for model in NAMESPACED:
        obj, absent = theirs(model), model.objects.system("test").order_by("-pk").values_list("pk", flat=True)[0] + 999
        for url in pages_of(obj):
            for method in ("get", "post"):
                reply = getattr(browser, method)(url, {"post": "yes", "text": "x", "do": "give"})
                missing = getattr(browser, method)(url.replace(f"/{obj.pk}/", f"/{absent}/"), {"post": "yes"})
                # The page of a kind that one may not see at all is refused; else it is as if there were none, which
                # Django's question before a deletion says by going back to the front page.
                assert reply.status_code in (403, 404) or reply["Location"] == "/admin/", (url, method)
                assert reply.status_code == missing.status_code, (url, method)
                assert CANARY not in reply.content.decode()
        assert store.get_or_none(model.kind, "theirs", obj.name) is not None


@pytest.mark.parametrize("who", ["mallory", "nobody"])
def test_lists_searches_orders_and_filters_show_nothing_of_others(who: str, request: Any) -> None:
    browser: Client = request.getfixturevalue(who)
    for model in NAMESPACED:
        obj = theirs(model)
        for query in ("", "?q=object", "?o=1", "?o=-2.1", "?namespace=theirs", "?all=", "?ready=none", "?p=9"):
            reply = browser.get(listing(model) + query)
            assert reply.status_code in (200, 302, 403), query
            if reply.status_code == 200:
                shown = {row.pk for row in reply.context["cl"].result_list}
                assert obj.pk not in shown, (model.kind, query)
            assert CANARY not in reply.content.decode()


@pytest.mark.parametrize(
    "query",
    ["annotations__contains=canary", "spec__owner__projectName=shop", "namespace__annotations__contains=canary",
     "uid__startswith=a", "_to_field=annotations", "last_applied__isnull=0"],
)  # fmt: skip
def test_columns_cannot_be_asked_through_the_address(query: str, mallory: Client) -> None:
    for model in NAMESPACED:
        reply = mallory.get(f"{listing(model)}?{query}")
        assert reply.status_code in (302, 400), (model.kind, reply.status_code)


def test_actions_on_lists_reach_nothing_of_others(mallory: Client, nobody: Client) -> None:
    for model in NAMESPACED:
        obj = theirs(model)
        data = {"action": "delete_selected", "_selected_action": [obj.pk], "post": "yes", "select_across": "1"}
        for browser in (mallory, nobody):
            browser.post(listing(model) + "?q=", data)
        held = store.get_or_none(model.kind, "theirs", obj.name)
        assert held is not None and held.deleted_at is None, model.kind


def test_an_action_on_ones_own_objects_takes_no_object_of_others_along(mallory: Client) -> None:
    model = next(model for model in NAMESPACED if model.kind == "Environment")
    mine, other = store.get("Environment", "ours", "object"), theirs(model)
    data = {"action": "delete_selected", "_selected_action": [mine.pk, other.pk], "post": "yes"}
    mallory.post(listing(model), data)
    held = store.get("Environment", "theirs", "object")
    assert held.deleted_at is None


def test_the_editor_writes_no_other_object_than_that_of_its_page(mallory: Client) -> None:
    model = next(model for model in NAMESPACED if model.kind == "Environment")
    mine, other = store.get("Environment", "ours", "object"), theirs(model)
    url = reverse("admin:catalog_environment_change", args=[mine.pk])
    shown = mallory.get(url).context
    for text in (
        shown["text"].replace("namespace: ours", "namespace: theirs"),
        shown["text"].replace("name: object", "name: other"),
        shown["text"] + "---\n" + shown["text"].replace("namespace: ours", "namespace: theirs"),
    ):
        reply = mallory.post(url, {"text": text, "fingerprint": shown["fingerprint"]})
        assert "Nothing was saved" in reply.content.decode()
    new = reverse("admin:catalog_environment_add")
    text = shown["text"].replace("namespace: ours", "namespace: theirs").replace("name: object", "name: planted")
    mallory.post(new, {"text": text, "fingerprint": ""})
    assert store.get_or_none("Environment", "theirs", "planted") is None
    assert store.get("Environment", "theirs", "object").generation == other.generation


def test_the_logs_do_not_show_what_the_objects_do_not(mallory: Client, nobody: Client) -> None:
    revision = Revision.objects.system("test").filter(namespace="theirs").first()
    assert revision is not None
    WorkItem.objects.get_or_create(kind="Component", object_id=1)
    for browser in (mallory, nobody):
        assert browser.get(listing(Revision)).status_code == 403
        assert browser.get(reverse("admin:catalog_revision_change", args=[revision.pk])).status_code in (302, 403, 404)
        assert browser.get(listing(WorkItem)).status_code == 403
        data = {"action": "look_again", "_selected_action": list(WorkItem.objects.values_list("pk", flat=True))}
        assert browser.post(listing(WorkItem), data).status_code == 403
        event = AuditEvent.objects.system("test").filter(namespace="theirs").first()
        assert event is not None
        page = browser.get(reverse("admin:audit_auditevent_change", args=[event.pk]))
        assert page.status_code in (302, 404) or "theirs" not in page.content.decode()
        assert "theirs" not in browser.get(listing(AuditEvent)).content.decode()


# Every page of the admin ----------------------------------------------------------------------------------------------


def admin_urls() -> list[str]:
    """Every address of the admin that takes no argument, from the list of URLs."""
    found = []
    for path, _ in routes(get_resolver()):
        if path.startswith("admin/") and "<" not in path and "(?" not in path:
            found.append("/" + path)
    return found


OPEN_TO_STAFF = frozenset(
    f"/admin/{path}"
    for path in (
        *("", "login/", "logout/", "password_change/", "password_change/done/", "jsi18n/"),
        *("audit/", "audit/auditevent/"),
    )
)


def test_the_staff_without_grants_opens_no_page(nobody: Client) -> None:
    urls = admin_urls()
    assert len(urls) > 90
    for url in urls:
        if url in OPEN_TO_STAFF:
            continue
        for method in (nobody.get, nobody.post):
            assert method(url).status_code in (403, 404, 405), (url, method.__name__)


def test_a_stranger_is_asked_to_sign_in(client: Client, worlds: None) -> None:
    for url in admin_urls():
        if url in ("/admin/login/", "/admin/logout/", "/admin/jsi18n/"):
            continue
        reply = client.get(url)
        assert reply.status_code in (302, 404, 405), (url, reply.status_code)
        assert reply.status_code != 302 or "/login/" in reply["Location"], url


def test_djangos_own_model_permissions_open_nothing(nobody: Client) -> None:
    user = User.objects.get(username="nobody")
    user.user_permissions.set(Permission.objects.filter(codename__regex="^(add|change|delete|view)_"))
    for url in admin_urls():
        if url not in OPEN_TO_STAFF:
            assert nobody.get(url).status_code in (403, 404), url


def test_choosers_show_no_names(nobody: Client, mallory: Client) -> None:
    url = reverse("admin:autocomplete")
    for browser in (nobody, mallory):
        for app, model, field in (
            ("accounts", "accesstoken", "user"), ("accounts", "user", "owner"), ("accounts", "user", "groups"),
            ("catalog", "component", "project"), ("catalog", "component", "namespace"),
            ("catalog", "projectusergrant", "user"), ("admin", "logentry", "user"),
        ):  # fmt: skip
            reply = browser.get(url, {"app_label": app, "model_name": model, "field_name": field, "term": ""})
            assert reply.status_code in (403, 404) or is_about_ours(reply), (app, model, field)


def is_about_ours(reply: Any) -> bool:
    """Whether a chooser offers Mallory's own objects and no others."""
    shown = [choice["text"] for choice in reply.json()["results"]]
    return bool(shown) and all(text.startswith("ours") for text in shown)


def test_what_django_knows_of_objects_elsewhere_does_not_lead_to_them(mallory: Client) -> None:
    for model in NAMESPACED:
        content_type = ContentType.objects.get_for_model(model)
        obj = theirs(model)
        reply = mallory.get(reverse("admin:view_on_site", args=[content_type.pk, obj.pk]))
        assert reply.status_code == 404


def test_no_model_is_in_the_admin_that_does_not_ask(worlds: None) -> None:
    """Grants themselves and the tables of the engine have no page: only the guarded ones write them."""
    registered = {model._meta.label for model in admin.site._registry}
    for model in (ProjectUserGrant, ProjectGroupGrant, Permission, ContentType):
        assert model._meta.label not in registered


# Access ---------------------------------------------------------------------------------------------------------------


def test_grants_of_others_cannot_be_changed_through_ones_own_page(mallory: Client) -> None:
    mine, other = store.get("Project", "ours", "shop"), store.get("Project", "theirs", "shop")
    assign_perm("project|component:view", person("victim"), other)
    row = ProjectUserGrant.objects.get()
    url = reverse("admin:catalog_project_access", args=[mine.pk])
    for data in ({"do": "take"}, {"do": "end", "until": ""}):
        assert mallory.post(url, {**data, "grant": f"user:project:{row.pk}"}).status_code == 404
    assert mallory.post("/admin/access/unused/", {"grant": f"user:project:{row.pk}"}).status_code == 403
    assert ProjectUserGrant.objects.filter(pk=row.pk).exists()


def test_nobody_gives_themselves_more_through_the_pages(mallory: Client) -> None:
    role("lead", "authzrolebinding:*", "component:view", "project:view", "clusterauthzrole:view")
    bind("leads", "groups:leads", "lead", namespace="theirs")
    browser, lena = signed_in(person("lena", "leads", is_staff=True)), User.objects.get(username="lena")
    shop = store.get("Project", "theirs", "shop")
    url = reverse("admin:catalog_project_access", args=[shop.pk])
    form = {"do": "give", "holder_kind": "user", "holder": "lena", "gives": "role", "role": "ClusterAuthzRole/all"}
    for change in (
        {}, {"holder": "accomplice"}, {"holder_kind": "group", "holder": "groups:leads"},
        {"gives": "action", "action": "component:delete", "holder": "accomplice"},
        {"holder_kind": "group", "holder": "sub:lena", "gives": "action", "action": "component:view"},
    ):  # fmt: skip
        person("accomplice")
        assert browser.post(url, {**form, **change}).status_code == 200, change
    assert not ProjectUserGrant.objects.exists()
    assert not ProjectGroupGrant.objects.exists()
    lead = store.get("ClusterAuthzRole", "", "lead")
    page = reverse("admin:catalog_clusterauthzrole_change", args=[lead.pk])
    assert browser.post(page, {"do": "save-ticks", "action": "*"}).status_code in (403, 404)
    assert store.get("ClusterAuthzRole", "", "lead").spec["actions"] == lead.spec["actions"]
    assert not access_of(lena).allows("component:delete", Place())


def test_previews_tell_nothing_to_who_may_not_save(mallory: Client, nobody: Client) -> None:
    person("victim", "some")
    document = {
        "apiVersion": "openchoreo.dev/v1alpha1", "kind": "AuthzRoleBinding",
        "metadata": {"name": "spy", "namespace": "theirs"},
        "spec": {"entitlement": {"claim": "groups", "value": "some"},
                 "roleMappings": [{"roleRef": {"kind": "AuthzRole", "name": "object"}}]},
    }  # fmt: skip
    from catalog.compiler import yaml

    reply = mallory.post(reverse("admin:catalog_authzrolebinding_add"), {"text": yaml.dump(document), "do": "preview"})
    assert "victim" not in reply.content.decode()
    assert "person" not in reply.content.decode().split("content-main")[1].split("<form")[0]
    new = reverse("admin:catalog_authzrolebinding_add")
    assert nobody.post(new, {"text": yaml.dump(document), "do": "preview"}).status_code == 403


def test_exports_are_for_who_sees_the_list(mallory: Client, nobody: Client) -> None:
    for browser in (mallory, nobody):
        assert browser.get("/admin/access/unused/csv/").status_code == 403
        assert browser.get("/admin/access/people/").status_code == 403


# People ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("with_everything", [False, True])
def test_nobody_makes_a_superuser_who_is_none(with_everything: bool, worlds: None) -> None:
    """Not with every one of Django's permissions on people, and not with a grant of everything everywhere."""
    user = person("climber", "climbers", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label__in=["accounts", "auth"]))
    if with_everything:
        bind("climbers", "groups:climbers", "all")
    browser = signed_in(user)
    root = User.objects.create_superuser("root", "", "the-old-password-1")
    own, others = (reverse("admin:accounts_user_change", args=[who.pk]) for who in (user, root))
    promote = {"username": "climber", "is_superuser": "on", "is_staff": "on", "is_active": "on",
               "principal_kind": "human", "date_joined_0": "2026-01-01", "date_joined_1": "00:00"}  # fmt: skip
    for url in (own, others, reverse("admin:accounts_user_add"), reverse("admin:auth_group_add"),
                reverse("admin:accounts_accesstoken_add"), listing(User), listing(Group), listing(AccessToken),
                reverse("admin:auth_user_password_change", args=[root.pk]),
                reverse("admin:accounts_user_delete", args=[root.pk])):  # fmt: skip
        assert browser.get(url).status_code == 403, url
        data = {
            **promote,
            "name": "x",
            "user": root.pk,
            "password1": "n3w-passphrase-x",
            "password2": "n3w-passphrase-x",
        }
        assert browser.post(url, {**data, "post": "yes"}).status_code == 403, url
    user.refresh_from_db()
    root.refresh_from_db()
    assert not user.is_superuser
    assert root.check_password("the-old-password-1")
    assert User.objects.filter(is_superuser=True).count() == 1
    assert not AccessToken.objects.exists()


@pytest.mark.parametrize("kind", ["service_account", "agent"])
def test_machines_do_not_sign_in(kind: str, client: Client, worlds: None) -> None:
    owner = person("owner")
    machine = person("robot", kind=kind, owner=owner)
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=machine.pk).update(is_staff=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=machine.pk).update(password="pbkdf2_sha256$1$x$y")
    bind("robots", "sub:robot", "all")
    for password in ("", "!", "x", machine.password):
        client.post("/admin/login/", {"username": "robot", "password": password, "next": "/admin/"})
        assert "_auth_user_id" not in client.session
    token = issue_token(machine, "test")
    reply = client.get("/admin/catalog/component/", headers={"Authorization": f"Bearer {token}"})
    assert reply.status_code == 302
    browser = signed_in(machine)  # a session from before, or a stolen cookie
    for url in ("/admin/", "/admin/catalog/component/", f"/admin/access/people/{machine.pk}/"):
        assert browser.get(url).status_code == 302, url


@pytest.mark.parametrize("change", [{"is_active": False}, {"is_staff": False}])
def test_a_session_ends_with_what_let_it_in(change: dict[str, bool], mallory: Client) -> None:
    mine = store.get("Project", "ours", "shop")
    url = reverse("admin:catalog_project_access", args=[mine.pk])
    assert mallory.get(url).status_code == 200
    User.objects.filter(username="mallory").update(**change)
    assert mallory.get(url).status_code == 302
    assert mallory.post(url, {"do": "give"}).status_code == 302


# From another site ----------------------------------------------------------------------------------------------------


def test_no_form_is_taken_from_another_site(worlds: None) -> None:
    root = User.objects.create_superuser("root", "", "x")
    browser = signed_in(root, enforce_csrf_checks=True)
    shop = store.get("Project", "theirs", "shop")
    binding = store.get("AuthzRoleBinding", "theirs", "object")
    made = store.get("ClusterAuthzRole", "", "all")
    posts = {
        reverse("admin:catalog_project_access", args=[shop.pk]): {"do": "give", "holder": "mallory"},
        reverse("admin:catalog_project_delete", args=[shop.pk]): {"post": "yes"},
        reverse("admin:catalog_authzrolebinding_change", args=[binding.pk]): {"do": "end", "until": ""},
        reverse("admin:catalog_authzrolebinding_delete", args=[binding.pk]): {"post": "yes"},
        reverse("admin:catalog_clusterauthzrole_change", args=[made.pk]): {
            "do": "save-ticks",
            "action": "component:view",
        },
        "/admin/access/unused/": {"grant": "user:project:1"},
        reverse("admin:accounts_user_change", args=[root.pk]): {"is_superuser": ""},
        reverse("admin:accounts_accesstoken_add"): {"user": root.pk, "name": "x"},
        listing(User): {"action": "delete_selected", "_selected_action": [root.pk], "post": "yes"},
        "/admin/logout/": {},
    }
    for url, data in posts.items():
        for headers in ({}, {"Origin": "https://evil.example"}, {"Referer": "https://evil.example/"}):
            assert browser.post(url, data, headers=headers).status_code == 403, url
    assert store.get_or_none("Project", "theirs", "shop") is not None
    assert store.get("ClusterAuthzRole", "", "all").spec["actions"] == ["*"]


def test_looking_changes_nothing(worlds: None) -> None:
    """Whatever a link or an image can ask for: GET with the fields of every form."""
    browser = signed_in(User.objects.create_superuser("root", "", "x"))
    shop = store.get("Project", "theirs", "shop")
    person("victim")
    before = Revision.objects.system("test").count()
    fields = {"do": "give", "holder_kind": "user", "holder": "victim", "gives": "action", "action": "component:view",
              "post": "yes", "grant": "user:project:1", "_method": "DELETE"}  # fmt: skip
    for url in [*pages_of(shop), "/admin/access/unused/", "/admin/access/everywhere/"]:
        for headers in ({}, {"X-HTTP-Method-Override": "POST"}):
            browser.get(url, fields, headers=headers)
    assert Revision.objects.system("test").count() == before
    assert not ProjectUserGrant.objects.exists()


def test_what_is_refused_is_on_record(nobody: Client) -> None:
    shop = store.get("Project", "theirs", "shop")
    nobody.post(reverse("admin:catalog_project_access", args=[shop.pk]), {"do": "give"})
    event = AuditEvent.objects.system("test").filter(actor="nobody").order_by("-id").first()
    assert event is not None
    assert (event.surface, event.outcome in ("denied", "invalid")) == ("admin", True)
    assert CANARY not in json.dumps(event.details)
