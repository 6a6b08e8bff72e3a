"""The microservices demo of the samples, from its first apply to its last object, on a real cluster.

Beside what people see, the API server's audit log is read: what the platform writes is what has changed, and no more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from catalog.compiler.yaml import load_documents
from catalog.delivery.tracking import RELEASE_NAME
from tests.real.cluster.cluster import Cluster
from tests.real.cluster_installation import Key, Write, installation_on, live, repeated, returned, writes_of
from tests.real.installation import Installation
from tests.real.live_stages import fetch_secrets
from tests.real.test_kubernetes_plane import until

pytestmark = [pytest.mark.real("kubernetes"), pytest.mark.xdist_group("kubernetes-apart"), pytest.mark.timeout(600)]
SECONDS = 60.0
PROJECT, NAMESPACE = "gcp-microservice-demo", "default"
ENVIRONMENTS = ("development", "staging", "production")
COMPONENTS = 10


@dataclass
class Demo:
    """The demo in an installation. Of the platform's writes `earlier` came before it; `seen` have been looked at."""

    cluster: Cluster
    installation: Installation
    documents: list[dict[str, Any]]
    there_before: set[Key]
    earlier: int
    seen: int
    names: list[str] = field(default_factory=list)

    def mine(self) -> dict[Key, dict[str, Any]]:
        """The demo's objects in the cluster."""
        return {key: item for key, item in live(self.cluster).items() if key not in self.there_before}

    def is_settled(self, ready: int, otherwise: int = 0) -> bool:
        """Whether nothing is due, and so many bindings are Ready and so many not."""
        fetch_secrets(self.cluster)
        found = self.installation.state()
        states = Counter(reason == "Ready" for reason in found["bindings"].values())
        arrived = found["due"] == 0 and found["objects"] == found["delivered"]
        return arrived and (states[True], states[False]) == (ready, otherwise)

    def settle(self, ready: int, otherwise: int = 0) -> list[Write]:
        """Wait for that; return what has been written since the last time. Nothing of it is for nothing."""
        until(lambda: self.is_settled(ready, otherwise), lambda: str(self.installation.state()), SECONDS)
        written = writes_of(self.cluster, self.seen)
        assert repeated(writes_of(self.cluster, self.earlier)) == [], "the same content is not written twice"
        assert [write for write in written if write.code >= 300] == []
        self.seen += len(written)
        return written

    def pin(self, environment: str) -> None:
        """Bind the newest release of the demo's store in an environment."""
        release = self.installation.get("Resource", NAMESPACE, "redis")["status"]["latestRelease"]["name"]
        self.installation.apply({
            "apiVersion": "openchoreo.dev/v1alpha1",
            "kind": "ResourceReleaseBinding",
            "metadata": {"name": f"redis-{environment}", "namespace": NAMESPACE},
            "spec": {
                "owner": {"projectName": PROJECT, "resourceName": "redis"},
                "environment": environment, "retainPolicy": "Delete", "resourceRelease": release,
            },
        })  # fmt: skip

    def change(self, kind: str, name: str, **spec: Any) -> None:
        held = self.installation.get(kind, NAMESPACE, name)
        metadata = {"name": name, "namespace": NAMESPACE}
        self.installation.apply({**held, "metadata": metadata, "status": {}, "spec": {**held["spec"], **spec}})

    def images(self) -> dict[str, str]:
        """The image of the component `ad` by environment, in the cluster."""
        found = {}
        for key, item in self.mine().items():
            if key[0] == "deployments" and is_part_of("ad", item):
                found[environment_of(key)] = item["spec"]["template"]["spec"]["containers"][0]["image"]
        return found


@pytest.fixture
def demo(own_cluster, tmp_path, conformance) -> Iterator[Demo]:
    """The installation, at rest, before the demo comes; no other one delivers to its cluster, and mends there."""
    folder: Path = conformance / "samples" / "gcp-microservices-demo"
    documents = [
        document.value
        for path in sorted(folder.rglob("*.yaml"))
        for document in load_documents(path.read_text(encoding="utf-8"), path.name)
    ]
    earlier = len(writes_of(own_cluster))
    with installation_on(own_cluster, tmp_path / "home") as installation:
        installation.start_worker()
        found = Demo(own_cluster, installation, documents, set(), earlier, earlier)
        found.settle(0)
        found.there_before = set(live(own_cluster))
        yield found


def environment_of(key: Key) -> str:
    """The environment of an object, by its namespace: `dp-{namespace}-{project}-{environment}-{hash}`."""
    plural, namespace, name = key
    return (name if plural == "namespaces" else namespace).split("-")[-2]


def is_part_of(component: str, item: dict[str, Any]) -> bool:
    release: str = item["metadata"]["labels"][RELEASE_NAME]
    return release.rpartition("-")[0] == component


