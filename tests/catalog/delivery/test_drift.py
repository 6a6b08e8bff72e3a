"""Drift, three ways: each sort of difference is told from the others, and what is nobody's fault is no drift."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from catalog.delivery.drift import ABSENT, Change, beside, compare, drift_of
from catalog.delivery.mending import left_alone, removal_patch

APPLIED_AT, LATER = "2026-11-21T10:00:00Z", "2026-11-21T10:05:00Z"
WANTED: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "cell", "labels": {"app": "web"}},
    "spec": {
        "replicas": 1,
        "template": {
            "spec": {
                "containers": [
                    {
                        "name": "main",
                        "image": "web:1",
                        "env": [{"name": "LEVEL", "value": "info"}],
                        "resources": {"limits": {"cpu": "1000m"}},
                    }
                ]
            }
        },
    },
}
CONTAINER = 'k:{"name":"main"}'
OURS: dict[str, Any] = {
    "f:metadata": {"f:labels": {"f:app": {}}},
    "f:spec": {
        "f:replicas": {},
        "f:template": {
            "f:spec": {
                "f:containers": {
                    CONTAINER: {
                        ".": {},
                        "f:name": {},
                        "f:image": {},
                        "f:env": {'k:{"name":"LEVEL"}': {".": {}, "f:name": {}, "f:value": {}}},
                        "f:resources": {"f:limits": {"f:cpu": {}}},
                    }
                }
            }
        },
    },
}


def entry(manager: str, fields: dict[str, Any], operation: str = "Update", **more: str) -> dict[str, Any]:
    return {"manager": manager, "operation": operation, "time": LATER, "fieldsV1": fields, **more}


def live_object(*entries: dict[str, Any], ours: dict[str, Any] = OURS) -> dict[str, Any]:
    """What the server holds after our apply: its defaults, quantities in its own form, and the owners."""
    live = copy.deepcopy(WANTED)
    live["metadata"] |= {
        "uid": "7e1f", "resourceVersion": "12", "creationTimestamp": "2026-11-21T09:00:00Z",
        "managedFields": [{**entry("stagecraft", ours, "Apply"), "time": APPLIED_AT}, *entries],
    }  # fmt: skip
    live["spec"]["revisionHistoryLimit"] = 10
    container(live)["resources"]["limits"]["cpu"] = "1"
    container(live)["terminationMessagePath"] = "/dev/termination-log"
    live["status"] = {"replicas": 1}
    return live


def container(live: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = live["spec"]["template"]["spec"]["containers"][0]
    return found


def lost(*path: str) -> dict[str, Any]:
    """Our fields without one that somebody else has taken."""
    fields = copy.deepcopy(OURS)
    node = fields
    for step in path[:-1]:
        node = node[step]
    del node[path[-1]]
    return fields


def found(live: dict[str, Any] | None, compiled: dict[str, Any] | None = WANTED) -> list[tuple[str, str, str]]:
    return [(item.change, item.path, item.manager) for item in compare(compiled, WANTED, live, applied_at=APPLIED_AT)]


IN_CONTAINER = ("f:spec", "f:template", "f:spec", "f:containers", CONTAINER)
ENV = {"f:spec": {"f:template": {"f:spec": {"f:containers": {CONTAINER: {"f:env": {}}}}}}}


def within_container(fields: dict[str, Any]) -> dict[str, Any]:
    return {"f:spec": {"f:template": {"f:spec": {"f:containers": {CONTAINER: fields}}}}}


def test_an_object_as_we_left_it_has_no_difference_though_the_server_writes_it_otherwise():
    assert found(live_object()) == []


def test_a_value_changed_by_hand_names_the_hand_and_all_three_values():
    live = live_object(entry("kubectl-edit", {"f:spec": {"f:replicas": {}}}), ours=lost("f:spec", "f:replicas"))
    live["spec"]["replicas"] = 5
    (item,) = compare(WANTED, WANTED, live, applied_at=APPLIED_AT)
    assert (item.change, item.path, item.manager, item.time) == (Change.CHANGED, "spec.replicas", "kubectl-edit", LATER)
    assert (item.compiled, item.applied, item.live) == (1, 1, 5)


def test_what_a_controller_sets_over_our_value_is_said_to_be_its_doing():
    scaled = entry("kube-controller-manager", {"f:spec": {"f:replicas": {}}}, subresource="scale")
    live = live_object(scaled, ours=lost("f:spec", "f:replicas"))
    live["spec"]["replicas"] = 3
    assert found(live) == [(Change.BY_CONTROLLER, "spec.replicas", "kube-controller-manager")]


def test_an_autoscalers_replicas_are_no_drift_where_we_do_not_set_them():
    wanted = copy.deepcopy(WANTED)
    del wanted["spec"]["replicas"]
    scaled = entry("kube-controller-manager", {"f:spec": {"f:replicas": {}}}, subresource="scale")
    live = live_object(scaled, ours=lost("f:spec", "f:replicas"))
    live["spec"]["replicas"] = 3
    assert compare(wanted, wanted, live, applied_at=APPLIED_AT) == []
    told = {(item.change, item.path) for item in beside(wanted, live)}
    assert (Change.CONTROLLER, "spec.replicas") in told
    assert (Change.DEFAULTED, "spec.revisionHistoryLimit") in told


@pytest.mark.parametrize(
    ("fields", "change", "path"),
    [
        (
            within_container({"f:env": {'k:{"name":"DEBUG"}': {".": {}, "f:name": {}, "f:value": {}}}}),
            lambda live: container(live)["env"].append({"name": "DEBUG", "value": "1"}),
            "spec.template.spec.containers[main].env[DEBUG]",
        ),
        (
            {"f:metadata": {"f:annotations": {".": {}, "f:example.com/owner": {}}}},
            lambda live: live["metadata"].update(annotations={"example.com/owner": "me"}),
            "metadata.annotations",
        ),
        (
            {"f:metadata": {"f:finalizers": {".": {}, 'v:"example.com/hold"': {}}}},
            lambda live: live["metadata"].update(finalizers=["example.com/hold"]),
            "metadata.finalizers",
        ),
        (
            {"f:spec": {"f:revisionHistoryLimit": {}}},
            lambda live: live["spec"].update(revisionHistoryLimit=3),
            "spec.revisionHistoryLimit",
        ),
    ],
    ids=["an item of a list", "an annotation", "a finalizer", "a default"],
)
def test_what_was_added_by_hand_is_found_and_a_patch_takes_it_and_its_owner_away(fields, change, path):
    live = live_object(entry("kubectl", fields))
    change(live)
    assert found(live) == [(Change.ADDED, path, "kubectl")]
    patch = removal_patch(live, compare(WANTED, WANTED, live, applied_at=APPLIED_AT))
    assert patch[0] == {"op": "test", "path": "/metadata/resourceVersion", "value": "12"}
    assert {"op": "remove", "path": "/metadata/managedFields/1"} in patch
    assert len(patch) == 3


def test_what_a_controller_added_beside_an_edit_stays():
    live = live_object(
        entry("kubectl", {"f:metadata": {"f:annotations": {".": {}, "f:mine": {}}}}),
        entry("cert-controller", {"f:metadata": {"f:annotations": {"f:its": {}}}}),
    )
    live["metadata"]["annotations"] = {"mine": "1", "its": "2"}
    assert found(live) == [(Change.ADDED, "metadata.annotations.mine", "kubectl")]


def test_a_value_that_was_removed_has_no_known_author_unless_someone_edited():
    live = live_object(ours=lost(*IN_CONTAINER, "f:env"))
    container(live)["env"] = []
    path = "spec.template.spec.containers[main].env[LEVEL]"
    # Nobody owns items of that list any more: it counts by the names in our manifest.
    assert [(change, place) for change, place, _ in found(live)] == [(Change.REMOVED, path)]


def test_a_value_set_back_by_hand_is_taken_over():
    live = live_object(entry("kubectl", {"f:spec": {"f:replicas": {}}}), ours=lost("f:spec", "f:replicas"))
    assert found(live) == [(Change.TAKEN_OVER, "spec.replicas", "kubectl")]


def test_a_restart_by_hand_is_told_and_is_no_drift():
    restarted = {"f:annotations": {".": {}, "f:kubectl.kubernetes.io/restartedAt": {}}}
    live = live_object(entry("kubectl-rollout", {"f:spec": {"f:template": {"f:metadata": restarted}}}))
    live["spec"]["template"]["metadata"] = {"annotations": {"kubectl.kubernetes.io/restartedAt": LATER}}
    differences = compare(WANTED, WANTED, live, applied_at=APPLIED_AT)
    assert [item.change for item in differences] == [Change.RESTARTED]
    assert drift_of(differences) == []
    assert removal_patch(live, differences) == []


def test_an_object_that_is_gone_or_going_or_another_one_is_said_to_be_so():
    assert found(None)[0][0] == Change.OBJECT_REMOVED
    going = live_object()
    going["metadata"] |= {"deletionTimestamp": LATER, "finalizers": ["example.com/hold"]}
    assert found(going)[0][0] == Change.OBJECT_GOING
    other = live_object(entry("kubectl-create", {"f:spec": {"f:replicas": {}}}))
    other["metadata"]["managedFields"] = other["metadata"]["managedFields"][1:]
    other["metadata"]["creationTimestamp"] = LATER
    assert [change for change, _, _ in found(other)] == [Change.OBJECT_REPLACED]


def test_a_new_manifest_is_a_pending_change_and_no_drift():
    compiled = copy.deepcopy(WANTED)
    container(compiled)["image"] = "web:2"
    (item,) = compare(compiled, WANTED, live_object(), applied_at=APPLIED_AT)
    assert (item.change, item.path) == (Change.PENDING, "spec.template.spec.containers[main].image")
    assert (item.compiled, item.applied, item.live) == ("web:2", "web:1", "web:1")
    assert not item.is_drift


def test_what_was_never_applied_is_pending_and_what_nobody_wants_is_left_over():
    assert [item.change for item in compare(WANTED, None, None)] == [Change.PENDING]
    assert [item.change for item in compare(None, None, live_object())] == [Change.LEFT_OVER]


def test_what_is_ignored_is_left_out_of_what_is_sent_only_while_it_is_somebody_elses():
    changed = live_object(entry("kubectl", {"f:spec": {"f:replicas": {}}}), ours=lost("f:spec", "f:replicas"))
    changed["spec"]["replicas"] = 5
    differences = compare(WANTED, WANTED, changed, applied_at=APPLIED_AT)
    assert drift_of(differences, ["spec.replicas"]) == []
    assert "replicas" not in left_alone(WANTED, changed, differences, ["spec.replicas"])["spec"]
    assert removal_patch(changed, differences, ["spec.replicas"]) == []
    still_ours = live_object()
    assert left_alone(WANTED, still_ours, compare(WANTED, WANTED, still_ours), ["spec.replicas"]) == WANTED


def test_an_absent_value_is_not_a_null():
    assert compare(WANTED, WANTED, None)[0].live is ABSENT
