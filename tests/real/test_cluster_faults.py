"""The way to the cluster, and the cluster itself, fail: conditions say so, and afterwards all is as it was wanted.

The faults are real: a proxy that stops forwarding or refuses, processes that are killed, a webhook that denies. What
the API server's audit log has of the platform's writes shows that nothing went back to what it was before.
"""

from __future__ import annotations

import json
import random
import ssl
import threading
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from catalog.delivery.tracking import RELEASE_NAME
from tests.real.cluster.cluster import Cluster, quietly, self_signed
from tests.real.cluster.proxy import Proxy
from tests.real.cluster_installation import installation_on, live, returned, writes_of
from tests.real.installation import Installation, greeter
from tests.real.test_kubernetes_plane import until

pytestmark = [pytest.mark.real("kubernetes"), pytest.mark.xdist_group("kubernetes-apart"), pytest.mark.timeout(600)]
SECONDS = 90.0
SECOND_IMAGE = "registry.example/greeter:2"
OBJECTS_EACH = 6


@dataclass
class Stage:
    """An installation that reaches its cluster through a proxy."""

    cluster: Cluster
    proxy: Proxy
    installation: Installation

    def apply(self, *names: str, image: str = "registry.example/greeter:1") -> None:
        self.installation.apply(*[document for name in names for document in greeter(name, image)])

    def reasons(self) -> dict[str, str]:
        """Why each component's binding is Ready or not."""
        bindings = self.installation.state()["bindings"]
        return {name.removesuffix("-development"): reason for name, reason in bindings.items()}

    def message(self, name: str) -> str:
        """What the binding's condition Ready says."""
        found = self.installation.get("ReleaseBinding", "default", f"{name}-development")["status"]["conditions"]
        return str(next(item["message"] for item in found if item["type"] == "Ready"))

    def wait_for(self, reason: str, *names: str) -> None:
        until(
            lambda: {self.reasons().get(name) for name in names} == {reason},
            lambda: f"{self.reasons()} {self.installation.state()['failed']}", SECONDS,
        )  # fmt: skip

    def delete(self, *names: str) -> None:
        """Delete components and see that nothing is left of them, in the installation or in the cluster."""
        for name in names:
            self.installation.delete("Component", "default", name)
        until(lambda: not set(names) & set(self.reasons()), lambda: str(self.reasons()), SECONDS)
        until(lambda: not self.objects(*names), lambda: str(list(self.objects(*names))), SECONDS)

    def objects(self, *names: str) -> dict[tuple[str, str, str], dict[str, Any]]:
        """What the cluster holds of some components."""
        releases = {f"{name}-development" for name in names}
        found = live(self.cluster)
        return {key: item for key, item in found.items() if item["metadata"]["labels"].get(RELEASE_NAME) in releases}

    def images(self, *names: str) -> Counter[str]:
        """How many Deployments of some components run which image."""
        found = [item for (plural, _, _), item in self.objects(*names).items() if plural == "deployments"]
        return Counter(item["spec"]["template"]["spec"]["containers"][0]["image"] for item in found)

    def check(self, *names: str) -> None:
        """All objects are there, and none was ever given a content that it had had before another."""
        assert Counter(item["metadata"]["labels"][RELEASE_NAME] for item in self.objects(*names).values()) == {
            f"{name}-development": OBJECTS_EACH for name in names
        }
        assert returned(writes_of(self.cluster)) == []


@contextmanager
def stage_on(cluster: Cluster, home: Path) -> Iterator[Stage]:
    with Proxy(cluster) as proxy, installation_on(cluster, home, kubeconfig=proxy.kubeconfig) as installation:
        yield Stage(cluster, proxy, installation)


@pytest.fixture(scope="module")
def stage(own_cluster, tmp_path_factory) -> Iterator[Stage]:
    with stage_on(own_cluster, tmp_path_factory.mktemp("faults") / "home") as found:
        found.installation.start_worker()
        yield found


def fall_into_a_hole(stage: Stage, seconds: float, *, cut: bool) -> None:
    """Nothing goes through for a while; what was wanted, changed and broken meanwhile is right afterwards."""
    stage.apply("before", "changed")
    stage.wait_for("Ready", "before", "changed")
    with stage.proxy.hole(cut=cut):
        over = time.monotonic() + seconds
        stage.apply("meanwhile")
        stage.apply("changed", image=SECOND_IMAGE)
        service = next(key for key in stage.objects("before") if key[0] == "services")
        stage.cluster.call("DELETE", f"/api/v1/namespaces/{service[1]}/services/{service[2]}")
        stage.wait_for("ResourceApplyFailed", "meanwhile")
        assert "does not answer" in stage.message("meanwhile")
        time.sleep(max(0.0, over - time.monotonic()))
    stage.wait_for("Ready", "before", "changed", "meanwhile")
    until(lambda: service in stage.objects("before"), seconds=SECONDS)
    until(lambda: stage.images("changed") == {SECOND_IMAGE: 1}, seconds=SECONDS)
    stage.check("before", "changed", "meanwhile")
    stage.delete("before", "changed", "meanwhile")


