"""A real cluster as the plane: from `apply` to the cluster's objects, what it costs there, and what rest costs.

The API server, etcd, the controllers and the nodes share the machine with the installation, as they did when the
peer's figures were recorded. Requests are counted by the API server's audit log.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.delivery import LIMIT_SECONDS, Measurement, apply_all, cpu_of, edit_the_type, memory_of
from bench.report import Row, figures
from catalog.compiler.yaml import load_documents
from portal.quickstart.content import SHOP
from tests.conftest import conformance_directory
from tests.real import services
from tests.real.cluster.cluster import Cluster, start_cluster
from tests.real.cluster_installation import PLATFORM, installation_on
from tests.real.installation import Installation, greeter

POLL_SECONDS = 0.1
NODES = 4
WORKERS = 2
SAME_AS_PEER = 200
ENVIRONMENTS = ("development", "staging", "production")
DEPLOYMENTS = "/apis/apps/v1/deployments"
METADATA = {
    "apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived", "ResponseStarted"],
    "rules": [{"level": "Metadata"}],
}  # fmt: skip


@dataclass
class Bench:
    """A cluster with an installation on it, workers running."""

    cluster: Cluster
    installation: Installation
    heard: int = 0

    def requests(self) -> Counter[str]:
        """The platform's requests since the last time, by verb."""
        with (self.cluster.directory / "audit.jsonl").open("rb") as log:
            log.seek(self.heard)
            lines = log.read()
            self.heard = log.tell()
        events = (json.loads(line) for line in lines.splitlines())
        return Counter(event["verb"] for event in events if event.get("userAgent") == PLATFORM)

    def deployments(self) -> int:
        """How many Deployments the cluster has, by one cheap request."""
        found = self.cluster.call("GET", f"{DEPLOYMENTS}?limit=1")
        return len(found["items"]) + int(found["metadata"].get("remainingItemCount", 0))

    def wait(self, is_so: Callable[[], bool]) -> None:
        began = time.monotonic()
        while not is_so():
            if time.monotonic() - began > LIMIT_SECONDS:
                raise TimeoutError(f"not within {LIMIT_SECONDS:.0f} s: {str(self.installation.state())[:2000]}")
            time.sleep(POLL_SECONDS)

    def memory(self) -> float:
        """The most that a worker has had resident, in MiB."""
        return max(memory_of(worker.pid) for worker in self.installation.workers)


