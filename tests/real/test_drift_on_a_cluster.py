"""Hand edits in a real cluster: each is told from the others, undone within seconds, and written down.

One cluster, one installation and one component serve all edits; every test leaves the component as it was.
"""

from __future__ import annotations

import copy
import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from tests.real.cluster.cluster import Cluster
from tests.real.cluster_installation import installation_on
from tests.real.installation import Installation, greeter

pytestmark = [pytest.mark.real("kubernetes"), pytest.mark.xdist_group("kubernetes-apart")]
SECONDS = 60.0
MENDED_SECONDS = 20.0
"""Ten would do on an idle machine."""
RELEASE = "edited-development"
DEPLOYMENTS, SERVICES, CONFIG_MAPS = "/apis/apps/v1/deployments", "/api/v1/services", "/api/v1/configmaps"
NETWORK_POLICIES = "/apis/networking.k8s.io/v1/networkpolicies"
ROUTES = "/apis/gateway.networking.k8s.io/v1/httproutes"
ALL = (DEPLOYMENTS, SERVICES, CONFIG_MAPS, NETWORK_POLICIES, ROUTES)
MERGE, JSON_PATCH, APPLY = (
    "application/merge-patch+json", "application/json-patch+json", "application/apply-patch+yaml",
)  # fmt: skip
STRATEGIC = "application/strategic-merge-patch+json"


@dataclass
class Stage:
    cluster: Cluster
    installation: Installation

    def objects(self, path: str) -> list[dict[str, Any]]:
        selector = f"labelSelector=openchoreo.dev%2Frendered-release-name%3D{RELEASE}"
        found: list[dict[str, Any]] = self.cluster.call("GET", f"{path}?{selector}")["items"]
        return sorted(found, key=lambda item: item["metadata"]["name"])

    def first(self, path: str) -> dict[str, Any]:
        return self.objects(path)[0]

    def file(self) -> dict[str, Any]:
        return next(item for item in self.objects(CONFIG_MAPS) if "settings.toml" in item["data"])

    def patch(self, path: str, found: dict[str, Any], body: Any, *, by: str = "kubectl-edit", how: str = MERGE, sub: str = "") -> None:  # noqa: E501  # fmt: skip
        """Change a live object as a person does with that tool."""
        force = "&force=true" if how == APPLY else ""
        self.cluster.call("PATCH", f"{where(path, found)}{sub}?fieldManager={by}{force}", body, content_type=how)

    def records(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.installation.ask(drift=RELEASE)["records"]
        return found

    def state(self) -> dict[str, Any]:
        """Everything of the component's objects that an edit could have changed."""
        return {f"{path} {item['metadata']['name']}": essence(item) for path in ALL for item in self.objects(path)}


def where(path: str, found: dict[str, Any]) -> str:
    metadata = found["metadata"]
    root, _, plural = path.rpartition("/")
    return f"{root}/namespaces/{metadata['namespace']}/{plural}/{metadata['name']}"


def essence(item: dict[str, Any]) -> dict[str, Any]:
    """An object without what the cluster itself gives it anew."""
    metadata, spec = item["metadata"], copy.deepcopy(item.get("spec") or {})
    for given in ("clusterIP", "clusterIPs"):
        spec.pop(given, None)
    annotations = {key: value for key, value in (metadata.get("annotations") or {}).items()
                   if not key.startswith("deployment.kubernetes.io/")}  # fmt: skip
    managers = {entry["manager"] for entry in metadata["managedFields"] if entry.get("subresource") != "status"}
    return {
        "labels": metadata.get("labels"), "annotations": annotations, "finalizers": metadata.get("finalizers"),
        "going": metadata.get("deletionTimestamp"), "spec": spec, "data": item.get("data"),
        "immutable": item.get("immutable"), "managers": sorted(managers - {"kube-controller-manager"}),
    }  # fmt: skip


def until(is_so: Callable[[], Any], otherwise: Callable[[], str], seconds: float = SECONDS) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := is_so()):
        assert time.monotonic() < deadline, f"after {seconds:.0f} s: {otherwise()}"
        time.sleep(0.1)
    return found


def is_ready(installation: Installation) -> bool:
    return bool(installation.state()["bindings"].get(RELEASE) == "Ready")


@pytest.fixture(scope="module")
def stage(tmp_path_factory, own_cluster) -> Iterator[Stage]:
    with installation_on(own_cluster, tmp_path_factory.mktemp("drift") / "home") as installation:
        installation.start_worker()
        installation.apply(*greeter("edited"))
        until(lambda: is_ready(installation), lambda: str(installation.state()))
        yield Stage(own_cluster, installation)