def test_a_way_that_is_cut_without_a_word_costs_time_and_nothing_else(stage):
    fall_into_a_hole(stage, 0.0, cut=True)


@pytest.mark.soak
@pytest.mark.parametrize("cut", [False, True], ids=["connections stay", "connections are cut"])
def test_half_a_minute_without_a_word(stage, cut):
    fall_into_a_hole(stage, 30.0, cut=cut)


def test_what_the_api_server_refuses_for_now_is_said_in_its_words_and_tried_again(stage):
    """Throttling, a conflict, a time-out: one after the other, for one release."""
    refusals = {
        429: "too many requests, please try again later",
        409: "the object has been modified; please apply your changes to the latest version and try again",
        504: "Timeout: request did not complete within requested timeout",
    }
    for status, words in refusals.items():
        with stage.proxy.refusing(status, words):
            stage.apply("refused")
            stage.wait_for("ResourceApplyFailed", "refused")
            until(lambda words=words: words in stage.message("refused"), lambda: stage.message("refused"), SECONDS)
    stage.wait_for("Ready", "refused")
    stage.check("refused")
    stage.delete("refused")


def test_in_a_storm_of_refusals_everything_arrives(stage):
    names = [f"storm-{number}" for number in range(4)]
    with stage.proxy.refusing(429, "too many requests, please try again later", share=0.6):
        stage.apply(*names)
        until(lambda: len(stage.objects(*names)) > len(names) * OBJECTS_EACH / 3, seconds=SECONDS)
    stage.wait_for("Ready", *names)
    stage.check(*names)
    stage.delete(*names)


def test_a_restart_of_etcd_loses_nothing(stage):
    stage.apply("stored")
    stage.wait_for("Ready", "stored")
    etcd = stage.cluster.parts["etcd"]
    etcd.kill()
    stage.apply("unstored")
    stage.apply("stored", image=SECOND_IMAGE)
    time.sleep(1)
    etcd.start()
    until(lambda: quietly(lambda: stage.cluster.call("GET", "/readyz")) == "ok", seconds=SECONDS)
    stage.wait_for("Ready", "stored", "unstored")
    until(lambda: stage.images("stored") == {SECOND_IMAGE: 1}, seconds=SECONDS)
    stage.check("stored", "unstored")
    stage.delete("stored", "unstored")


class Denying(BaseHTTPRequestHandler):
    """An admission webhook that denies every object."""

    def do_POST(self) -> None:
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        denied = {"uid": review["request"]["uid"], "allowed": False, "status": {"message": "no greeters on Mondays"}}
        body = json.dumps({"apiVersion": review["apiVersion"], "kind": review["kind"], "response": denied}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def denying_services(cluster: Cluster, directory: Path) -> Iterator[None]:
    """A webhook on loopback that denies every Service."""
    certificate, key = self_signed(directory)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Denying)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
    cluster.call("POST", path, {
        "metadata": {"name": "policy"},
        "webhooks": [{
            "name": "policy.example.org", "admissionReviewVersions": ["v1"], "sideEffects": "None",
            "clientConfig": {
                "url": f"https://127.0.0.1:{server.server_address[1]}/",
                "caBundle": b64encode(certificate.read_bytes()).decode(),
            },
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["services"]}],
        }],
    })  # fmt: skip
    try:
        yield
    finally:
        cluster.call("DELETE", f"{path}/policy")
        server.shutdown()
        server.server_close()


def test_what_a_webhook_denies_is_named_and_the_rest_of_the_release_goes_on(stage, tmp_path):
    with denying_services(stage.cluster, tmp_path):
        time.sleep(1)  # the API server reads its webhooks anew
        stage.apply("denied")
        stage.wait_for("ResourceApplyFailed", "denied")
        message = stage.message("denied")
        assert "failed to apply resource service-denied" in message
        assert 'admission webhook "policy.example.org" denied the request: no greeters on Mondays' in message
        kinds = Counter(plural for plural, _, _ in stage.objects("denied"))
        assert kinds == {"configmaps": 2, "deployments": 1, "httproutes": 1, "networkpolicies": 1}
    stage.wait_for("Ready", "denied")
    stage.check("denied")
    stage.delete("denied")


