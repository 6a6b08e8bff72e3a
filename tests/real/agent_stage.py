"""What the tests of agents play on: one installation whose default plane only an agent reaches, a gateway, an agent."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from django.core import signing

from catalog.delivery.agent.authority import Signed, sign_client
from catalog.delivery.agent.internal_token import SALT, SUBJECT
from tests.conftest import REPOSITORY
from tests.real.agents import DAY, GatewayProcess, Process, start_agent, start_gateway
from tests.real.cluster.cluster import Cluster
from tests.real.installation import Installation, greeter

SECONDS = 60.0
DEPLOYMENTS = "/apis/apps/v1/deployments"
HEAD = "dataplane/default/_cluster/default"
PRELUDE = """
import os; os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
import django; django.setup()
"""


@dataclass
class AgentStage:
    """`signed` is a certificate of the default plane's authority."""

    cluster: Cluster
    installation: Installation
    gateway: GatewayProcess
    agent: Process
    signed: Signed
    directory: Path

    def deploy(self, name: str) -> None:
        """Apply a greeter and wait until its binding is Ready."""
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

    def wait_for_agents(self, count: int) -> None:
        until(lambda: self.connection().get("connectedAgents") == count, lambda: str(self.connection()))

    def token(self) -> str:
        """What the platform's own processes show to the gateway."""
        key = (self.installation.home / "secret-key").read_text().strip()
        return f"Bearer {signing.TimestampSigner(key=key, salt=SALT).sign(SUBJECT)}"

    def ask(
        self, path: str, method: str = "GET", head: str = HEAD, target: str = "k8s",
        gateway: GatewayProcess | None = None, **options: Any,
    ) -> requests.Response:  # fmt: skip
        """A request to the cluster through the gateway, as a worker makes it. The path goes as it is."""
        gateway = gateway or self.gateway
        url = f"{gateway.internal_url}/api/proxy/{head}/{target}{path}"
        headers = {"Authorization": self.token(), **options.pop("headers", {})}
        stream = options.pop("stream", False)
        prepared = requests.Request(method, url, headers=headers, **options).prepare()
        prepared.url = url
        return requests.Session().send(
            prepared, timeout=60, allow_redirects=False, stream=stream, **gateway.trusted
        )  # fmt: skip

    def run(self, code: str) -> str:
        """Run code in the installation; what it printed."""
        done = subprocess.run(
            [sys.executable, "-c", PRELUDE + code], cwd=REPOSITORY, env=self.installation.environment, text=True,
            capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout.strip()


def until(
    is_so: Callable[[], Any], otherwise: Callable[[], str] = lambda: "it did not come", seconds: float = SECONDS
) -> Any:
    """Wait for something and return it; the assertion says how things stood at the end."""
    deadline = time.monotonic() + seconds
    while not (found := is_so()):
        assert time.monotonic() < deadline, f"after {seconds:.0f} s: {otherwise()}"
        time.sleep(0.05)
    return found


def plane_behind_agent(installation: Installation, authority: str) -> dict[str, Any]:
    """The default plane, behind agents of that authority."""
    plane = installation.get("ClusterDataPlane", "", "default")
    plane.pop("status", None)
    plane["metadata"].setdefault("annotations", {})["stagecraft.dev/driver"] = "agent"
    plane["spec"] |= {"planeID": "default", "clusterAgent": {"clientCA": {"value": authority}}}
    return plane


@contextmanager
def agent_stage_on(cluster: Cluster, directory: Path) -> Iterator[AgentStage]:
    signed = sign_client("agent", DAY)
    with ExitStack() as held:
        installation = held.enter_context(Installation(directory / "home"))
        installation.prepare()
        installation.apply(plane_behind_agent(installation, signed.authority))
        gateway = start_gateway(installation)
        held.callback(gateway.stop)
        agent = start_agent(gateway, cluster, signed, directory / "agent")
        held.callback(agent.stop)
        installation.start_worker()
        agent.wait_for("connected to")
        yield AgentStage(cluster, installation, gateway, agent, signed, directory)
