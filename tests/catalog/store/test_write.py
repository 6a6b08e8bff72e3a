"""The one write path: what is accepted, what is refused, and what each write leaves behind."""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from catalog import store
from catalog.kinds.registry import UnknownKind, kind_named
from catalog.store.models import ObjectReference, Revision
from tests.factories import TESTER, ComponentFactory, NamespaceFactory, ProjectFactory, WorkloadFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def namespace():
    return NamespaceFactory.create()


def test_it_creates_with_defaults_and_writes_one_revision():
    outcome = store.apply(ComponentFactory.build(name="web"), TESTER)
    assert outcome.action == "created"
    stored = store.get("Component", "default", "web")
    assert stored.generation == 1
    assert stored.finalizers == ["openchoreo.dev/component-cleanup"]
    (revision,) = Revision.objects.system("test").filter(kind="Component")
    assert (revision.action, revision.actor, revision.surface, revision.before) == ("created", "tester", "cli", None)
    assert revision.after["spec"] == stored.spec


def test_applying_the_same_again_changes_nothing():
    store.apply(ComponentFactory.build(name="web"), TESTER)
    newest = store.position()
    outcome = store.apply(ComponentFactory.build(name="web"), TESTER)
    assert outcome.action == "unchanged"
    assert store.position() == newest
    assert outcome.obj.generation == 1


def test_a_changed_spec_moves_the_generation_and_changed_labels_do_not():
    document = ComponentFactory.build(name="web")
    store.apply(document, TESTER)
    document["metadata"]["labels"] = {"team": "blue"}
    assert store.apply(document, TESTER).obj.generation == 1
    document["spec"]["autoDeploy"] = False
    assert store.apply(document, TESTER).obj.generation == 2
    assert [row.action for row in store.history("Component", "default", "web")] == ["created", "changed", "changed"]


def test_apply_keeps_what_others_have_set_and_removes_what_left_the_document():
    binding = {
        "apiVersion": "openchoreo.dev/v1alpha1",
        "kind": "ProjectReleaseBinding",
        "metadata": {"name": "shop-development", "namespace": "default", "labels": {"a": "1", "b": "2"}},
        "spec": {"owner": {"projectName": "shop"}, "environment": "development", "environmentConfigs": {"x": 1}},
    }
    store.apply(binding, TESTER)
    pinned = store.to_document(store.get("ProjectReleaseBinding", "default", "shop-development"))
    pinned["spec"]["projectRelease"] = "shop-1"
    store.replace(pinned, TESTER)
    del binding["metadata"]["labels"]["b"]
    del binding["spec"]["environmentConfigs"]
    stored = store.apply(binding, TESTER).obj
    assert stored.spec["projectRelease"] == "shop-1"
    assert "environmentConfigs" not in stored.spec
    assert stored.labels == {"a": "1"}


def test_an_invalid_document_names_every_field_and_stores_nothing():
    document = ComponentFactory.build(name="Web_1")
    document["spec"] = {"owner": {}, "componentType": {"name": "service"}, "traits": [{"name": "x"}]}
    with pytest.raises(store.Invalid) as refused:
        store.apply(document, TESTER)
    paths = {error.path for error in refused.value.errors}
    assert {"metadata.name", "spec.owner.projectName", "spec.componentType.name"} <= paths
    assert "spec.traits[0].instanceName" in paths
    assert not Revision.objects.system("test").filter(kind="Component").exists()
    assert not kind_named("Component").objects.system("test").exists()


def test_immutable_fields_stay():
    store.apply(ComponentFactory.build(name="web"), TESTER)
    with pytest.raises(store.Invalid, match="immutable"):
        store.apply(ComponentFactory.build(name="web", project="other"), TESTER)


@pytest.mark.parametrize(
    ("document", "error", "words"),
    [
        ([], store.Malformed, "expected an object"),
        ({"kind": "Component"}, store.Malformed, "apiVersion: Required value"),
        ({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}}, UnknownKind, "Secret"),
        ({"apiVersion": "apps/v1", "kind": "Component", "metadata": {"name": "x"}}, UnknownKind, "apps/v1"),
        ({"apiVersion": "openchoreo.dev/v1alpha1", "kind": "Component"}, store.Malformed, "metadata: Required value"),
        (
            {
                "apiVersion": "openchoreo.dev/v1alpha1",
                "kind": "Component",
                "metadata": {"name": "x", "labels": {"a": 1}},
            },
            store.Malformed,
            "metadata.labels.a: must be of type string, found number",
        ),
    ],
)
def test_what_is_no_platform_document_is_refused_with_the_reason(document, error, words):
    with pytest.raises(error, match=words.replace(".", r"\.")):
        store.apply(document, TESTER)


def test_a_namespace_that_does_not_exist_is_named():
    with pytest.raises(store.NotFound, match="Namespace 'elsewhere' not found"):
        store.apply(ComponentFactory.build(name="web", namespace="elsewhere"), TESTER)


def test_create_refuses_what_exists_and_replace_what_does_not():
    document = ProjectFactory.build(name="shop")
    with pytest.raises(store.NotFound):
        store.replace(document, TESTER)
    store.create(document, TESTER)
    with pytest.raises(store.AlreadyExists):
        store.create(document, TESTER)