CONTAINER = "/spec/template/spec/containers/0"


def added_container(found: dict[str, Any]) -> dict[str, Any]:
    sidecar = {"name": "sidecar", "image": "registry.example/sidecar:1"}
    return {"spec": {"template": {"spec": {"containers": [sidecar]}}}}


def scale(stage: Stage) -> None:
    found = stage.first(DEPLOYMENTS)
    stage.patch(DEPLOYMENTS, found, {"spec": {"replicas": 3}}, by="kubectl", sub="/scale")


@contextmanager
def looking_away(stage: Stage) -> Iterator[None]:
    """Two edits that the platform sees as one: its worker is stopped meanwhile."""
    (worker,) = stage.installation.workers
    worker.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        worker.send_signal(signal.SIGCONT)


def replace_deployment(stage: Stage) -> None:
    """Deleted, and made again by hand with another selector, which nobody can change, and none of our labels."""
    found = stage.first(DEPLOYMENTS)
    other = {
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": found["metadata"]["name"], "namespace": found["metadata"]["namespace"]},
        "spec": {
            "selector": {"matchLabels": {"app": "mine"}},
            "template": {
                "metadata": {"labels": {"app": "mine"}},
                "spec": {"containers": [{"name": "mine", "image": "registry.example/mine:1"}]},
            },
        },
    }  # fmt: skip
    path = where(DEPLOYMENTS, found)
    with looking_away(stage):
        stage.cluster.call("DELETE", path)
        stage.cluster.call("POST", f"{path.rpartition('/')[0]}?fieldManager=kubectl-create", other)


def delete_held(stage: Stage) -> None:
    """Deleted while a finalizer of one's own holds it."""
    found = stage.first(SERVICES)
    with looking_away(stage):
        stage.patch(SERVICES, found, {"metadata": {"finalizers": ["example.com/hold"]}})
        stage.cluster.call("DELETE", where(SERVICES, found))


def copy_deployment(stage: Stage) -> None:
    found = stage.first(DEPLOYMENTS)
    metadata = {"namespace": found["metadata"]["namespace"], "labels": found["metadata"]["labels"]}
    other = {**found, "metadata": {**metadata, "name": "copy-of-mine"}}
    other.pop("status")
    stage.cluster.call("POST", f"{where(DEPLOYMENTS, found).rpartition('/')[0]}?fieldManager=kubectl-create", other)


def strip_owners(stage: Stage) -> None:
    stage.patch(CONFIG_MAPS, stage.file(), {"metadata": {"managedFields": [{}]}})


