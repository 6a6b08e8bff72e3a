"""Attack 26: a right that goes, or an owner that changes, between the decision and the write.

Each surface judges and writes in one transaction with the object locked, and nobody's rights change before it commits.
The first half puts the change exactly between reading the rights and the lock; the second, on PostgreSQL, lets the
change run at the same time and watches who waits for whom.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client
from django.urls import reverse

from catalog import store
from catalog.admin import editor
from catalog.api import crud, generate_release, secrets
from catalog.api.stagecraft import documents
from catalog.kinds.cluster_authz_role_binding import ClusterAuthzRoleBinding
from catalog.kinds.component import Component
from portal.accounts.models import User, issue_token
from portal.secrets.models import HeldSecret
from tests.catalog.access.conftest import bind, person, role, unbind
from tests.catalog.api.conftest import ApiClient
from tests.catalog.secrets.conftest import SECRETS, opaque, plane
from tests.factories import TESTER, ComponentFactory, NamespaceFactory, ProjectFactory

pytestmark = pytest.mark.django_db(transaction=True)
COMPONENT = "/api/v1/namespaces/acme/components/web"
SHOP = {"namespace": "acme", "project": "shop"}


@pytest.fixture(autouse=True)
def _component(transactional_db: None) -> None:
    NamespaceFactory(name="acme")
    ProjectFactory(name="shop", namespace="acme")
    ProjectFactory(name="bank", namespace="acme")
    ComponentFactory(name="web", namespace="acme", project="shop")
    role("developer", "component:*", "project:view", "componentrelease:create")


@pytest.fixture
def eve() -> ApiClient:
    """Somebody who may do everything with the components of one project."""
    bind("eve-in-shop", "groups:shop", "developer", scope=SHOP)
    return ApiClient(Client(), issue_token(person("eve", "shop"), "tests"))


def stored() -> Component:
    return Component.objects.system("test").get(name="web")


def changed_body() -> dict[str, Any]:
    document = store.to_document(stored(), with_status=False)
    return {"metadata": {"name": "web", "labels": {"by": "eve"}}, "spec": document["spec"]}


def move(project: str) -> None:
    """Somebody else hands the component to another project."""
    document = store.to_document(stored(), with_status=False)
    document["spec"] = {**document["spec"], "owner": {"projectName": project}}
    # The store's callers cannot do this, for owners never change; whoever restores a backup can.
    rows = Component.objects.system("test").filter(name="web")
    owner = store.get("Project", "acme", project)
    rows.update(spec=document["spec"], project=owner)


def after(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, happening: Callable[[], None]) -> None:
    """Something happens right after a step of the request, when its rights have been read."""
    step = getattr(module, name)

    def then(*args: Any, **named: Any) -> Any:
        result = step(*args, **named)
        for argument in args:
            if hasattr(argument, "access"):
                assert argument.access.policy.rules, "the rights have been read"
        happening()
        return result

    monkeypatch.setattr(module, name, then)


# Between the rights and the lock --------------------------------------------------------------------------------------


def test_a_right_that_has_gone_before_the_row_was_locked_does_not_count(eve: ApiClient, monkeypatch: Any) -> None:
    body = changed_body()
    after(monkeypatch, crud, "read_draft", lambda: unbind("eve-in-shop"))
    assert eve.put(COMPONENT, body).status_code == 404
    assert stored().labels == {}


def test_neither_does_it_for_what_is_made(eve: ApiClient, monkeypatch: Any) -> None:
    body = changed_body()
    body["metadata"] = {"name": "other"}
    after(monkeypatch, crud, "read_draft", lambda: unbind("eve-in-shop"))
    assert eve.post("/api/v1/namespaces/acme/components", body).status_code == 403
    assert Component.objects.system("test").count() == 1


def test_an_owner_that_has_changed_before_the_row_was_locked_decides(eve: ApiClient, monkeypatch: Any) -> None:
    body = changed_body()
    after(monkeypatch, crud, "read_draft", lambda: move("bank"))
    assert eve.put(COMPONENT, body).status_code == 404
    assert stored().labels == {} and stored().spec["owner"]["projectName"] == "bank"


def test_a_user_who_was_switched_off_meanwhile_writes_nothing(monkeypatch: Any) -> None:
    root = User.objects.create_superuser("root", password="x")
    api, body = ApiClient(Client(), issue_token(root, "tests")), changed_body()
    monkeypatch.setattr(crud, "read_draft", switching_off(crud.read_draft, root))
    assert api.put(COMPONENT, body).status_code in (403, 404)
    assert stored().labels == {}


def switching_off(step: Callable[..., Any], user: User) -> Callable[..., Any]:
    def then(*args: Any) -> Any:
        result = step(*args)
        User.objects.filter(pk=user.pk).update(is_active=False)
        return result

    return then


def test_of_many_documents_each_is_judged_when_it_is_written(eve: ApiClient, monkeypatch: Any) -> None:
    document = store.to_document(stored(), with_status=False)
    document["metadata"] = {"name": "web", "namespace": "acme", "labels": {"by": "eve"}}
    after(monkeypatch, documents, "require_write", lambda: unbind("eve-in-shop"))
    reply = eve.post("/api/stagecraft/v1/apply", document)
    assert reply.status_code == 422, reply.content
    assert [item["result"] for item in reply.json()["items"]] == ["failed"]
    assert "component:update" in reply.json()["items"][0]["problems"][0]["message"]
    assert stored().labels == {}


def test_what_apply_keeps_of_the_stored_object_is_judged_too(eve: ApiClient) -> None:
    """A document that leaves the owner out is merged into the object, and the object's owner decides."""
    store.apply(
        {
            "apiVersion": "openchoreo.dev/v1alpha1", "kind": "Component",
            "metadata": {"name": "vault", "namespace": "acme"},
            "spec": {**stored().spec, "owner": {"projectName": "bank"}, "autoDeploy": False},
        },
        TESTER,
    )  # fmt: skip
    sent = {
        "apiVersion": "openchoreo.dev/v1alpha1", "kind": "Component",
        "metadata": {"name": "vault", "namespace": "acme"}, "spec": {"autoDeploy": True},
    }  # fmt: skip
    assert eve.post("/api/stagecraft/v1/apply", sent).status_code == 403
    assert not store.get("Component", "acme", "vault").spec.get("autoDeploy")