def test_references_are_rows_and_foreign_keys_follow_when_the_target_appears():
    workload = WorkloadFactory.create(name="web", component="web", project="shop")
    assert workload.component is None
    component = ComponentFactory.create(name="web", project="shop")
    assert component.project is None
    workload.refresh_from_db()
    assert workload.component == component
    project = ProjectFactory.create(name="shop")
    component.refresh_from_db()
    assert component.project == project
    named = ObjectReference.objects.filter(source_kind="Workload", source_id=workload.pk)
    assert {(row.role, row.target_name) for row in named} == {("project", "shop"), ("component", "web")}


def test_deletion_waits_for_the_finalizer():
    component = ComponentFactory.create(name="web")
    store.delete("Component", "default", "web", TESTER)
    held = store.get("Component", "default", "web")
    assert held.deleted_at is not None
    newest = store.position()
    store.delete("Component", "default", "web", TESTER)
    assert store.position() == newest, "asking again is no change"
    changed = ComponentFactory.build(name="web", auto_deploy=False)
    with pytest.raises(store.Terminating):
        store.apply(changed, TESTER)
    store.remove_finalizer(held, "openchoreo.dev/component-cleanup", TESTER)
    assert store.get_or_none("Component", "default", "web") is None
    assert not ObjectReference.objects.filter(source_kind="Component", source_id=component.pk).exists()
    assert [row.action for row in store.history("Component", "default", "web")] == ["created", "deleting", "deleted"]


def test_a_recreated_object_is_another_object():
    first = WorkloadFactory.create(name="web")
    store.delete("Workload", "default", "web", TESTER)
    second = WorkloadFactory.create(name="web")
    assert first.uid != second.uid
    assert second.generation == 1


def test_a_rehearsal_reports_and_leaves_nothing():
    newest = store.position()
    with store.rehearsal():
        assert store.apply(ComponentFactory.build(name="web"), TESTER).action == "created"
        assert store.apply(ComponentFactory.build(name="web"), TESTER).action == "unchanged"
    assert store.get_or_none("Component", "default", "web") is None
    assert store.position() == newest


def test_a_failing_write_takes_the_others_of_its_transaction_with_it():
    with pytest.raises(store.Invalid), store.transaction():
        store.apply(ComponentFactory.build(name="web"), TESTER)
        store.apply(ComponentFactory.build(name="NOT VALID"), TESTER)
    assert not Revision.objects.system("test").filter(kind="Component").exists()


def test_a_refused_write_inside_a_transaction_leaves_the_accepted_ones():
    with store.transaction():
        store.apply(ComponentFactory.build(name="web"), TESTER)
        with pytest.raises(store.Invalid):
            store.apply(ComponentFactory.build(name="NOT VALID"), TESTER)
    assert [row.name for row in Revision.objects.system("test").filter(kind="Component")] == ["web"]


def test_status_is_logged_only_when_its_content_changes():
    component = ComponentFactory.create(name="web")
    condition = {
        "type": "Ready",
        "status": "False",
        "reason": "WorkloadNotFound",
        "message": "none",
        "observedGeneration": 1,
    }
    first = {"conditions": [condition | {"lastTransitionTime": "2026-01-01T00:00:00Z"}]}
    assert store.write_status(component, first, TESTER)
    newest = store.position()
    later = {"conditions": [condition | {"lastTransitionTime": "2026-01-01T00:00:05Z"}]}
    assert not store.write_status(component, later, TESTER)
    assert store.position() == newest
    component.refresh_from_db()
    assert component.status == later, "new times are stored, silently"
    assert (component.ready, component.ready_reason, component.generation) == ("False", "WorkloadNotFound", 1)
    solved = {"conditions": [condition | {"status": "True", "lastTransitionTime": "2026-01-01T00:00:09Z"}]}
    assert store.write_status(component, solved, TESTER)
    assert Revision.objects.system("test").filter(kind="Component", action="status").count() == 2
    component.refresh_from_db()
    assert component.ready == "True"


def test_a_newer_observed_generation_is_announced_but_not_logged(monkeypatch):
    from catalog.store import changes

    component = ComponentFactory.create(name="web")
    store.write_status(component, {"observedGeneration": 1}, TESTER)
    heard = []
    monkeypatch.setattr(changes, "_listeners", [heard.append])
    newest = store.position()
    assert not store.write_status(component, {"observedGeneration": 2}, TESTER)
    assert [change.action for change in heard] == ["status"]
    assert store.position() == newest


def apply_at_once(name: str, images: list[str]) -> list[str]:
    """What became of documents of one name that as many threads applied at the same moment."""
    together = threading.Barrier(len(images))
    results: list[str] = []

    def apply(image: str) -> None:
        try:
            together.wait()
            results.append(store.apply(WorkloadFactory.build(name=name, image=image), TESTER).action)
        except BaseException as error:
            results.append(repr(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=apply, args=(image,)) for image in images]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.django_db(transaction=True)
def test_two_who_apply_the_same_new_object_at_once_both_succeed():
    for turn in range(10):
        assert sorted(apply_at_once(f"w-{turn}", ["web:1", "web:2"])) == ["changed", "created"]