@contextmanager
def bench_on(setup: str) -> Iterator[Bench]:
    """`setup`: sqlite or postgresql. The platform is at rest when this begins. Raises `services.Unavailable`."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="stagecraft-bench-"))) / "home"
        database = stack.enter_context(services.start_postgresql()).url if setup != "sqlite" else ""
        cluster = stack.enter_context(start_cluster(nodes=NODES, audited=METADATA))
        installation = stack.enter_context(installation_on(cluster, home, database_url=database))
        for _ in range(WORKERS):
            installation.start_worker()
        found = Bench(cluster, installation)
        installation.apply(*greeter("warm-up"))  # the workers are up, and the types have been compiled once
        installation.wait_until_settled(1)
        found.wait(lambda: is_at_rest(installation))
        time.sleep(2)
        found.requests()
        yield found


def is_at_rest(installation: Installation) -> bool:
    state = installation.state()
    return state["due"] == 0 and state["delivered"] == state["objects"] > 0


def run(setup: str, components: int, idle_seconds: float) -> None:
    """All measures; each is printed when it is done, with the load, since the machine may be shared.

    `idle_seconds`: more than 300 to have one round of the slow full check in it.
    """
    for measure in (
        lambda: demo(setup),
        lambda: many(setup, idle_seconds),
        lambda: in_three_environments(setup, components),
    ):
        rows = measure()
        load = " ".join(f"{value:.1f}" for value in os.getloadavg())
        print(figures(f"cluster, {setup}, {WORKERS} workers, load {load}", rows), flush=True)


def demo(setup: str) -> list[Row]:
    """The shop demo: until its ten Deployments exist, and until all of it is gone."""
    folder = conformance_directory() / "samples" / "gcp-microservices-demo"
    documents: list[Any] = [
        document.value
        for path in sorted((folder if folder.is_dir() else SHOP).rglob("*.yaml"))
        for document in load_documents(path.read_text(encoding="utf-8"), path.name)
    ]
    names = [item["metadata"]["name"] for item in documents if item["kind"] == "Component"]
    with bench_on(setup) as bench:
        began = time.monotonic()
        bench.installation.apply(*documents)
        bench.wait(lambda: bench.deployments() > len(names))
        there = time.monotonic() - began
        bench.wait(lambda: is_at_rest(bench.installation))
        asked = bench.requests()
        began = time.monotonic()
        kinds = {"Component", "Resource", "Project"}
        for item in [item for item in documents if item["kind"] in kinds]:
            bench.installation.delete(item["kind"], "default", item["metadata"]["name"])
        bench.wait(lambda: not any(
            bench.installation.get(item["kind"], "default", item["metadata"]["name"])
            for item in documents if item["kind"] in kinds
        ))  # fmt: skip
        gone = time.monotonic() - began
    return [
        Row(f"the demo's {len(names)} Deployments exist after", there, "s", 2, "9.3"),
        Row("the demo is deleted after", gone, "s", 5, "17.6"),
        Row("API calls for the demo", sum(asked.values()), "calls"),
    ]


def many(setup: str, idle_seconds: float) -> list[Row]:
    """As many components as the peer was measured with: applied, then changed by one edit, then left alone."""
    measured = Measurement(setup, WORKERS, SAME_AS_PEER)
    with bench_on(setup) as bench:
        server = bench.cluster.parts["kube-apiserver"].process
        assert server is not None
        workers, served = cpu_seconds(bench), cpu_of(server.pid)
        apply_all(bench.installation, measured)
        applied = bench.requests()
        edit_the_type(bench.installation, measured)
        edited = bench.requests()
        changed = bench.cluster.call("GET", DEPLOYMENTS)["items"]
        assert all(item["metadata"].get("annotations", {}).get("example.org/edited") for item in changed)
        workers, served = cpu_seconds(bench) - workers, cpu_of(server.pid) - served
        bench.wait(lambda: is_at_rest(bench.installation))
        time.sleep(2)
        bench.requests()
        time.sleep(idle_seconds)
        idle = bench.requests()
        memory = bench.memory()
    print(f"  requests: applied {dict(applied)}, edited {dict(edited)}, idle {dict(idle)}", flush=True)
    return [
        Row(f"{SAME_AS_PEER} components from apply", measured.per_minute, "/min", None, "113 to 153; ours to be 600"),
        Row("one edit of a type reaches", measured.edits_per_minute, "/min", None, "336 to 392; ours to be 1500"),
        Row("objects a second, applied", measured.objects / measured.delivered_seconds, "/s"),
        Row("API calls per object, applied", sum(applied.values()) / measured.objects, "calls"),
        Row("API calls per changed Deployment, edited", sum(edited.values()) / SAME_AS_PEER, "calls"),
        Row("workers' CPU for both", workers, "s", None, "27 to 33"),
        Row("API server's CPU for both", served, "s", None, "76 to 86"),
        Row("memory of a worker", memory, "MiB", None, "106"),
        Row("API requests a minute while nothing changes", sum(idle.values()) / idle_seconds * 60, "/min", 50, "927"),
    ]


def in_three_environments(setup: str, components: int) -> list[Row]:
    """Releases cut and applied in the first environment, then promoted through two more."""
    measured = Measurement(setup, WORKERS, components)
    with bench_on(setup) as bench:
        began = time.monotonic()
        apply_all(bench.installation, measured)
        for environment in ENVIRONMENTS[1:]:
            for number in range(components):
                bench.installation.ask(promote=[f"greeter-{number}", environment])
        wanted = components * len(ENVIRONMENTS) + 1  # and the one that warmed up
        bench.wait(lambda: bench.installation.ask(delivered=True)["delivered"] >= wanted)
        seconds = time.monotonic() - began
        asked, memory = bench.requests(), bench.memory()
        objects = bench.installation.state()["objects"]
        assert bench.deployments() == wanted
    return [
        Row(f"{components} components in three environments, from release to applied", wanted / seconds * 60, "/min"),
        Row("objects a second", objects / seconds, "/s"),
        Row("API calls per object", sum(asked.values()) / objects, "calls"),
        Row("memory of a worker", memory, "MiB"),
        Row("all of it took", seconds, "s"),
    ]


def cpu_seconds(bench: Bench) -> float:
    return sum(cpu_of(worker.pid) for worker in bench.installation.workers)