def test_a_release_is_cut_by_the_rights_of_the_moment(eve: ApiClient, monkeypatch: Any) -> None:
    after(monkeypatch, generate_release, "release_name_of", lambda: unbind("eve-in-shop"))
    assert eve.post(f"{COMPONENT}/generate-release", {}).status_code == 404


def test_the_admin_judges_at_the_same_moment(client: Client, monkeypatch: Any) -> None:
    bind("eve-in-shop", "groups:shop", "developer", scope=SHOP)
    eve = person("eve", "shop", is_staff=True)
    client.force_login(eve)
    text = editor.text_of(stored())
    form = {
        "text": text.replace("name: web\n", "name: web\n  labels: {by: eve}\n", 1),
        "fingerprint": editor.fingerprint(text),
    }
    after(monkeypatch, editor, "identity_problems", lambda: unbind("eve-in-shop"))
    reply = client.post(reverse("admin:catalog_component_change", args=[stored().pk]), form)
    assert reply.status_code in (200, 404)
    assert stored().labels == {}


def test_the_admin_deletes_only_what_may_be_deleted_now(client: Client, monkeypatch: Any) -> None:
    from catalog.admin import object_admin

    bind("eve-in-shop", "groups:shop", "developer", scope=SHOP)
    client.force_login(person("eve", "shop", is_staff=True))
    after(monkeypatch, object_admin, "actor_of", lambda: None)
    real = object_admin.ObjectAdmin.delete_model

    def delete_after_the_revocation(self: Any, request: Any, obj: Any) -> None:
        unbind("eve-in-shop")
        real(self, request, obj)

    monkeypatch.setattr(object_admin.ObjectAdmin, "delete_model", delete_after_the_revocation)
    client.post(reverse("admin:catalog_component_delete", args=[stored().pk]), {"post": "yes"})
    assert stored().deleted_at is None


@pytest.mark.parametrize("what", ["create", "replace", "delete"])
def test_a_secret_is_written_by_the_rights_of_the_moment(settings: Any, monkeypatch: Any, what: str) -> None:
    settings.SECRET_MANAGEMENT_ENABLED = True
    store.create(plane("ClusterDataPlane"), TESTER)
    role("keeper", "secret:*")
    bind("eve-keeps", "groups:shop", "keeper", namespace="acme")
    eve = ApiClient(Client(), issue_token(person("eve", "shop"), "tests"))
    if what != "create":
        assert eve.post(SECRETS, opaque()).status_code == 201
    before = [row.version for row in HeldSecret.objects.all()]
    after(monkeypatch, secrets, "require", lambda: unbind("eve-keeps", "acme"))
    name = f"{SECRETS}/{opaque()['secretName']}"
    ask = {
        "create": lambda: eve.post(SECRETS, opaque()),
        "replace": lambda: eve.put(name, {"data": {"password": "another"}}),
        "delete": lambda: eve.delete(name),
    }
    assert ask[what]().status_code in (403, 404)
    assert [row.version for row in HeldSecret.objects.all()] == before


