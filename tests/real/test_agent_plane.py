"""A whole installation, a gateway, agents, and a real Kubernetes that only they ask.

One cluster and one installation serve all tests of this file; each test has components of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from catalog.delivery.agent.authority import Signed, sign_client
from tests.real.agents import DAY, GatewayProcess, Process, start_agent, start_gateway
from tests.real.cluster.cluster import Cluster
from tests.real.installation import Installation, greeter

pytestmark = [pytest.mark.real("kubernetes"), pytest.mark.xdist_group("kubernetes")]
SECONDS = 60.0
DEPLOYMENTS = "/apis/apps/v1/deployments"


@dataclass
class Stage:
    """What the tests play on. `signed` is a certificate of the default plane's authority."""

    cluster: Cluster
    installation: Installation
    gateway: GatewayProcess
    agent: Process
    signed: Signed
    directory: Path

    def deploy(self, name: str) -> None:
        self.installation.apply(*greeter(name))
        until(lambda: self.reason(name) == "Ready", lambda: f"{self.installation.state()} {self.agent.said[-2000:]}")

    def reason(self, name: str) -> str:
        return str(self.installation.state()["bindings"].get(f"{name}-development", ""))

    def objects(self, name: str, path: str = DEPLOYMENTS) -> list[dict[str, Any]]:
        selector = f"labelSelector=openchoreo.dev%2Frendered-release-name%3D{name}-development"
        found: list[dict[str, Any]] = self.cluster.call("GET", f"{path}?{selector}")["items"]
        return found

    def connection(self) -> dict[str, Any]:
        """What the default plane says of its agents."""
        plane = self.installation.get("ClusterDataPlane", "", "default")
        found: dict[str, Any] = plane["status"].get("agentConnection") or {}
        return found


def until(is_so: Callable[[], Any], otherwise: Callable[[], str] = lambda: "it did not come", seconds: float = SECONDS):
    deadline = time.monotonic() + seconds
    while not (found := is_so()):
        assert time.monotonic() < deadline, f"after {seconds:.0f} s: {otherwise()}"
        time.sleep(0.05)
    return found


@pytest.fixture(scope="module")
def stage(tmp_path_factory, cluster) -> Iterator[Stage]:
    """An installation whose default plane is behind an agent."""
    directory: Path = tmp_path_factory.mktemp("agents")
    signed = sign_client("agent", DAY)
    with ExitStack() as held:
        installation = held.enter_context(Installation(directory / "home"))
        installation.prepare()
        installation.apply(plane_with(installation, signed.authority))
        gateway = start_gateway(installation)
        held.callback(gateway.stop)
        agent = start_agent(gateway, cluster, signed, directory / "agent")
        held.callback(agent.stop)
        installation.start_worker()
        yield Stage(cluster, installation, gateway, agent, signed, directory)


def plane_with(installation: Installation, authority: str) -> dict[str, Any]:
    """The default plane, behind agents of that authority."""
    plane = installation.get("ClusterDataPlane", "", "default")
    plane.pop("status", None)
    plane["metadata"].setdefault("annotations", {})["stagecraft.dev/driver"] = "agent"
    plane["spec"] |= {"planeID": "default", "clusterAgent": {"clientCA": {"value": authority}}}
    return plane


def test_a_component_is_delivered_through_the_agent_and_its_status_comes_back(stage):
    stage.deploy("through")
    (deployment,) = stage.objects("through")
    assert deployment["status"]["availableReplicas"] == 1
    assert deployment["metadata"]["managedFields"][0]["manager"] == "stagecraft"
    held = stage.installation.get("RenderedRelease", "default", "through-development")["status"]
    entry = next(item for item in held["resources"] if item["kind"] == "Deployment")
    assert (entry["healthStatus"], entry["status"]["availableReplicas"]) == ("Healthy", 1)


def test_the_plane_says_that_its_agent_is_connected(stage):
    until(lambda: stage.connection().get("connected"))
    assert stage.connection()["connectedAgents"] == 1
    assert stage.connection()["message"] == "1 agent connected"
