"""The server as the quickstart runs it, on a free port of this machine, with tables, clients and one person.

with Server(tmp_path) as server:
    requests.get(server.url + "/health")
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import requests

from portal.quickstart.supervise import server_command
from tests.conftest import REPOSITORY
from tests.real.installation import Installation
from tests.real.services import free_port


@dataclass
class Server:
    """`database_url` empty: SQLite in `home`. What `manage.py` is to do first is in `before`."""

    home: Path
    before: tuple[tuple[str, ...], ...] = ()
    database_url: str = ""
    process: subprocess.Popen[bytes] | None = None
    port: int = field(default_factory=free_port)
    interface: str = "wsgi"
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def command(self) -> list[str]:
        if self.interface == "wsgi":
            return server_command("127.0.0.1", self.port)
        return [
            str(Path(sys.executable).parent / "granian"), "--interface", self.interface, "--host", "127.0.0.1",
            "--port", str(self.port), "--workers", "1", "--no-ws", "--log-level", "warning", "portal.asgi:application",
        ]  # fmt: skip

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        held = Installation(self.home, self.database_url, settings={"PUBLIC_URL": self.url, **self.settings})
        return held.environment

    def manage(self, *arguments: str, given: str = "") -> str:
        """Run `manage.py`; its output. Fails loudly."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=REPOSITORY, env=self.environment, input=given, text=True, capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"manage.py {' '.join(arguments)}: {done.stderr[-3000:]}"
        return done.stdout

    def __enter__(self) -> Server:
        self.home.mkdir(parents=True, exist_ok=True)
        self.manage("migrate", "-v", "0")
        for command in self.before:
            self.manage(*command)
        with (self.home / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                cwd=REPOSITORY, env=self.environment, start_new_session=True,
            )  # fmt: skip
        self.wait()
        return self

    def wait(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if requests.get(f"{self.url}/health", timeout=5).ok:
                    return
            except requests.ConnectionError:
                time.sleep(0.1)
        raise AssertionError(f"no server after 60 s: {(self.home / 'server.log').read_text()[-3000:]}")

    def __exit__(self, *_: object) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