EDITS: dict[str, tuple[Callable[[Stage], Any], str, str]] = {
    "an image": (
        lambda stage: stage.patch(DEPLOYMENTS, stage.first(DEPLOYMENTS), [
            {"op": "replace", "path": f"{CONTAINER}/image", "value": "registry.example/other:1"},
        ], by="kubectl-set", how=JSON_PATCH), "changed by hand", "].image",
    ),
    "replicas": (scale, "by hand", "spec.replicas"),
    "an environment variable": (
        lambda stage: stage.patch(DEPLOYMENTS, (found := stage.first(DEPLOYMENTS)), {"spec": {"template": {"spec": {
            "containers": [{"name": found["spec"]["template"]["spec"]["containers"][0]["name"], "env": [
                {"name": "DEBUG", "value": "1"}]}]}}}}, by="kubectl-set", how=STRATEGIC), "added by hand", "env",
    ),
    "a container": (
        lambda stage: stage.patch(DEPLOYMENTS, (found := stage.first(DEPLOYMENTS)), added_container(found),
                                  how=STRATEGIC), "added by hand", "containers[sidecar]",
    ),
    "a port": (
        lambda stage: stage.patch(SERVICES, stage.first(SERVICES), {"spec": {"ports": [
            {"name": "debug", "port": 6060}]}}, how=STRATEGIC), "added by hand", "spec.ports[port=6060,protocol=TCP]",
    ),
    "a label more": (
        lambda stage: stage.patch(SERVICES, stage.first(SERVICES), {"metadata": {"labels": {"team": "mine"}}}),
        "added by hand", "metadata.labels.team",
    ),
    "an annotation": (
        lambda stage: stage.patch(SERVICES, stage.first(SERVICES), {"metadata": {"annotations": {
            "example.com/a": "b"}}}, by="kubectl-annotate"), "added by hand", "metadata.annotations",
    ),
    "an annotation of the pods": (
        lambda stage: stage.patch(DEPLOYMENTS, stage.first(DEPLOYMENTS), {"spec": {"template": {"metadata": {
            "annotations": {"example.com/a": "b"}}}}}), "added by hand",
        "spec.template.metadata.annotations[example.com/a]",
    ),
    "a label": (
        lambda stage: stage.patch(DEPLOYMENTS, stage.first(DEPLOYMENTS), {"metadata": {"labels": {
            "openchoreo.dev/component": "another"}}}), "changed by hand", "metadata.labels[openchoreo.dev/component]",
    ),
    "the label of its release": (
        lambda stage: stage.patch(DEPLOYMENTS, stage.first(DEPLOYMENTS), {"metadata": {"labels": {
            "openchoreo.dev/rendered-release-uid": None}}}), "removed by hand",
        "metadata.labels[openchoreo.dev/rendered-release-uid]",
    ),
    "a finalizer": (
        lambda stage: stage.patch(CONFIG_MAPS, stage.file(), {"metadata": {"finalizers": ["example.com/hold"]}}),
        "added by hand", "metadata.finalizers",
    ),
    "a default": (
        lambda stage: stage.patch(DEPLOYMENTS, stage.first(DEPLOYMENTS), {"spec": {"progressDeadlineSeconds": 90}}),
        "added by hand", "spec.progressDeadlineSeconds",
    ),
    "a selector": (
        lambda stage: stage.patch(SERVICES, stage.first(SERVICES), {"spec": {"selector": {"app": "nobody"}}}),
        "changed by hand", "spec.selector",
    ),
    "a file": (
        lambda stage: stage.patch(CONFIG_MAPS, stage.file(), {"data": {"settings.toml": "changed"}}),
        "changed by hand", "data[settings.toml]",
    ),
    "a file more": (
        lambda stage: stage.patch(CONFIG_MAPS, stage.file(), {"data": {"more.toml": "added"}}),
        "added by hand", "data[more.toml]",
    ),
    "immutability": (
        lambda stage: stage.patch(CONFIG_MAPS, stage.file(), {"immutable": True}), "added by hand", "immutable",
    ),
    "a rule": (
        lambda stage: stage.patch(NETWORK_POLICIES, stage.first(NETWORK_POLICIES), {"spec": {"ingress": []}}),
        "by hand", "spec.ingress",
    ),
    "a hostname": (
        lambda stage: stage.patch(ROUTES, stage.first(ROUTES), {"spec": {"hostnames": ["mine.example"]}}),
        "changed by hand", "spec.hostnames",
    ),
    "a field taken by force": (
        lambda stage: stage.patch(CONFIG_MAPS, (found := stage.file()), {
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": found["metadata"]["name"]},
            "data": {"settings.toml": "forced"}}, by="kubectl", how=APPLY), "changed by hand", "data[settings.toml]",
    ),
    "all owners": (strip_owners, "taken over", ""),
    "an object deleted": (
        lambda stage: stage.cluster.call("DELETE", where(SERVICES, stage.first(SERVICES))), "object removed", "",
    ),
    "an object replaced": (replace_deployment, "object replaced", ""),
    "an object deleted and held": (delete_held, "object being removed", ""),
    "a copy with our labels": (copy_deployment, "left over", ""),
}  # fmt: skip


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_by_hand_is_named_undone_and_written_down(stage, edit):
    change, expected, path = EDITS[edit]
    before, known = stage.state(), len(stage.records())
    change(stage)

    def told() -> list[dict[str, Any]]:
        return [row for row in stage.records()[known:] if expected in row["change"] and path in row["path"]]

    until(lambda: told() and stage.state() == before, lambda: difference(before, stage), MENDED_SECONDS)
    assert {row["state"] for row in told()} == {"restored"}, told()
    until(lambda: is_ready(stage.installation), lambda: str(stage.installation.state()))


def difference(before: dict[str, Any], stage: Stage) -> str:
    now = stage.state()
    changed = {key: (before.get(key), now.get(key)) for key in {*before, *now} if before.get(key) != now.get(key)}
    return json.dumps({"objects": changed, "records": stage.records()[-6:]}, indent=1)


