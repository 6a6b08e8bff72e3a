"""A whole installation and a real Kubernetes: what is wanted gets there, stays as it is, is reported, and goes again.

One cluster and one installation serve all tests of this file; each test has components of its own.
"""

from __future__ import annotations

import time
import urllib.error
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from catalog.delivery.kubernetes.connection import CONNECTIONS, Connection, Credentials
from tests.real.cluster.cluster import Cluster
from tests.real.installation import Installation, greeter

pytestmark = [pytest.mark.real("kubernetes"), pytest.mark.xdist_group("kubernetes-apart")]
SECONDS = 60.0
MENDED_SECONDS = 10.0
SEEN_SECONDS = 30.0
"""The watch sees it at once; a busy machine takes longer to act on it."""
PLATFORM = "stagecraft"


@dataclass
class Stage:
    """What the tests play on."""

    cluster: Cluster
    installation: Installation

    def deploy(self, name: str, **changes: Any) -> None:
        """Apply a greeter and wait until its binding is Ready."""
        component, workload = greeter(name)
        workload["spec"] |= changes
        self.installation.apply(component, workload)
        until(lambda: self.reason(name) == "Ready", lambda: f"{name} is {self.installation.state()['bindings']}")

    def reason(self, name: str) -> str:
        return str(self.installation.state()["bindings"].get(f"{name}-development", ""))

    def objects(self, name: str, path: str) -> list[dict[str, Any]]:
        """The live objects of a component's rendered release, of the kind at that path."""
        selector = f"labelSelector=openchoreo.dev%2Frendered-release-name%3D{name}-development"
        found: list[dict[str, Any]] = self.cluster.call("GET", f"{path}?{selector}")["items"]
        return found

    def only(self, name: str, path: str) -> dict[str, Any]:
        (found,) = self.objects(name, path)
        return found

    def patch(self, path: str, found: dict[str, Any], change: dict[str, Any]) -> None:
        """Change a live object as a person with kubectl does."""
        metadata = found["metadata"]
        root, _, plural = path.rpartition("/")
        where = f"{root}/namespaces/{metadata['namespace']}/{plural}/{metadata['name']}?fieldManager=kubectl-edit"
        self.cluster.call("PATCH", where, change, content_type="application/merge-patch+json")

    def remove(self, path: str, found: dict[str, Any]) -> None:
        metadata = found["metadata"]
        root, _, plural = path.rpartition("/")
        self.cluster.call("DELETE", f"{root}/namespaces/{metadata['namespace']}/{plural}/{metadata['name']}")

    def writes(self) -> list[str]:
        """What the platform has written to the cluster, as `verb kind name`, oldest first."""
        return [
            f"{event['verb']} {event['objectRef']['resource']} {event['objectRef'].get('name', '')}"
            for event in self.cluster.writes()
            if event.get("userAgent") == PLATFORM
        ]


def until(is_so: Callable[[], Any], otherwise: Callable[[], str] = lambda: "it did not come", seconds: float = SECONDS):
    """Wait for something and return it; the assertion says how things stood at the end."""
    deadline = time.monotonic() + seconds
    while not (found := is_so()):
        assert time.monotonic() < deadline, f"after {seconds:.0f} s: {otherwise()}"
        time.sleep(0.05)
    return found


@pytest.fixture(scope="module")
def stage(tmp_path_factory, own_cluster) -> Iterator[Stage]:
    """A cluster, and an installation whose default plane it is."""
    home: Path = tmp_path_factory.mktemp("kubernetes") / "home"
    with Installation(home) as installation:
        (home / "clusters").mkdir(parents=True)
        (home / "clusters" / "test.kubeconfig").write_text(own_cluster.kubeconfig)
        installation.prepare()
        plane = installation.get("ClusterDataPlane", "", "default")
        del plane["status"]
        plane["metadata"]["annotations"] |= {
            "stagecraft.dev/driver": "kubernetes",
            "stagecraft.dev/kubernetes-cluster": "test",
        }
        installation.apply(plane)
        installation.start_worker()
        yield Stage(own_cluster, installation)


DEPLOYMENTS, SERVICES, CONFIG_MAPS = "/apis/apps/v1/deployments", "/api/v1/services", "/api/v1/configmaps"
NETWORK_POLICIES = "/apis/networking.k8s.io/v1/networkpolicies"
ROUTES = "/apis/gateway.networking.k8s.io/v1/httproutes"
ALL = (DEPLOYMENTS, SERVICES, CONFIG_MAPS, NETWORK_POLICIES, ROUTES)