def test_the_demo_lives_and_goes_and_the_cluster_is_written_only_where_something_changed(demo):
    """One story, since a cluster takes its time."""
    installation = demo.installation
    installation.apply(*demo.documents)
    written = demo.settle(ready=COMPONENTS - 1, otherwise=1)  # the cart waits for its store
    demo.names = sorted(installation.state()["releases"])
    assert Counter(write.key for write in written) == Counter(set(demo.mine())), "each object once"

    demo.pin("development")
    written = demo.settle(ready=COMPONENTS)
    (again,) = [write for write in written if write.code == 200]
    assert (again.plural, again.name[:5]) == ("deployments", "cart-"), "of what was there only the waiting one changes"
    deployments = [item for (plural, _, _), item in demo.mine().items() if plural == "deployments"]
    assert [item["status"].get("availableReplicas") for item in deployments] == [1] * COMPONENTS

    for number, environment in enumerate(ENVIRONMENTS[1:], 2):
        there = set(demo.mine())
        demo.pin(environment)
        for name in demo.names:
            installation.ask(promote=[name, environment])
        written = demo.settle(ready=COMPONENTS * number)
        assert {write.key for write in written} == set(demo.mine()) - there, "the others are left alone"
        assert {environment_of(write.key) for write in written} == {environment}
    # Whoever consumes others is written again once they are there, with their addresses.
    addressed = Counter(write.key for write in written)
    assert {plural for (plural, _, _), times in addressed.items() if times > 1} <= {"deployments"}

    roll_out_and_back(demo)
    undeploy_and_deploy_again(demo)
    # The samples once more, as shipped: of 30 deployed components one differs.
    installation.apply(*[document for document in demo.documents if document["kind"] != "ResourceReleaseBinding"])
    assert only_deployment_of("ad", demo.settle(ready=COMPONENTS * 3)) == "development"
    delete_all(demo)


def roll_out_and_back(demo: Demo) -> None:
    """A new image goes to two environments, and out of one again: each time one object changes."""
    first = demo.images()["staging"]
    container = demo.installation.get("Workload", NAMESPACE, "ad")["spec"]["container"]
    demo.change("Workload", "ad", container={**container, "image": "registry.example/ad:2"})
    assert only_deployment_of("ad", demo.settle(ready=COMPONENTS * 3)) == "development"
    demo.installation.ask(promote=["ad", "staging"])
    assert only_deployment_of("ad", demo.settle(ready=COMPONENTS * 3)) == "staging"
    second = "registry.example/ad:2"
    assert demo.images() == {"development": second, "staging": second, "production": first}
    demo.installation.ask(roll_back=["ad", "staging"])
    assert only_deployment_of("ad", demo.settle(ready=COMPONENTS * 3)) == "staging"
    assert demo.images() == {"development": second, "staging": first, "production": first}


def only_deployment_of(component: str, written: list[Write]) -> str:
    """The environment in which the component's Deployment is all that was written."""
    (write,) = written
    assert (write.verb, write.plural, write.name.split("-")[0]) == ("patch", "deployments", component)
    return environment_of(write.key)


def undeploy_and_deploy_again(demo: Demo) -> None:
    """What is undeployed leaves, and its consumers in the same environment are told; the way back is the same."""
    there = demo.mine()
    going = {key for key in there if environment_of(key) == "production" and is_part_of("ad", there[key])}
    demo.change("ReleaseBinding", "ad-production", state="Undeploy")
    until(lambda: set(there) - set(demo.mine()) == going, seconds=SECONDS)
    written = demo.settle(ready=COMPONENTS * 3 - 2, otherwise=2)
    consumer = [write for write in written if write.verb == "patch"]
    assert [write.name.split("-")[0] for write in consumer] == ["frontend"]
    assert Counter(write.key for write in written if write.verb == "delete") == Counter(going)
    demo.change("ReleaseBinding", "ad-production", state="Active")
    written = demo.settle(ready=COMPONENTS * 3)
    assert {write.key for write in written} == going | {write.key for write in consumer}
    assert set(demo.mine()) == set(there)


def delete_all(demo: Demo) -> None:
    """Everything is deleted at once; the platform removes each object once and leaves none."""
    there = set(demo.mine())
    for name in demo.names:
        demo.installation.delete("Component", NAMESPACE, name)
    demo.installation.delete("Resource", NAMESPACE, "redis")
    demo.installation.delete("Project", NAMESPACE, PROJECT)
    until(
        lambda: not demo.installation.get("Project", NAMESPACE, PROJECT),
        lambda: str(demo.installation.state()),
        SECONDS,
    )
    assert demo.mine() == {}
    written = demo.settle(ready=0)
    assert {write.verb for write in written} == {"delete"}
    assert Counter(write.key for write in written) == Counter(there), "each object once, and no other"
    namespaces = {item["metadata"]["name"] for item in demo.cluster.call("GET", "/api/v1/namespaces")["items"]}
    assert not [name for name in namespaces if "gcp-microserv" in name]
    assert returned(writes_of(demo.cluster, demo.earlier)) != [], "a rollback is a step back, and the audit shows it"
