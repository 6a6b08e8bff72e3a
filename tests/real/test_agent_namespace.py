"""A cluster in a network of its own, which nothing but its agent leaves; the cable is cut again and again under load.

All parts are real processes. The short version cuts five times; `make soak` cuts fifty times.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from catalog.delivery.agent.authority import sign_client
from tests.conftest import missing
from tests.real import services
from tests.real.agent_stage import AgentStage, plane_behind_agent, until
from tests.real.agents import DAY, start_agent, start_gateway
from tests.real.cluster.cluster import start_cluster
from tests.real.installation import Installation, greeter
from tests.real.network_namespace import Network, network_namespace

pytestmark = [pytest.mark.real("kubernetes"), pytest.mark.xdist_group("kubernetes")]
CONVERGED_SECONDS = 240.0


@dataclass
class Remote(AgentStage):
    """A stage whose cluster is in another network."""

    network: Network

    def deployments(self) -> dict[str, str]:
        """The image of every component's Deployment in the cluster, read inside its network."""
        with self.network.entered():
            items = self.cluster.call("GET", "/apis/apps/v1/deployments")["items"]
        found = {}
        for item in items:
            name = item["metadata"]["labels"].get("openchoreo.dev/component")
            if name and item["status"].get("availableReplicas") == 1:
                found[name] = item["spec"]["template"]["spec"]["containers"][0]["image"]
        return found


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remote]:
    directory: Path = tmp_path_factory.mktemp("remote")
    signed = sign_client("agent", DAY)
    with ExitStack() as held:
        network = held.enter_context(network_namespace())
        try:
            with network.entered():
                cluster = held.enter_context(start_cluster())
        except services.Unavailable as reason:
            missing("Kubernetes", str(reason))
        installation = held.enter_context(Installation(directory / "home"))
        installation.prepare()
        installation.apply(plane_behind_agent(installation, signed.authority))
        gateway = start_gateway(installation, host=network.ours, GATEWAY_HEARTBEAT_SECONDS="1")
        held.callback(gateway.stop)
        with network.entered():
            agent = start_agent(gateway, cluster, signed, directory / "agent", options=("--heartbeat-seconds", "1"))
        held.callback(agent.stop)
        installation.start_worker()
        agent.wait_for("connected to")
        yield Remote(cluster, installation, gateway, agent, signed, directory, network)


def test_nothing_but_the_agent_reaches_the_cluster(remote: Remote):
    for host in ("127.0.0.1", remote.network.theirs):
        with socket.socket() as probe:
            probe.settimeout(2)
            assert probe.connect_ex((host, remote.cluster.port)) != 0
    remote.deploy("far")
    assert remote.deployments()["far"] == "registry.example/greeter:1"


def test_five_cuts_under_load_lose_nothing(remote: Remote):
    cut_and_mend(remote, 5, "short")


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_fifty_cuts_under_load_lose_nothing(remote: Remote):
    cut_and_mend(remote, 50, "long")


def cut_and_mend(remote: Remote, times: int, prefix: str) -> None:
    """New components and new images go out while the cable is cut; in the end all is as wanted, and ready."""
    wanted: dict[str, str] = {}
    for number in range(times):
        name = f"{prefix}-{number}"
        wanted[name] = "registry.example/greeter:1"
        remote.installation.apply(*greeter(name))
        remote.network.cut()
        if number:
            former = f"{prefix}-{number - 1}"
            wanted[former] = "registry.example/greeter:2"
            remote.installation.apply(*greeter(former, wanted[former]))
        cuts = remote.gateway.said.count(" disconnected: ")
        # Both sides find out by their heartbeats alone.
        until(
            lambda cuts=cuts: remote.gateway.said.count(" disconnected: ") > cuts, lambda: remote.gateway.said[-2000:]
        )
        remote.network.mend()
        until(lambda: is_connected(remote), lambda: remote.agent.said[-2000:])
    until(lambda: differences(remote, wanted) == [], lambda: story(remote, wanted), CONVERGED_SECONDS)
    assert set(applied_images(remote, prefix)) == set(wanted)


def is_connected(remote: Remote) -> bool:
    return remote.gateway.said.count(" connected, for ") > remote.gateway.said.count(" disconnected: ")


def differences(remote: Remote, wanted: dict[str, str]) -> list[str]:
    found = remote.deployments()
    bindings = remote.installation.state()["bindings"]
    return [
        name for name, image in wanted.items()
        if found.get(name) != image or bindings.get(f"{name}-development") != "Ready"
    ]  # fmt: skip


def story(remote: Remote, wanted: dict[str, str]) -> str:
    state = remote.installation.state()
    return f"{differences(remote, wanted)} are not as wanted: {state['failed']} {state['bindings']}"


def applied_images(remote: Remote, prefix: str) -> dict[str, list[Any]]:
    """What was written to each component's Deployment: never another content than one that was wanted."""
    found: dict[str, list[Any]] = {}
    for event in remote.cluster.writes():
        if event["verb"] != "patch" or event["objectRef"]["resource"] != "deployments":
            continue
        if event["objectRef"].get("subresource") or event.get("userAgent") != "stagecraft":
            continue
        body = event["requestObject"]
        name = body["metadata"]["labels"]["openchoreo.dev/component"]
        if name.startswith(prefix):
            image = body["spec"]["template"]["spec"]["containers"][0]["image"]
            assert not found.get(name) or found[name][-1] <= image, f"{name} went back to {image}"
            found.setdefault(name, []).append(image)
    return found