def test_a_component_runs_and_its_status_is_that_of_the_cluster(stage):
    stage.deploy("cart")
    deployment = stage.only("cart", DEPLOYMENTS)
    assert deployment["status"]["availableReplicas"] == 1
    assert deployment["metadata"]["managedFields"][0]["manager"] == PLATFORM
    held = stage.installation.get("RenderedRelease", "default", "cart-development")["status"]
    entry = next(item for item in held["resources"] if item["kind"] == "Deployment")
    assert entry["healthStatus"] == "Healthy"
    assert entry["status"]["availableReplicas"] == 1
    assert held["conditions"][0]["reason"] == "ApplySucceeded"


def test_what_is_stable_is_not_written_again(stage):
    stage.deploy("calm")
    written = stage.writes()
    time.sleep(3)
    assert stage.writes() == written


@pytest.mark.parametrize(
    ("path", "change"),
    [
        (DEPLOYMENTS, {"metadata": {"labels": {"openchoreo.dev/component": "another"}}}),
        (DEPLOYMENTS, {"metadata": {"labels": {"openchoreo.dev/rendered-release-uid": None}}}),
        (SERVICES, {"spec": {"selector": {"app": "nobody"}}}),
        (CONFIG_MAPS, {"data": {"settings.toml": "changed"}}),
        (NETWORK_POLICIES, {"spec": {"ingress": []}}),
    ],
    ids=["a label", "the label of its owner", "a selector", "a file", "a rule"],
)
def test_what_is_changed_by_hand_is_as_wanted_again_within_seconds(stage, path, change):
    stage.deploy("mended")
    before = {item["metadata"]["name"]: ours(item) for item in stage.objects("mended", path)}
    found = stage.objects("mended", path)[0]
    if "data" in change:
        found = next(item for item in stage.objects("mended", path) if "settings.toml" in item["data"])
    stage.patch(path, found, change)
    until(
        lambda: {item["metadata"]["name"]: ours(item) for item in stage.objects("mended", path)} == before,
        lambda: str(stage.objects("mended", path)),
        MENDED_SECONDS,
    )


def ours(document: dict[str, Any]) -> dict[str, Any]:
    """The object without what the cluster keeps about it."""
    labels = document["metadata"]["labels"]
    return {"labels": labels, **{key: document.get(key) for key in ("data", "spec")}}


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.rpartition("/")[2])
def test_what_is_deleted_by_hand_comes_back_within_seconds(stage, path):
    stage.deploy("missed")
    found = stage.objects("missed", path)[0]
    stage.remove(path, found)

    def is_back() -> bool:
        names = {item["metadata"]["name"]: item["metadata"]["uid"] for item in stage.objects("missed", path)}
        return names.get(found["metadata"]["name"], found["metadata"]["uid"]) != found["metadata"]["uid"]

    until(is_back, seconds=MENDED_SECONDS)
    until(lambda: stage.reason("missed") == "Ready")


def test_only_what_has_changed_is_sent(stage):
    stage.deploy("small")
    before = len(stage.writes())
    stage.deploy("small", container={**greeter("small")[1]["spec"]["container"], "image": "registry.example/greeter:2"})
    until(lambda: "greeter:2" in str(stage.only("small", DEPLOYMENTS)["spec"]["template"]["spec"]["containers"]))
    until(lambda: stage.reason("small") == "Ready")
    deployment = stage.only("small", DEPLOYMENTS)["metadata"]["name"]
    assert stage.writes()[before:] == [f"patch deployments {deployment}"]


def test_what_has_left_a_release_leaves_the_cluster(stage):
    stage.deploy("lighter")
    files = len(stage.objects("lighter", CONFIG_MAPS))
    container = dict(greeter("lighter")[1]["spec"]["container"])
    del container["files"]
    stage.deploy("lighter", container=container)
    until(lambda: len(stage.objects("lighter", CONFIG_MAPS)) == files - 1)


