"""A quickstart as a user starts it, without the sample, and what a client of it needs to sign in."""

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

import requests

from tests.conftest import REPOSITORY
from tests.real.installation import NOT_INHERITED, Installation
from tests.real.services import free_port

START_SECONDS = 120.0
SETTLE_SECONDS = 60.0
CLIENT, ACCOUNT = "ci", "ci-robot"
CONTROLLER_SETTINGS = {"RECONCILE_SWEEP_SECONDS": "0.3", "SECRET_MANAGEMENT_ENABLED": "true"}


@dataclass
class Quickstart:
    """Use it as a context manager. `public_url` is where clients come in, if that is not the server itself."""

    home: Path
    public_url: str = ""
    port: int = field(default_factory=free_port)
    client_secret: str = ""
    """Of the client `ci`, which may do everything."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
        settings = {"PUBLIC_URL": self.public_url or self.url, **CONTROLLER_SETTINGS}
        return {**inherited, "STAGECRAFT_HOME": str(self.home), **settings}

    def __enter__(self) -> Quickstart:
        self.home.mkdir(parents=True, exist_ok=True)
        facts = self.home / "facts.json"
        command = [sys.executable, "manage.py", "quickstart", "--no-sample", "--port", str(self.port)]
        with (self.home / "quickstart.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--json", str(facts)], cwd=REPOSITORY, env=self.environment, stdout=log, stderr=log
            )
        try:
            self.wait_for(facts)
            self.facts: dict[str, Any] = json.loads(facts.read_text())
            self.console = Installation(self.home, settings={"PUBLIC_URL": self.public_url, **CONTROLLER_SETTINGS})
            self.add_client()
            self.settle()
        except BaseException:
            self.__exit__()
            raise
        return self

    def wait_for(self, facts: Path) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not (facts.exists() and facts.read_text().endswith(("}", "}\n"))):
            ended = self.process.poll() is not None
            if ended or time.monotonic() > deadline:
                raise AssertionError(f"no quickstart: {(self.home / 'quickstart.log').read_text()[-3000:]}")
            time.sleep(0.1)

    def __exit__(self, *_: object) -> None:
        if hasattr(self, "console"):
            self.console.stop()
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def add_client(self) -> None:
        """A client for programs, with the rights of an administrator."""
        self.manage("account", "create-service-account", ACCOUNT)
        printed = self.manage("oauth_client", "add", CLIENT, "--account", ACCOUNT, "--name", "CI")
        self.client_secret = next(line.split()[1] for line in printed.splitlines() if line.startswith("secret "))
        binding = {
            "metadata": {"name": "ci"},
            "spec": {
                "entitlement": {"claim": "sub", "value": ACCOUNT},
                "roleMappings": [{"roleRef": {"kind": "ClusterAuthzRole", "name": "admin"}}],
                "effect": "allow",
            },
        }
        headers = {"Authorization": f"Bearer {self.facts['token']}"}
        made = requests.post(f"{self.url}/api/v1/clusterauthzrolebindings", json=binding, headers=headers, timeout=30)
        assert made.status_code == 201, made.text

    def manage(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=REPOSITORY, env=self.environment, text=True, capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"manage.py {' '.join(arguments)}: {done.stderr[-3000:]}"
        return done.stdout

    def settle(self) -> None:
        """Wait until the worker has acted on every change."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while (due := self.console.ask(due=True)["due"]) > 0:
            assert time.monotonic() < deadline, f"{due} objects still wait for their controllers"
            time.sleep(0.05)
