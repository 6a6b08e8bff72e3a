"""RenderedRelease: delivery, differences only, what is reported, and clean-up that always ends."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog import store
from catalog.controllers import rendered_release as controller
from catalog.controllers import runtime
from catalog.controllers.models import WorkItem
from catalog.controllers.registry import controller_of
from catalog.delivery import drivers
from catalog.delivery.git.plane import GitPlane
from catalog.delivery.plane import (
    Applied,
    Capabilities,
    ObjectKey,
    Observed,
    OwnedObject,
    PlaneError,
    PlaneNotConfigured,
)
from catalog.kinds.base import API_VERSION
from catalog.kinds.environment import Environment
from catalog.kinds.rendered_release import RenderedRelease
from portal.accounts.actor import Actor
from tests.catalog.delivery.deliveries import commits, config_map, content, deployment, files, git, manifests

pytestmark = pytest.mark.django_db
ALICE = Actor("alice", surface="rest", request_id="request-7")
PLATFORM = Actor("platform", surface="cli")
CART = "default/development/shop/cart"
RELATED = controller_of("RenderedRelease").related


def apply(kind: str, name: str, spec: dict[str, Any], actor: Actor = PLATFORM, **metadata: Any) -> Any:
    namespaced = {} if kind.startswith("Cluster") or kind == "Namespace" else {"namespace": "default"}
    document = {
        "apiVersion": "v1" if kind == "Namespace" else API_VERSION,
        "kind": kind,
        "metadata": {"name": name, **namespaced, **metadata},
        **({} if kind == "Namespace" else {"spec": spec}),
    }
    return store.put(document, actor).obj


AGENT = {"clusterAgent": {"clientCA": {"value": "a certificate"}}}


def apply_plane(kind: str = "DataPlane", **annotations: str) -> Any:
    given = {f"stagecraft.dev/{name.replace('_', '-')}": value for name, value in annotations.items()}
    extra = {"observerURL": "http://observer"} if kind == "ObservabilityPlane" else {}
    return apply(kind, "default", {"planeID": "default", **AGENT, **extra}, annotations=given)


@pytest.fixture
def repository(settings, tmp_path) -> Path:
    """An installation with one environment on the embedded Git plane; the plane's repository."""
    settings.HOME = tmp_path
    settings.GIT_PLANE_REPOSITORY = str(tmp_path / "planes" / "default.git")
    apply("Namespace", "default", {})
    apply_plane()
    apply("Environment", "development", {"dataPlaneRef": {"kind": "DataPlane", "name": "default"}})
    return tmp_path / "planes" / "default.git"


def release(*bodies: dict[str, Any], name: str = "cart-development", **fields: Any) -> RenderedRelease:
    """A rendered release as a binding writes it."""
    annotations = fields.pop("annotations", {})
    owners = fields.pop("ownerReferences", [])
    spec = {
        "owner": {"projectName": "shop", "componentName": "cart"},
        "environmentName": "development",
        "targetPlane": "dataplane",
        "resources": [{"id": f"{body['kind'].lower()}-{body['metadata']['name']}", "object": body} for body in bodies],
        **fields,
    }
    return apply("RenderedRelease", name, spec, annotations=annotations, ownerReferences=owners)


def look(held: RenderedRelease) -> Any:
    """One look at the object as it is stored now, as the runtime takes it."""
    fresh = RenderedRelease.objects.system("test").select_related(*RELATED).get(pk=held.pk)
    return controller.reconcile(fresh)


def reread(held: RenderedRelease) -> RenderedRelease:
    return RenderedRelease.objects.system("test").get(pk=held.pk)


def condition(held: RenderedRelease, name: str = "ResourcesApplied") -> tuple[str, str, str]:
    found = reread(held).condition(name) or {}
    return found.get("status", ""), found.get("reason", ""), found.get("message", "")


DELIVERED = ("True", "ApplySucceeded", "All resources applied successfully")


def test_it_delivers_and_reports_in_the_contracts_words(repository):
    held = release(config_map(a="1"), deployment())
    look(held)
    assert manifests(repository) == [f"{CART}/configmap-settings.yaml", f"{CART}/deployment-cart.yaml"]
    assert condition(held) == DELIVERED
    status = reread(held).status
    times = [entry.pop("lastObservedTime") for entry in status["resources"]]
    assert status["resources"] == [
        {
            "id": "configmap-settings",
            "version": "v1",
            "kind": "ConfigMap",
            "name": "settings",
            "namespace": "dp",
            "healthStatus": "Unknown",
        },
        {
            "id": "deployment-cart",
            "group": "apps",
            "version": "v1",
            "kind": "Deployment",
            "name": "cart",
            "namespace": "dp",
            "healthStatus": "Unknown",
        },
    ]
    assert all(time.endswith("Z") for time in times)
    assert set(status) == {"conditions", "resources"}