def test_health_is_reported_when_the_cluster_has_it(stage):
    stage.deploy("watched")
    stage.cluster.parts["kwok"].kill()
    try:
        container = {**greeter("watched")[1]["spec"]["container"], "image": "registry.example/greeter:3"}
        stage.installation.apply(*greeter("watched")[:1], {**greeter("watched")[1], "spec": {
            **greeter("watched")[1]["spec"], "container": container,
        }})  # fmt: skip
        until(lambda: stage.reason("watched") == "ResourcesProgressing", lambda: stage.reason("watched"))
    finally:
        stage.cluster.parts["kwok"].start()
    # KWOK takes its nodes back when their leases have run out.
    until(lambda: is_rolled_out(stage.only("watched", DEPLOYMENTS)), seconds=2 * SECONDS)
    until(lambda: stage.reason("watched") == "Ready", seconds=SEEN_SECONDS)


def is_rolled_out(deployment: dict[str, Any]) -> bool:
    """Whether the cluster has brought about what the Deployment wants now, not what it wanted before."""
    status = deployment["status"]
    if status.get("observedGeneration") != deployment["metadata"]["generation"]:
        return False
    return [status.get(f"{word}eplicas") for word in ("r", "updatedR", "readyR", "availableR")] == [1, 1, 1, 1]


def test_an_object_that_is_refused_is_named_in_the_servers_words_and_the_rest_goes_on(stage):
    stage.deploy("room")
    namespace = stage.only("room", DEPLOYMENTS)["metadata"]["namespace"]
    used = len(stage.cluster.call("GET", f"/api/v1/namespaces/{namespace}/services")["items"])
    quota = {
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "full", "namespace": namespace},
        "spec": {"hard": {"count/services": str(used)}},
    }  # fmt: skip
    stage.cluster.apply([quota])
    where = f"/api/v1/namespaces/{namespace}/resourcequotas/full"
    until(lambda: "used" in stage.cluster.call("GET", where).get("status", {}))
    try:
        stage.installation.apply(*greeter("refused"))
        until(lambda: stage.reason("refused") == "ResourceApplyFailed", lambda: stage.reason("refused"))
        conditions = stage.installation.get("ReleaseBinding", "default", "refused-development")["status"]["conditions"]
        message = next(item["message"] for item in conditions if item["type"] == "Ready")
        assert "failed to apply resource service-refused" in message
        assert "exceeded quota: full" in message
        assert stage.objects("refused", DEPLOYMENTS)
    finally:
        stage.cluster.call("DELETE", where)
    until(lambda: stage.reason("refused") == "Ready", lambda: stage.reason("refused"))


def test_while_the_api_server_is_away_nothing_is_lost(stage):
    stage.deploy("before")
    server = stage.cluster.parts["kube-apiserver"]
    server.kill()
    stage.installation.apply(*greeter("meanwhile"))
    until(lambda: stage.reason("meanwhile") == "ResourceApplyFailed", lambda: stage.reason("meanwhile"))
    server.start()
    until(lambda: stage.reason("meanwhile") == "Ready", lambda: str(stage.installation.state()["failed"]))
    # The watch is taken up again too.
    stage.remove(SERVICES, stage.only("before", SERVICES))
    until(lambda: stage.objects("before", SERVICES))


def test_a_component_that_is_deleted_leaves_nothing_behind(stage):
    stage.deploy("gone")
    stage.installation.delete("Component", "default", "gone")
    until(lambda: not any(stage.objects("gone", path) for path in ALL))
    until(lambda: not stage.installation.get("Component", "default", "gone"))


def test_any_number_of_watches_leaves_room_for_requests(stage):
    connection = Connection("test", Credentials(
        stage.cluster.url, str(stage.cluster.directory / "pki" / "apiserver.crt"), True, None, None, None,
        lambda: f"Bearer {stage.cluster.token}",
    ))  # fmt: skip
    watching = {"watch": "true", "timeoutSeconds": "30"}
    with ExitStack() as stack:
        for _ in range(CONNECTIONS + 4):
            stack.enter_context(connection.stream("/api/v1/namespaces", watching, 30.0))
        assert connection.get("/api/v1/namespaces/default")["metadata"]["name"] == "default"


def test_whoever_may_not_is_told_so_in_the_servers_words(stage):
    with pytest.raises(urllib.error.HTTPError, match="Forbidden"):
        stage.cluster.call("GET", "/api/v1/namespaces", token=stage.cluster.tokens["stranger"])
