"""A whole Stagecraft in a directory of its own: real database, real broker, real worker processes.

    with Installation(tmp_path) as installation:
        installation.prepare()
        installation.start_worker()
        installation.apply(greeter("cart"))
        installation.wait_until_settled()

Workers are the quickstart's: `celery … --pool solo`. They can be killed at any moment and started again.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.conftest import REPOSITORY

NOT_INHERITED = ("STAGECRAFT_HOME", "DATABASE_URL", "CELERY_BROKER_URL", "DJANGO_SETTINGS_MODULE", "SECRET_KEY")


WORKER = [
    sys.executable, "-m", "celery", "-A", "portal", "worker", "--pool", "solo", "--loglevel", "warning",
    "--without-gossip", "--without-mingle", "--without-heartbeat",
]  # fmt: skip
"""One worker without child processes, as the quickstart runs it."""


class NotSettled(AssertionError):
    """It did not come to rest in time; the text says what was still open."""


@dataclass
class Installation:
    """`database_url` and `broker_url` empty: SQLite and files, as on one machine."""

    home: Path
    database_url: str = ""
    broker_url: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    console: subprocess.Popen[str] | None = None

    def __enter__(self) -> Installation:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def repository(self) -> Path:
        """The embedded Git plane."""
        return self.home / "planes" / "default.git"

    @property
    def environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
        return {
            **inherited,
            "STAGECRAFT_HOME": str(self.home),
            "DATABASE_URL": self.database_url,
            "CELERY_BROKER_URL": self.broker_url,
            "RECONCILE_SWEEP_SECONDS": "1",
            **self.settings,
        }

    def ask(self, **command: Any) -> dict[str, Any]:
        """Tell the console something and read its answer."""
        if self.console is None:
            self.home.mkdir(parents=True, exist_ok=True)
            with (self.home / "console.log").open("ab") as log:
                self.console = subprocess.Popen(
                    [sys.executable, "-m", "tests.real.console"],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, cwd=REPOSITORY,
                    env=self.environment,
                )  # fmt: skip
            self.read_answer()
        assert self.console.stdin is not None
        self.console.stdin.write(json.dumps(command) + "\n")
        self.console.stdin.flush()
        return self.read_answer()

    def read_answer(self) -> dict[str, Any]:
        assert self.console is not None
        assert self.console.stdout is not None
        line = self.console.stdout.readline()
        if not line:
            raise AssertionError(f"the console has ended: {(self.home / 'console.log').read_text()[-3000:]}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def prepare(self) -> None:
        """Tables and the platform's defaults."""
        self.ask(prepare=True)

    def apply(self, *documents: dict[str, Any]) -> dict[str, Any]:
        return self.ask(apply=list(documents))

    def delete(self, kind: str, namespace: str, name: str) -> None:
        self.ask(delete=[kind, namespace, name])

    def get(self, kind: str, namespace: str, name: str) -> dict[str, Any]:
        """An object with its status, {} if there is none."""
        return self.ask(get=[kind, namespace, name])

    def state(self) -> dict[str, Any]:
        return self.ask(state=True)

    def start_worker(self) -> subprocess.Popen[bytes]:
        """One more worker; its output goes to `worker.log`."""
        with (self.home / "worker.log").open("ab") as log:
            worker = subprocess.Popen(
                WORKER, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=REPOSITORY,
                env=self.environment, start_new_session=True,
            )  # fmt: skip
        self.workers.append(worker)
        return worker

    def kill_worker(self, worker: subprocess.Popen[bytes]) -> None:
        """kill -9, and no word of goodbye."""
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        self.workers.remove(worker)

    def wait_until_settled(self, components: int, seconds: float = 120.0) -> dict[str, Any]:
        """Wait until nothing is due, every component's binding is Ready and everything is delivered."""
        deadline = time.monotonic() + seconds
        while True:
            found = self.state()
            ready = [reason for reason in found["bindings"].values() if reason == "Ready"]
            all_there = found["components"] == components == len(ready) == len(found["bindings"])
            if all_there and found["due"] == 0 and found["delivered"] == found["objects"] > 0:
                return found
            if time.monotonic() > deadline:
                log = (self.home / "worker.log").read_text()[-3000:]
                raise NotSettled(f"after {seconds:.0f} s: {json.dumps(found)[:3000]}\nworker.log ends: {log}")
            time.sleep(0.2)

    def stop(self) -> None:
        """End all processes, by their own ids."""
        for worker in self.workers:
            worker.send_signal(signal.SIGTERM)
        for worker in self.workers:
            try:
                worker.wait(10)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
        self.workers.clear()
        if self.console is not None:
            assert self.console.stdin is not None
            self.console.stdin.close()
            self.console.wait(10)
            self.console = None


def greeter(name: str, image: str = "registry.example/greeter:1") -> list[dict[str, Any]]:
    """A service with settings, a file and a public endpoint: the documents that a developer writes for it.

    With the platform's defaults it comes to six objects: two ConfigMaps, Deployment, HTTPRoute, Service,
    NetworkPolicy.
    """
    metadata = {"name": name, "namespace": "default"}
    component = {
        "owner": {"projectName": "default"},
        "componentType": {"kind": "ClusterComponentType", "name": "deployment/service"},
        "autoDeploy": True,
    }
    workload = {
        "owner": {"projectName": "default", "componentName": name},
        "container": {
            "image": image,
            "env": [{"key": "LOG_LEVEL", "value": "info"}, {"key": "GREETING", "value": "Hello"}],
            "files": [{"key": "settings.toml", "mountPath": "/etc/greeter", "value": "[greeter]\nloud = true\n"}],
        },
        "endpoints": {"http": {"type": "HTTP", "port": 9090, "visibility": ["external"]}},
    }
    return [
        {"apiVersion": "openchoreo.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}
        for kind, spec in (("Component", component), ("Workload", workload))
    ]