def test_what_it_delivers_bears_the_releases_own_uid(repository):
    held = release(config_map(a="1"))
    look(held)
    labels = content(repository, f"{CART}/configmap-settings.yaml")["metadata"]["labels"]
    assert labels["openchoreo.dev/rendered-release-uid"] == str(held.uid)
    assert labels["openchoreo.dev/rendered-release-name"] == "cart-development"


def test_rows_say_what_was_applied_and_when(repository):
    held = release(config_map(a="1"), deployment())
    look(held)
    first = {row.kind: (row.applied_hash, row.applied_at) for row in held.rendered_objects.system("test")}
    assert all(row.applied_hash == row.manifest_id for row in held.rendered_objects.system("test"))
    release(config_map(a="1"), deployment(image="cart:2"))
    look(held)
    second = {row.kind: (row.applied_hash, row.applied_at) for row in held.rendered_objects.system("test")}
    assert second["ConfigMap"] == first["ConfigMap"]
    assert second["Deployment"] != first["Deployment"]
    assert git(repository, "diff", "--name-only", "main~1", "main").splitlines() == [
        f"{CART}/.stagecraft",
        f"{CART}/deployment-cart.yaml",
    ]


def test_an_object_that_left_the_release_leaves_the_plane_and_the_status(repository):
    held = release(config_map(a="1"), deployment())
    look(held)
    release(deployment())
    look(held)
    assert manifests(repository) == [f"{CART}/deployment-cart.yaml"]
    assert [entry["id"] for entry in reread(held).status["resources"]] == ["deployment-cart"]


def test_a_look_at_what_is_settled_writes_nothing(repository):
    held = release(config_map(a="1"), deployment())
    look(held)
    revisions = store.position()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        result = look(held)
    assert all(query["sql"].startswith("SELECT") for query in queries.captured_queries)
    assert len(queries) <= 4
    assert store.position() == revisions
    assert len(commits(repository)) == 1
    assert timedelta(minutes=5) <= result.again_after <= timedelta(minutes=6)


@pytest.mark.parametrize(("interval", "seconds"), [("30s", 30), ("1h30m", 5400), ("0s", None), ("100ms", 0.1)])
def test_the_releases_own_interval_holds_and_zero_means_never(repository, interval, seconds):
    again_after = look(release(config_map(a="1"), interval=interval)).again_after
    if seconds is None:
        assert again_after is None
    else:
        assert seconds <= again_after.total_seconds() <= seconds * 1.2


def test_an_edit_by_hand_is_mended_at_the_next_look(repository, tmp_path):
    held = release(config_map(a="1"))
    look(held)
    git(tmp_path, "clone", "-q", str(repository), "clone")
    git(tmp_path / "clone", "rm", "-q", f"{CART}/configmap-settings.yaml")
    git(tmp_path / "clone", "commit", "-q", "-m", "by hand")
    git(tmp_path / "clone", "push", "-q")
    look(held)
    assert manifests(repository) == [f"{CART}/configmap-settings.yaml"]
    assert len(commits(repository)) == 3


def test_the_commit_names_the_one_who_changed_the_binding_last(repository):
    spec = {"owner": {"projectName": "shop", "componentName": "cart"}, "environment": "development"}
    apply("ReleaseBinding", "cart-development", {**spec, "releaseName": "cart-1"})
    binding = apply("ReleaseBinding", "cart-development", {**spec, "releaseName": "cart-2"}, actor=ALICE)
    owner = {"apiVersion": API_VERSION, "kind": "ReleaseBinding", "name": binding.name, "uid": str(binding.uid)}
    look(release(config_map(a="1"), ownerReferences=[{**owner, "controller": True}]))
    message = git(repository, "log", "-1", "--format=%an%n%B")
    assert message.startswith("alice\nDeliver cart to development: cart-2\n")
    assert "\nActor: alice\nRequest-Id: request-7" in message
    assert "\nPlane: DataPlane default/default\n" in message


