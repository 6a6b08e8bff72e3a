"""Gateways and agents as processes, and certificates for them.

gateway = start_gateway(installation)
agent = start_agent(gateway, cluster, sign_client("agent", DAY), directory)
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from catalog.delivery.agent.authority import Signed, write_private
from tests.conftest import REPOSITORY
from tests.real.cluster.cluster import Cluster
from tests.real.installation import Installation
from tests.real.services import free_port

DAY = timedelta(days=1)
READY_SECONDS = 60.0


@dataclass
class Process:
    """A program with its log; started again on the same ports."""

    command: Sequence[str]
    environment: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=REPOSITORY,
                env=self.environment, start_new_session=True,
            )  # fmt: skip

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def stop(self) -> None:
        self.kill(signal.SIGTERM)

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def wait_for(self, words: str, seconds: float = READY_SECONDS) -> None:
        """Until the log has these words."""
        deadline = time.monotonic() + seconds
        while words not in self.said:
            assert self.process is not None
            assert self.process.poll() is None, f"it has ended: {self.said[-3000:]}"
            assert time.monotonic() < deadline, f"{words!r} is not in: {self.said[-3000:]}"
            time.sleep(0.05)


@dataclass
class GatewayProcess(Process):
    """A replica of the gateway."""

    port: int = 0
    internal_port: int = 0
    authority: Path = Path()
    host: str = "127.0.0.1"

    @property
    def url(self) -> str:
        return f"wss://{self.host}:{self.port}/ws"

    @property
    def internal_url(self) -> str:
        scheme = "https" if self.trusted else "http"
        return f"{scheme}://127.0.0.1:{self.internal_port}"

    @property
    def trusted(self) -> dict[str, Any]:
        """What a client of the internal port needs where that has TLS, as `requests` wants it."""
        given = {name: self.environment.get(f"GATEWAY_INTERNAL_{name}", "") for name in ("CERTIFICATE", "KEY")}
        if not given["KEY"]:
            return {}
        return {"cert": tuple(given.values()), "verify": self.environment["GATEWAY_INTERNAL_AUTHORITY"]}

    def start(self) -> None:
        super().start()
        deadline = time.monotonic() + READY_SECONDS
        while not listens(self.host, self.port):
            assert self.process is not None
            assert self.process.poll() is None, f"the gateway has ended: {self.said[-3000:]}"
            assert time.monotonic() < deadline, f"the gateway does not listen: {self.said[-3000:]}"
            time.sleep(0.05)


def listens(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


def start_gateway(
    installation: Installation, name: str = "gateway", host: str = "127.0.0.1", **settings: str
) -> GatewayProcess:
    """A replica on free ports. `settings` are variables of the environment."""
    port, internal_port = free_port(), free_port()
    command = [
        sys.executable, "manage.py", "gateway", "--address", f"{host}:{port}", "--internal-address",
        f"127.0.0.1:{internal_port}",
    ]  # fmt: skip
    environment = {**installation.environment, "GATEWAY_HOSTS": host, **settings}
    found = GatewayProcess(
        command, environment, installation.home / f"{name}.log", None, port, internal_port,
        installation.home / "gateway" / "authority.crt", host,
    )  # fmt: skip
    found.start()
    return found


def write_files(directory: Path, signed: Signed) -> None:
    """An agent's certificate and key, replaced as one renews them."""
    directory.mkdir(parents=True, exist_ok=True)
    write_private(directory / "tls.key.new", signed.key)
    (directory / "tls.crt.new").write_text(signed.certificate)
    (directory / "tls.key.new").rename(directory / "tls.key")
    (directory / "tls.crt.new").rename(directory / "tls.crt")


def agent_arguments(gateway: GatewayProcess, directory: Path, plane_id: str, plane_type: str) -> list[str]:
    """The options that our agent and OpenChoreo's have in common."""
    return [
        "--server-url", gateway.url, "--plane-type", plane_type, "--plane-id", plane_id,
        "--client-cert", str(directory / "tls.crt"), "--client-key", str(directory / "tls.key"),
        "--server-ca", str(gateway.authority), "--kubeconfig", str(directory / "kubeconfig"),
    ]  # fmt: skip


def start_agent(
    gateway: GatewayProcess, cluster: Cluster, signed: Signed, directory: Path, plane_id: str = "default",
    plane_type: str = "dataplane", options: Sequence[str] = (), program: Sequence[str] = (),
) -> Process:  # fmt: skip
    """An agent for the cluster. `options` are further words for it; `program`: another than ours."""
    write_files(directory, signed)
    (directory / "kubeconfig").write_text(cluster.kubeconfig)
    ours = [sys.executable, "-m", "catalog.delivery.agent.program", "--reconnect-seconds", "1"]
    command = [*(program or ours), *agent_arguments(gateway, directory, plane_id, plane_type), *options]
    bare = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "PYTHONPATH", "LANG")}
    found = Process(command, bare, directory / "agent.log")
    found.start()
    return found
