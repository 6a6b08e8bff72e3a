"""What people say to drift: accepted it becomes an override that renders the live value, ignored it ends by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalog.controllers.models import WorkItem
from catalog.delivery import drift_records
from catalog.delivery.drift import Change, Difference, difference_id
from catalog.delivery.drift_models import DriftRecord
from catalog.delivery.drift_records import stance_of
from catalog.delivery.plane import Drifted, ObjectKey
from catalog.kinds.rendered_object import RenderedObject
from catalog.kinds.rendered_release import RenderedRelease
from catalog.manifests.drifting import accept, ignore, restore
from catalog.manifests.overriding import NotAcceptable
from portal.accounts.actor import Actor
from portal.accounts.models import User, issue_token
from portal.audit.models import AuditEvent
from tests.catalog.controllers import components as web
from tests.catalog.controllers import installation as it
from tests.catalog.manifests.conftest import run

pytestmark = pytest.mark.django_db
ANN = Actor("ann", surface="rest")
State = DriftRecord.State
DRIFT = "/api/stagecraft/v1/namespaces/default/releasebindings/web-development/drift"


@pytest.fixture(autouse=True)
def deployed() -> None:
    web.install()
    web.deploy(container={"env": [{"key": "LEVEL", "value": "info"}]})
    it.apply("ReleaseBinding", "web-development", {
        **it.get("ReleaseBinding", "web-development").spec,
        "componentTypeEnvironmentConfigs": {"replicas": 3},
    })  # fmt: skip
    web.settle()


def the_release() -> RenderedRelease:
    found: RenderedRelease = RenderedRelease.objects.system("test").get(name="web-development")
    return found


def row_of(kind: str) -> RenderedObject:
    found: RenderedObject = RenderedObject.objects.system("test").get(rendered_release=the_release(), kind=kind)
    return found


def found(kind: str, path: str, live: Any, change: Change = Change.CHANGED, **fields: Any) -> str:
    """A difference, as a delivery has come upon it; its id."""
    key = ObjectKey(*row_of(kind).identity)
    item = Difference(change, path, live=live, manager="kubectl", time="2026-11-21T10:00:00Z")
    drift_records.note(the_release(), {key: Drifted((item,), **fields)}, timezone.now())
    return difference_id(key, path)


def record(identity: str) -> DriftRecord:
    row: DriftRecord = DriftRecord.objects.system("test").filter(difference=identity).latest("id")
    return row


def test_a_setting_that_was_changed_by_hand_becomes_that_setting_of_the_environment():
    identity = found("Deployment", "spec.replicas", 5)
    accept(web.binding(), identity, ANN)
    web.settle()
    assert web.binding().spec["componentTypeEnvironmentConfigs"] == {"replicas": 5}
    assert web.manifests()["Deployment"]["spec"]["replicas"] == 5
    assert (record(identity).state, record(identity).decided_by) == (State.ACCEPTED, "ann")


def test_what_no_setting_leads_to_is_refused_with_what_it_is_made_of():
    image = "spec.template.spec.containers[main].image"
    with pytest.raises(NotAcceptable, match="made of workload"):
        accept(web.binding(), found("Deployment", image, "other:1"), ANN)
    assert web.binding().spec["componentTypeEnvironmentConfigs"] == {"replicas": 3}


@pytest.mark.parametrize(
    ("path", "change", "words"),
    [
        ("", Change.OBJECT_REMOVED, "can set a value and not take one away"),
        ("spec.replicas", Change.REMOVED, "can set a value and not take one away"),
        ("metadata.annotations[example.com/a]", Change.ADDED, "none of the release's fields"),
    ],
)
def test_what_an_override_cannot_say_is_refused_with_the_reason(path, change, words):
    with pytest.raises(NotAcceptable, match=words):
        accept(web.binding(), found("Deployment", path, {"x": 1}, change), ANN)


def test_what_is_ignored_is_left_alone_until_its_time_is_over():
    identity = found("Deployment", "spec.replicas", 5)
    ignore(web.binding(), identity, timezone.now() + timedelta(days=7), "load test", ANN)
    key = ObjectKey(*row_of("Deployment").identity)
    assert stance_of(the_release(), timezone.now()).ignored == {key: ("spec.replicas",)}
    later = timezone.now() + timedelta(days=8)
    assert stance_of(the_release(), later).ignored == {}
    assert record(identity).state == State.EXPIRED
    assert row_of("Deployment").seen_digest == "expired"


def test_what_was_mended_stays_in_the_history_when_it_is_ignored_from_now_on():
    identity = found("Deployment", "spec.replicas", 5)
    ignore(web.binding(), identity, timezone.now() + timedelta(hours=1), "load test", ANN)
    states = DriftRecord.objects.system("test").filter(difference=identity).values_list("state", flat=True)
    assert sorted(states) == [State.IGNORED, State.RESTORED]


def test_where_it_is_only_reported_it_waits_for_a_person_and_restore_makes_it_due():
    identity = found("Deployment", "spec.replicas", 5, is_held=True)
    assert record(identity).state == State.OPEN
    it.apply("ReleaseBinding", "web-development", web.binding().spec, annotations={drift_records.ON_DRIFT: "report"})
    web.settle()
    key = ObjectKey(*row_of("Deployment").identity)
    assert stance_of(the_release(), timezone.now()).holds(key)
    WorkItem.objects.filter(kind="RenderedRelease").update(due_at=None)
    restore(web.binding(), [identity], ANN)
    assert record(identity).state == State.RESTORING
    assert not stance_of(the_release(), timezone.now()).holds(key)
    assert row_of("Deployment").seen_digest == "restore"
    assert WorkItem.objects.get(kind="RenderedRelease", object_id=the_release().pk).due_at is not None


def test_a_binding_that_mends_again_takes_up_what_was_left():
    found("Deployment", "spec.replicas", 5, is_held=True)
    assert not stance_of(the_release(), timezone.now()).holds(ObjectKey(*row_of("Deployment").identity))
    assert row_of("Deployment").seen_digest == "restore"


def test_two_that_correct_each_other_are_parted_and_people_are_told():
    for _ in range(drift_records.TOO_OFTEN):
        identity = found("Deployment", "spec.replicas", 5)
    row = record(identity)
    assert (row.state, row.count) == (State.OPEN, drift_records.TOO_OFTEN)
    assert "changed again by kubectl" in row.note
    key = ObjectKey(*row_of("Deployment").identity)
    assert stance_of(the_release(), timezone.now()).holds(key)
    assert not stance_of(the_release(), timezone.now() + drift_records.PEACE).holds(key)


def test_a_restart_that_is_seen_again_is_noted_once():
    path = "spec.template.metadata.annotations[kubectl.kubernetes.io/restartedAt]"
    for at in ("10:00", "10:00", "11:00"):
        identity = found("Deployment", path, at, Change.RESTARTED)
    rows = DriftRecord.objects.system("test").filter(difference=identity).order_by("id")
    assert [(row.state, row.live) for row in rows] == [("noted", {"value": "10:00"}), ("noted", {"value": "11:00"})]


def test_values_of_secrets_are_not_written_down():
    key = ObjectKey("", "Secret", "cell", "token")
    item = Difference(Change.CHANGED, "data.token", live="c2VjcmV0", applied="b2xk")
    drift_records.note(the_release(), {key: Drifted((item,))}, timezone.now())
    row = DriftRecord.objects.system("test").get(kind="Secret")
    assert (row.live, row.applied) == ({"value": "(not shown)"}, {"value": "(not shown)"})


def test_what_is_over_is_forgotten_after_its_time(settings):
    identity = found("Deployment", "spec.replicas", 5)
    settings.DRIFT_KEEP_DAYS = 1
    assert drift_records.forget_old() == 0
    assert drift_records.forget_old(timezone.now() + timedelta(days=2)) == 1
    assert not DriftRecord.objects.system("test").filter(difference=identity).exists()


# Surfaces -------------------------------------------------------------------------------------------------------------


def post(client: Client, user: User, what: str, body: dict[str, Any]) -> Any:
    headers = {"Authorization": f"Bearer {issue_token(user, 'test')}"}
    return client.post(f"{DRIFT}/{what}", body, content_type="application/json", headers=headers)


def test_rest_takes_the_three_answers_and_each_leaves_an_event(client: Client):
    root = User.objects.create_superuser("root")
    identity = found("Deployment", "spec.replicas", 5)
    reply = post(client, root, "ignore", {"id": identity, "for": "2d", "reason": "load test"})
    assert (reply.status_code, reply.json()["state"], reply.json()["decidedBy"]) == (200, "ignored", "root")
    assert post(client, root, "restore", {}).status_code == 202
    reply = post(client, root, "accept", {"id": identity})
    assert (reply.status_code, reply.json()["state"]) == (200, "accepted")
    asked = AuditEvent.objects.system("test").filter(actor="root").values_list("action", flat=True)
    assert {"drift:ignore", "drift:restore"} <= set(asked)


@pytest.mark.parametrize(
    ("what", "body", "status", "words"),
    [
        ("accept", {"id": "0" * 12}, 404, "has no difference"),
        ("ignore", {"id": "?", "for": "soon", "reason": "x"}, 400, "write 30m, 12h, 7d or 2w"),
        ("ignore", {"id": "?", "for": "7d"}, 400, "reason"),
        ("restore", {"ids": "all"}, 400, "list of texts"),
    ],
)
def test_what_cannot_be_done_is_said(client: Client, what, body, status, words):
    reply = post(client, User.objects.create_superuser("root"), what, body)
    assert (reply.status_code, words in reply.content.decode()) == (status, True), reply.content


def test_who_may_not_is_told_nothing(client: Client):
    identity = found("Deployment", "spec.replicas", 5)
    for what in ("restore", "accept", "ignore"):
        reply = post(client, User.objects.create_user(f"stranger-{what}"), what, {"id": identity})
        assert reply.status_code == 404, reply.content
    assert record(identity).state == State.RESTORED


def test_the_command_line_gives_the_same_answers():
    identity = found("Deployment", "spec.replicas", 5)
    shown = run("drift", "web-development", "--ignore", identity, "--for", "1h", "--reason", "load test")
    assert (shown.code, "is left alone until" in shown.out) == (0, True), shown
    shown = run("drift", "web-development", "--accept", identity)
    assert "spec.replicas is an override of web-development now" in shown.out
    shown = run("drift", "web-development")
    assert "nothing has been delivered yet" in shown.out
    assert "changed by hand, accepted by" in shown.out


def test_the_admin_shows_it_and_takes_the_answers(client: Client):
    client.force_login(User.objects.create_superuser("root", "root@example.com", "x"))
    identity = found("Deployment", "spec.replicas", 5)
    url = reverse("admin:catalog_releasebinding_drift", args=[web.binding().pk])
    page = client.get(url).content.decode()
    assert "spec.replicas" in page
    assert "changed by hand" in page
    assert url in client.get(url.replace("/drift/", "/change/")).content.decode()
    client.post(url, {"do": "ignore", "id": identity, "for": "7d", "reason": "load test"})
    assert (record(identity).state, record(identity).decided_by) == (State.IGNORED, "root")
    client.post(url, {"do": "accept", "id": identity})
    assert web.binding().spec["componentTypeEnvironmentConfigs"] == {"replicas": 5}
    refused = client.post(url, {"do": "accept", "id": "nothing"}, follow=True)
    assert "has no difference nothing" in refused.content.decode()


def test_a_projects_binding_has_no_overrides_and_says_so():
    it.look_again("Project", "shop")
    it.settle("Project", "ProjectReleaseBinding")
    cell = it.get("ProjectReleaseBinding", "shop-development")
    release = it.release_of(cell)
    key = ObjectKey(*RenderedObject.objects.system("test").filter(rendered_release=release)[0].identity)
    item = Difference(Change.CHANGED, "metadata.labels.team", live="mine", manager="kubectl")
    drift_records.note(release, {key: Drifted((item,))}, timezone.now())
    with pytest.raises(NotAcceptable, match="ProjectReleaseBinding has no overrides for single fields"):
        accept(cell, difference_id(key, item.path), ANN)
    assert restore(cell, [difference_id(key, item.path)], ANN) == [str(key)]


def test_what_happens_to_one_object_in_different_ways_is_told_apart():
    for change in (Change.OBJECT_REMOVED, Change.OBJECT_GOING):
        found("Deployment", "", {"x": 1}, change)
    changes = DriftRecord.objects.system("test").order_by("id").values_list("change", "count")
    assert list(changes) == [("object removed", 1), ("object being removed", 1)]