def test_a_restart_changes_the_pod_template_of_deployments_only(repository):
    held = release(config_map(a="1"), deployment())
    look(held)
    release(config_map(a="1"), deployment(), annotations={"openchoreo.dev/restartedAt": "2026-11-21T10:00:00Z"})
    look(held)
    template = content(repository, f"{CART}/deployment-cart.yaml")["spec"]["template"]
    assert template["metadata"] == {
        "labels": {"app": "cart"},
        "annotations": {"openchoreo.dev/restartedAt": "2026-11-21T10:00:00Z"},
    }
    assert git(repository, "diff", "--name-only", "main~1", "main").splitlines() == [
        f"{CART}/.stagecraft",
        f"{CART}/deployment-cart.yaml",
    ]
    look(held)
    assert len(commits(repository)) == 2


def test_a_worker_that_was_held_up_does_not_overwrite_a_newer_delivery(repository):
    held = release(config_map(a="1"))
    stale = RenderedRelease.objects.system("test").select_related(*RELATED).get(pk=held.pk)
    release(config_map(a="2"))
    look(held)
    assert controller.reconcile(stale).again_after is None
    assert content(repository, f"{CART}/configmap-settings.yaml")["data"] == {"a": "2"}
    assert len(commits(repository)) == 1


def test_killed_between_the_commit_and_the_database_it_goes_on_without_a_second_commit(repository, monkeypatch):
    held = release(config_map(a="1"))

    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(controller.object_rows, "record", die)
        with pytest.raises(KeyboardInterrupt):
            look(held)
    assert reread(held).status == {}
    look(held)
    assert condition(held) == DELIVERED
    assert len(commits(repository)) == 1


# Planes that are missing, wrong or down.


def test_without_an_environment_it_says_so_and_comes_back_when_there_is_one(repository):
    held = release(config_map(a="1"), environmentName="staging")
    result = look(held)
    assert condition(held) == (
        "False",
        "ApplyFailed",
        'Failed to apply resources to target plane: environment "staging" not found',
    )
    assert "resources" not in reread(held).status
    assert result.again_after == controller.CONFIGURATION_RETRY
    WorkItem.objects.all().delete()
    apply("Environment", "staging", {"dataPlaneRef": {"kind": "DataPlane", "name": "default"}})
    assert WorkItem.objects.filter(kind="RenderedRelease", object_id=held.pk, due_at__lte=timezone.now()).exists()
    look(held)
    assert condition(held) == DELIVERED


def test_a_plane_that_is_not_configured_is_a_condition_not_a_crash(repository):
    apply_plane(driver="kubernetes")
    held = release(config_map(a="1"))
    look(held)
    status, reason, message = condition(held)
    assert (status, reason) == ("False", "ApplyFailed")
    assert "says no cluster" in message
    WorkItem.objects.all().delete()
    apply_plane()
    assert WorkItem.objects.filter(kind="RenderedRelease", object_id=held.pk).exists()
    look(held)
    assert condition(held) == DELIVERED


def test_a_plane_error_is_reported_and_tried_again_by_the_runtime(repository, monkeypatch):
    held = release(config_map(a="1"))

    def refuse(self, delivery):
        raise PlaneError("the remote is down")

    with monkeypatch.context() as patch:
        patch.setattr(GitPlane, "apply", refuse)
        with pytest.raises(PlaneError):
            look(held)
    assert condition(held)[2] == "Failed to apply resources to target plane: the remote is down"
    look(held)
    assert condition(held) == DELIVERED


def test_one_refused_object_is_named_and_the_others_are_delivered(repository, monkeypatch):
    held = release(config_map(a="1"), deployment())
    apply_all = GitPlane.apply
    refused = ObjectKey("apps", "Deployment", "dp", "cart")

    def refuse_one(self, delivery):
        applied = apply_all(self, delivery)
        return Applied(applied.changed, applied.revision, applied.state, errors={refused: "no such field"})

    with monkeypatch.context() as patch:
        patch.setattr(GitPlane, "apply", refuse_one)
        with pytest.raises(PlaneError):
            look(held)
    assert condition(held)[2] == (
        "Failed to apply resources to target plane: failed to apply resource deployment-cart: no such field"
    )
    rows = {row.kind: row for row in held.rendered_objects.system("test")}
    assert (rows["ConfigMap"].applied_hash, rows["ConfigMap"].apply_error) == (rows["ConfigMap"].manifest_id, "")
    assert (rows["Deployment"].applied_hash, rows["Deployment"].apply_error) == ("", "no such field")
    assert [entry["kind"] for entry in reread(held).status["resources"]] == ["ConfigMap"]
    look(held)
    assert condition(held) == DELIVERED
    assert held.rendered_objects.system("test").get(kind="Deployment").apply_error == ""