def test_a_kind_that_the_cluster_does_not_know_is_named_and_taken_up_when_it_comes(stage):
    held = stage.installation.get("ClusterComponentType", "", "service")
    gadget = {"id": "gadget", "template": {
        "apiVersion": "example.org/v1", "kind": "Gadget",
        "metadata": {"name": "${metadata.name}", "namespace": "${metadata.namespace}"}, "size": 1,
    }}  # fmt: skip
    stage.installation.apply({
        **held, "status": {}, "metadata": {"name": "gadgeted"},
        "spec": {**held["spec"], "resources": [*held["spec"]["resources"], gadget]},
    })  # fmt: skip
    component, workload = greeter("exotic")
    component["spec"]["componentType"]["name"] = "deployment/gadgeted"
    stage.installation.apply(component, workload)
    stage.wait_for("ResourceApplyFailed", "exotic")
    assert 'no matches for kind "Gadget" in version "example.org/v1"' in stage.message("exotic")
    assert len(stage.objects("exotic")) == OBJECTS_EACH
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    stage.cluster.apply([{
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "gadgets.example.org"},
        "spec": {
            "group": "example.org", "scope": "Namespaced", "names": {"kind": "Gadget", "plural": "gadgets"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }])  # fmt: skip
    stage.wait_for("Ready", "exotic")
    stage.delete("exotic")


@pytest.mark.parametrize(
    ("deployments", "kills"),
    [(10, 6), pytest.param(100, 200, marks=[pytest.mark.soak, pytest.mark.timeout(3600)])],
)
def test_workers_killed_at_any_moment_leave_the_cluster_as_it_is_wanted(stage, deployments, kills):
    """kill -9 while components are deployed, changed and deleted; a third of the kills falls into each."""
    names = [f"killed-{number}" for number in range(deployments)]
    for worker in list(stage.installation.workers):
        stage.installation.kill_worker(worker)
    killer = Killer(stage.installation, random.Random(13))  # noqa: S311 - the same moments in every run
    stage.apply(*names)
    killer.kill(kills // 3)
    stage.wait_for("Ready", *names)
    stage.apply(*names, image=SECOND_IMAGE)
    killer.kill(kills // 3)
    until(lambda: stage.images(*names) == {SECOND_IMAGE: deployments}, lambda: str(stage.images(*names)), SECONDS)
    stage.wait_for("Ready", *names)
    stage.check(*names)
    assert contents_of(stage.cluster, "killed-") == {
        "configmaps": 2 * deployments, "deployments": 2 * deployments, "httproutes": deployments,
        "networkpolicies": deployments, "services": deployments,
    }  # fmt: skip
    for name in names:
        stage.installation.delete("Component", "default", name)
    killer.kill(kills - 2 * (kills // 3))
    until(lambda: not set(names) & set(stage.reasons()), lambda: str(stage.reasons()), SECONDS)
    until(lambda: not stage.objects(*names), lambda: str(list(stage.objects(*names))), SECONDS)
    assert killer.hits >= kills // 4, f"only {killer.hits} of {kills} kills came while there was work"


def contents_of(cluster: Cluster, part: str) -> Counter[str]:
    """How many different contents were written, by kind, of objects whose name has that part.

    A changed Deployment has two, all else one, however often it was written. What was cut off by a kill is no write.
    """
    done = [write for write in writes_of(cluster) if write.verb == "patch" and write.code < 300]
    written = {(write.key, write.content) for write in done}
    return Counter(plural for (plural, _, name), _ in written if part in name)


class Killer:
    """Keeps one worker, and kills it again and again."""

    GREETING = "task events:"
    """What a worker prints when it is about to work."""

    def __init__(self, installation: Installation, chance: random.Random) -> None:
        self.installation, self.chance, self.hits = installation, chance, 0
        self.start()

    def start(self) -> None:
        self.greetings = self.heard_greetings()
        self.worker = self.installation.start_worker()

    def kill(self, times: int) -> None:
        """Kill the worker at random moments after it has begun to work; `hits` counts the kills in mid-work."""
        for _ in range(times):
            until(lambda: self.heard_greetings() > self.greetings or not self.due(), seconds=SECONDS)
            time.sleep(self.chance.uniform(0.0, 0.6))
            self.hits += self.due() > 0
            self.installation.kill_worker(self.worker)
            self.start()

    def due(self) -> int:
        return int(self.installation.ask(due=True)["due"])

    def heard_greetings(self) -> int:
        log = self.installation.home / "worker.log"
        return log.read_text().count(self.GREETING) if log.exists() else 0