def test_a_restart_by_hand_is_noted_and_not_undone(stage):
    template = {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "2026-11-21T10:00:00Z"}}}
    stage.patch(DEPLOYMENTS, stage.first(DEPLOYMENTS), {"spec": {"template": template}}, by="kubectl-rollout")
    rows = until(
        lambda: [row for row in stage.records() if row["change"] == "restarted by hand"], lambda: str(stage.records())
    )
    assert rows[0]["state"] == "noted"
    annotations = stage.first(DEPLOYMENTS)["spec"]["template"]["metadata"]["annotations"]
    assert "kubectl.kubernetes.io/restartedAt" in annotations


# Answers --------------------------------------------------------------------------------------------------------------


def annotate(stage: Stage, policy: str | None) -> None:
    """Say on the binding what is to be done about drift."""
    binding = stage.installation.get("ReleaseBinding", "default", RELEASE)
    del binding["status"]
    binding["metadata"]["annotations"] = {"stagecraft.dev/on-drift": policy} if policy else {}
    stage.installation.ask(replace=binding)


def newest(stage: Stage, path: str) -> dict[str, Any]:
    return next((row for row in reversed(stage.records()) if path in row["path"]), {"state": ""})


def change_file(stage: Stage, text: str) -> None:
    stage.patch(CONFIG_MAPS, stage.file(), {"data": {"settings.toml": text}})


def test_where_drift_is_only_reported_it_waits_until_somebody_accepts_or_restores_it(stage):
    annotate(stage, "report")
    try:
        stage.cluster.call("DELETE", where(SERVICES, stage.first(SERVICES)))
        change_file(stage, "mine")
        until(lambda: newest(stage, "data[settings.toml]")["state"] == "open", lambda: str(stage.records()[-4:]))
        gone = until(
            lambda: [row for row in stage.records() if (row["change"], row["state"]) == ("object removed", "open")],
            lambda: str(stage.records()[-4:]),
        )[0]
        assert stage.file()["data"]["settings.toml"] == "mine"
        assert stage.objects(SERVICES) == []
        now = {
            (item["class"], item["object"]["kind"]) for item in stage.installation.ask(look_for_drift=RELEASE)["seen"]
        }
        assert {("changed by hand", "ConfigMap"), ("object removed", "Service")} <= now
        assert ("defaulted by the API server", "Deployment") in now
        # Accepted: the file becomes an override of the binding. Restored: the Service comes back.
        stage.installation.ask(decide=["accept", RELEASE, newest(stage, "data[settings.toml]")["difference"], 0])
        stage.installation.ask(decide=["restore", RELEASE, gone["difference"], 0])
        until(lambda: stage.objects(SERVICES), lambda: str(stage.records()[-4:]))
        until(lambda: stage.installation.state()["due"] == 0, lambda: "it did not come to rest")
        assert stage.file()["data"]["settings.toml"] == "mine"
        overrides = stage.installation.get("ReleaseBinding", "default", RELEASE)["spec"]["workloadOverrides"]
        assert overrides["container"]["files"][0]["value"] == "mine"
    finally:
        annotate(stage, None)
        binding = stage.installation.get("ReleaseBinding", "default", RELEASE)
        del binding["status"]
        binding["spec"].pop("workloadOverrides", None)
        stage.installation.ask(replace=binding)
    until(lambda: "loud" in stage.file()["data"]["settings.toml"], lambda: str(stage.file()["data"]))


def test_what_is_ignored_stays_for_its_time_and_is_mended_after_it(stage):
    change_file(stage, "first")
    until(lambda: newest(stage, "data[settings.toml]")["state"] == "restored", lambda: str(stage.records()[-4:]))
    until(lambda: "loud" in stage.file()["data"]["settings.toml"], lambda: str(stage.file()["data"]))
    stage.installation.ask(decide=["ignore", RELEASE, newest(stage, "data[settings.toml]")["difference"], 12])
    change_file(stage, "second")
    # Another edit of the same object is mended, and what is ignored stays meanwhile.
    stage.patch(CONFIG_MAPS, stage.file(), {"metadata": {"labels": {"team": "mine"}}}, by="kubectl-label")
    until(lambda: "team" not in stage.file()["metadata"]["labels"], lambda: str(stage.file()["metadata"]))
    assert stage.file()["data"]["settings.toml"] == "second"
    until(lambda: "loud" in stage.file()["data"]["settings.toml"], lambda: str(stage.records()[-4:]))
    states = [row["state"] for row in stage.records() if row["path"] == "data[settings.toml]"]
    assert "expired" in states