def test_an_observability_release_goes_to_the_observability_plane(repository):
    apply_plane("ObservabilityPlane", git_branch="observability")
    held = release(config_map(a="1"), name="cart-development-observability", targetPlane="observabilityplane")
    look(held)
    assert manifests(repository, "observability") == [f"_observability/{CART}/configmap-settings.yaml"]
    assert reread(held).delivered_to["location"]["kind"] == "ObservabilityPlane"


def test_an_environment_that_names_no_plane_uses_the_default_one(repository):
    apply("Environment", "staging", {})
    look(release(config_map(a="1"), environmentName="staging"))
    assert manifests(repository) == ["default/staging/shop/cart/configmap-settings.yaml"]


def test_when_the_plane_moves_the_objects_move_with_it_and_none_stay_behind(repository):
    held = release(config_map(a="1"))
    look(held)
    apply_plane(git_branch="east")
    look(held)
    assert manifests(repository, "east") == [f"{CART}/configmap-settings.yaml"]
    assert files(repository, "main") == []
    assert reread(held).delivered_to["leaving"] == []


def test_what_could_not_be_removed_from_a_former_plane_is_removed_later(repository, monkeypatch):
    held = release(config_map(a="1"))
    look(held)
    apply_plane(git_branch="east")

    def refuse(self, *_):
        raise PlaneError("not now")

    with monkeypatch.context() as patch:
        patch.setattr(GitPlane, "delete", refuse)
        look(held)
    assert condition(held) == DELIVERED
    assert len(reread(held).delivered_to["leaving"]) == 1
    assert files(repository, "main")
    look(held)
    assert files(repository, "main") == []


# Clean-up.


def delete(held: RenderedRelease) -> None:
    store.delete("RenderedRelease", "default", held.name, PLATFORM)


def test_deleting_takes_the_objects_off_the_plane_and_then_lets_go(repository):
    held = release(config_map(a="1"))
    look(held)
    delete(held)
    look(held)
    assert files(repository) == []
    assert not RenderedRelease.objects.system("test").filter(pk=held.pk).exists()


def test_a_release_that_was_never_delivered_goes_at_once(repository):
    held = release(config_map(a="1"), environmentName="nowhere")
    delete(held)
    look(held)
    assert not RenderedRelease.objects.system("test").filter(pk=held.pk).exists()
    assert not repository.exists()


def test_killed_right_after_the_first_commit_clean_up_still_knows_where_to_look(repository, monkeypatch):
    held = release(config_map(a="1"))

    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(controller.object_rows, "record", die)
        with pytest.raises(KeyboardInterrupt):
            look(held)
    delete(held)
    look(held)
    assert files(repository) == []
    assert not RenderedRelease.objects.system("test").filter(pk=held.pk).exists()


def forget_environment_and_plane() -> None:
    """As when somebody has removed their finalizers by hand."""
    for kind, name in (("Environment", "development"), ("DataPlane", "default")):
        obj = store.get(kind, "default", name)
        for finalizer in list(obj.finalizers):
            store.remove_finalizer(obj, finalizer, PLATFORM)
        store.delete(kind, "default", name, PLATFORM)
    assert not Environment.objects.system("test").exists()


def test_clean_up_survives_the_environment_and_the_plane(repository):
    held = release(config_map(a="1"))
    look(held)
    forget_environment_and_plane()
    delete(held)
    look(held)
    assert files(repository) == []
    assert not RenderedRelease.objects.system("test").filter(pk=held.pk).exists()


def test_a_plane_that_cannot_be_cleaned_up_holds_the_release_and_says_why(repository, monkeypatch):
    held = release(config_map(a="1"))
    look(held)
    delete(held)

    def refuse(self, *_):
        raise PlaneError("the remote is down")

    with monkeypatch.context() as patch:
        patch.setattr(GitPlane, "delete", refuse)
        with pytest.raises(PlaneError):
            look(held)
        assert condition(held, "Finalizing") == ("True", "CleanupFailed", "the remote is down")
        RenderedRelease.objects.system("test").filter(pk=held.pk).update(deleted_at=timezone.now() - timedelta(hours=1))
        with pytest.raises(PlaneError):
            look(held)
    look(held)
    assert not RenderedRelease.objects.system("test").filter(pk=held.pk).exists()