# At the same time ----------------------------------------------------------------------------------------------------


class Aside:
    """Something that runs at the same time, on a connection of its own."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self.result: Any = None
        self.error: BaseException | None = None
        self.ended_at = 0.0
        self.thread = threading.Thread(target=self.run, args=(work,))
        self.thread.start()

    def run(self, work: Callable[[], Any]) -> None:
        try:
            self.result = work()
        except BaseException as error:
            self.error = error
        finally:
            self.ended_at = time.monotonic()
            connections.close_all()

    def join(self) -> Any:
        self.thread.join(30)
        assert not self.thread.is_alive()
        if self.error is not None:
            raise self.error
        return self.result


def until_somebody_waits() -> None:
    """Wait until a connection of this database waits for a lock of another."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with connections["default"].cursor() as cursor:
            # Not pg_stat_activity: within a transaction it shows the same moment again and again.
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.02)
    raise AssertionError("nobody waits")


@pytest.fixture
def _rows() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time: nothing runs beside a transaction")


needs_rows = pytest.mark.usefixtures("_rows")


@needs_rows
def test_a_write_that_waited_for_the_row_is_judged_by_what_holds_then(eve: ApiClient) -> None:
    body = changed_body()
    with store.transaction():
        store.lock("Component", "acme", "web")
        write = Aside(lambda: eve.put(COMPONENT, body))
        until_somebody_waits()
        Aside(lambda: unbind("eve-in-shop")).join()
    assert write.join().status_code == 404
    assert stored().labels == {}


@needs_rows
def test_a_revocation_returns_only_after_what_it_would_forbid_is_committed(eve: ApiClient, monkeypatch: Any) -> None:
    asides: list[Aside] = []
    before_commit: list[bool] = []

    def while_writing(*args: Any, **named: Any) -> Any:
        asides.append(Aside(lambda: unbind("eve-in-shop")))
        until_somebody_waits()
        before_commit.append(asides[0].thread.is_alive())
        return store.replace(*args, **named)

    monkeypatch.setattr(crud, "store_replace", while_writing)
    body = changed_body()
    assert eve.put(COMPONENT, body).status_code == 200
    asides[0].join()
    assert before_commit == [True] and stored().labels["by"] == "eve"
    monkeypatch.undo()
    assert eve.put(COMPONENT, body).status_code == 404


@needs_rows
def test_a_member_who_is_taken_out_of_a_group_meanwhile_is_refused(eve: ApiClient) -> None:
    body = changed_body()
    with store.transaction():
        store.lock("Component", "acme", "web")
        write = Aside(lambda: eve.put(COMPONENT, body))
        until_somebody_waits()
        Aside(lambda: User.objects.get(username="eve").groups.clear()).join()
    assert write.join().status_code == 404
    assert stored().labels == {}


@needs_rows
def test_two_writes_at_once_are_both_judged_and_both_kept_in_order(eve: ApiClient) -> None:
    body = changed_body()
    with store.transaction():
        store.lock("Component", "acme", "web")
        first = Aside(lambda: eve.put(COMPONENT, {**body, "metadata": {"name": "web", "labels": {"by": "one"}}}))
        other = ApiClient(Client(), eve.token)
        second = Aside(lambda: other.put(COMPONENT, {**body, "metadata": {"name": "web", "labels": {"by": "two"}}}))
        until_somebody_waits()
    assert {first.join().status_code, second.join().status_code} == {200}
    changes = store.history("Component", "acme", "web").filter(action="changed").values_list("after", flat=True)
    assert {document["metadata"]["labels"]["by"] for document in changes} == {"one", "two"}


@needs_rows
def test_the_last_two_ways_to_everything_do_not_end_each_other() -> None:
    """Each of two administrators removes the other's binding at the same time: one of them must stay."""
    assert not User.objects.filter(is_superuser=True).exists()
    role("everything", "*")
    for name in ("ann", "bob"):
        bind(f"{name}s-team", f"groups:{name}s", "everything")
    teams = {name: ApiClient(Client(), issue_token(person(name, f"{name}s"), "tests")) for name in ("ann", "bob")}
    start = threading.Barrier(2)

    def remove(who: str, whose: str) -> int:
        start.wait(10)
        return int(teams[who].delete(f"/api/v1/clusterauthzrolebindings/{whose}s-team").status_code)

    asides = [Aside(lambda: remove("ann", "bob")), Aside(lambda: remove("bob", "ann"))]
    statuses = sorted(aside.join() for aside in asides)
    left = ClusterAuthzRoleBinding.objects.system("test").filter(name__endswith="s-team").count()
    assert left == 1 and statuses[0] == 204 and statuses[1] in (403, 404), statuses