@pytest.mark.parametrize("error", [PlaneError, PlaneNotConfigured])
def test_when_the_plane_is_gone_and_does_not_answer_clean_up_ends_and_names_what_is_left(
    repository, monkeypatch, caplog, error
):
    held = release(config_map(a="1"), deployment())
    look(held)
    forget_environment_and_plane()
    delete(held)

    def refuse(self, *_):
        raise error("no route to host")

    monkeypatch.setattr(GitPlane, "delete", refuse)
    if error is PlaneError:
        with pytest.raises(PlaneError):
            look(held)
    else:
        assert look(held).again_after
    assert RenderedRelease.objects.system("test").filter(pk=held.pk).exists(), "it may only be down for a moment"
    RenderedRelease.objects.system("test").filter(pk=held.pk).update(deleted_at=timezone.now() - timedelta(minutes=6))
    look(held)
    assert not RenderedRelease.objects.system("test").filter(pk=held.pk).exists()
    assert "left there: ConfigMap dp/settings, Deployment dp/cart" in caplog.text
    told = store.history("RenderedRelease", "default", held.name, with_status=True).filter(action="status").last()
    assert "Deployment dp/cart" in told.after["status"]["conditions"][-1]["message"]


def test_while_a_plane_still_removes_the_release_waits(repository, monkeypatch):
    held = release(config_map(a="1"))
    look(held)
    delete(held)
    still_there = OwnedObject(ObjectKey("", "ConfigMap", "dp", "settings"), "v1", "configmap-settings", "")
    with monkeypatch.context() as patch:
        patch.setattr(GitPlane, "delete", lambda *_: [still_there])
        assert controller.SOONEST_CLEANUP <= look(held).again_after <= controller.LATEST_CLEANUP
    assert condition(held, "Finalizing") == ("True", "CleanupInProgress", "Cleaning up dataplane resources")
    look(held)
    assert not RenderedRelease.objects.system("test").filter(pk=held.pk).exists()


# A plane that observes.


class Cluster(GitPlane):
    """A Git plane that reports health as a cluster would: what `reports` says."""

    capabilities = Capabilities(observes_health=True)
    reports: dict[str, Observed] = {}

    def apply(self, delivery):
        applied = super().apply(delivery)
        observed = {item.key: self.reports.get(item.id, Observed(None, "Healthy")) for item in delivery.objects}
        return Applied(applied.changed, applied.revision, applied.state, observed=observed)

    def holds(self, place, state):
        """Nobody watches it."""
        return False


@pytest.fixture
def cluster(repository, monkeypatch) -> type[Cluster]:
    driver = drivers.Driver(Cluster.capabilities, lambda location: Cluster(repository))
    monkeypatch.setitem(drivers.DRIVERS, "kubernetes", driver)
    monkeypatch.setattr(Cluster, "reports", {})
    apply_plane(driver="kubernetes")
    return Cluster


def healths(held: RenderedRelease) -> dict[str, str]:
    return {entry["kind"]: entry["healthStatus"] for entry in reread(held).status["resources"]}


def test_what_a_plane_observes_is_reported_with_the_raw_status(cluster):
    cluster.reports["deployment-cart"] = Observed({"readyReplicas": 0}, "Progressing")
    held = release(config_map(a="1"), deployment())
    soon = look(held).again_after
    assert timedelta(seconds=10) <= soon <= timedelta(seconds=12)
    assert healths(held) == {"ConfigMap": "Healthy", "Deployment": "Progressing"}
    assert reread(held).status["resources"][1]["status"] == {"readyReplicas": 0}
    cluster.reports["deployment-cart"] = Observed({"readyReplicas": 1}, "Healthy")
    assert look(held).again_after >= timedelta(minutes=5)
    assert healths(held) == {"ConfigMap": "Healthy", "Deployment": "Healthy"}
    row = held.rendered_objects.system("test").get(kind="Deployment")
    assert (row.health, row.observed) == ("Healthy", {"readyReplicas": 1})


def test_what_is_scaled_to_zero_is_looked_at_each_minute(cluster):
    cluster.reports["deployment-cart"] = Observed({}, "Suspended")
    again_after = look(release(config_map(a="1"), deployment())).again_after
    assert timedelta(minutes=1) <= again_after <= timedelta(seconds=72)


def test_seeing_the_same_again_is_no_news(cluster):
    held = release(config_map(a="1"), deployment())
    look(held)
    revisions, seen = store.position(), reread(held).status
    look(held)
    assert store.position() == revisions
    assert reread(held).status == seen


def test_the_runtime_delivers_what_a_change_made_due(repository):
    held = release(config_map(a="1"), deployment())
    runtime.drain(limit=20)
    assert condition(held) == DELIVERED
    assert len(commits(repository)) == 1
    assert WorkItem.objects.get(kind="RenderedRelease", object_id=held.pk).due_at > timezone.now()
