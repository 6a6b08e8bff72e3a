"""A fresh Stagecraft as a user would run it: database, worker and granian, in a directory of its own, on loopback.

The server runs on the product's own settings; only addresses and identity providers are set. Controllers run in the
worker, and `settle` waits until they have acted on everything, where the recorder slept.
"""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from portal.quickstart.supervise import server_command
from tests.conftest import REPOSITORY
from tests.real.installation import Installation
from tests.real.services import free_port
from tests.replay.comparison import Reply

NOTHING: Mapping[str, str] = MappingProxyType({})
START_FILES = ("live/cases/planes.yaml", "live/cases/roles.yaml", "samples/getting-started/all.yaml")
START_SECONDS = 60.0
SETTLE_SECONDS = 20.0
PODS_SECONDS = 5.0
"""Some bindings never become ready, so this is waited in vain where one is not."""
REPLY_SECONDS = 30.0


ON_CLUSTER = {"stagecraft.dev/driver": "kubernetes", "stagecraft.dev/kubernetes-cluster": "test"}
"""Annotations of the planes where a real cluster stands behind them; without, they are Git planes."""


class NotReady(AssertionError):
    """The server cannot be replayed to; the text says why."""


def start_documents(conformance: Path, annotations: Mapping[str, str] = NOTHING) -> list[dict[str, Any]]:
    """What the recording's server had been given before the first request. The planes get the annotations.

    The namespaces in these files were not the platform's there, as they lack its label; here they are told so, since
    a namespace without a word on it becomes the platform's.
    """
    default = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": "default",
            "labels": {"kubernetes.io/metadata.name": "default", "openchoreo.dev/control-plane": "true"},
        },
    }
    documents = [default]
    for name in START_FILES:
        for document in yaml.safe_load_all((conformance / name).read_text()):
            if not document:
                continue
            if document["kind"] == "Namespace":
                document["metadata"].setdefault("labels", {}).setdefault("openchoreo.dev/control-plane", "false")
            if document["kind"].endswith("Plane"):
                document["metadata"].setdefault("annotations", {}).update(annotations)
            documents.append(document)
    return sorted(documents, key=lambda document: document["kind"] != "Namespace")


@dataclass
class Stage:
    """Use it as a context manager. `settings` are environment variables beyond those that it sets itself.

    `kubeconfig` is that of the cluster behind all planes; "" for Git planes.
    """

    home: Path
    conformance: Path
    kubeconfig: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    server: subprocess.Popen[bytes] | None = None
    connection: http.client.HTTPConnection | None = None

    def __post_init__(self) -> None:
        # The recording's server had secrets switched on; they are off by default there and here.
        ours = {"PUBLIC_URL": self.url, "RECONCILE_SWEEP_SECONDS": "0.3", "SECRET_MANAGEMENT_ENABLED": "true"}
        self.installation = Installation(self.home, settings={**ours, **self.settings})

    def __enter__(self) -> Stage:
        try:
            self.installation.ask(migrate=True)
            if self.kubeconfig:
                (self.home / "clusters").mkdir()
                (self.home / "clusters" / "test.kubeconfig").write_text(self.kubeconfig)
            annotations = ON_CLUSTER if self.kubeconfig else {}
            self.installation.apply(*start_documents(self.conformance, annotations))
            self.installation.start_worker()
            self.start_server()
            self.settle()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start_server(self, **settings: str) -> None:
        """Start granian as the quickstart does, with more settings if need be, and wait until it answers."""
        with (self.home / "server.log").open("ab") as log:
            self.server = subprocess.Popen(
                server_command("127.0.0.1", self.port), stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                cwd=REPOSITORY, env={**self.installation.environment, **settings}, start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.send("GET", "/health")
                return
            except OSError:
                if self.server.poll() is not None or time.monotonic() > deadline:
                    log_end = (self.home / "server.log").read_text(errors="replace")[-3000:]
                    raise NotReady(f"the server does not answer on {self.url}; its log ends: {log_end}") from None
                time.sleep(0.05)

    def restart_server(self, **settings: str) -> None:
        """The same data, other settings: another server."""
        self.stop_server()
        self.start_server(**settings)

    def send(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Reply:
        """One request, byte for byte as given: no normalising of the path, no redirects followed.

        A kept connection may have been closed by the server after the reply before, as HTTP allows; then a new one is
        made. Raises OSError.
        """
        if self.connection is not None:
            try:
                return self.exchange(self.connection, method, path, body, headers or {})
            except (OSError, http.client.HTTPException):
                self.close_connection()
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=REPLY_SECONDS)
        try:
            return self.exchange(self.connection, method, path, body, headers or {})
        except http.client.HTTPException as error:
            self.close_connection()
            raise OSError(repr(error)) from error
        except OSError:
            self.close_connection()
            raise

    def exchange(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        body: bytes | None,
        headers: dict[str, str],
    ) -> Reply:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())

    def close_connection(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def settle(self) -> None:
        """Wait until controllers have acted on every change, and pods have come. Raises `NotReady`."""
        self.wait_for_controllers()
        if not self.kubeconfig:
            return
        deadline = time.monotonic() + PODS_SECONDS
        while self.installation.ask(progressing=True)["progressing"] > 0 and time.monotonic() < deadline:
            time.sleep(0.05)
        self.wait_for_controllers()

    def wait_for_controllers(self) -> None:
        deadline = time.monotonic() + SETTLE_SECONDS
        while (due := self.installation.ask(due=True)["due"]) > 0:
            if time.monotonic() > deadline:
                log_end = (self.home / "worker.log").read_text(errors="replace")[-3000:]
                raise NotReady(
                    f"{due} objects still wait for their controllers after {SETTLE_SECONDS:.0f} s; "
                    f"the worker's log ends: {log_end}"
                )
            time.sleep(0.02)

    def stop_server(self) -> None:
        self.close_connection()
        if self.server is not None:
            self.server.send_signal(signal.SIGTERM)
            try:
                self.server.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(self.server.pid, signal.SIGKILL)
                self.server.wait()
            self.server = None

    def stop(self) -> None:
        """End everything, by its own process ids."""
        self.stop_server()
        self.installation.stop()

    def errors_logged(self) -> list[str]:
        """Unexpected errors that the server has logged: last lines of tracebacks."""
        log = (self.home / "server.log").read_text(errors="replace")
        return re.findall(r"^(?:\w+\.)*\w*(?:Error|Exception): .*$", log, re.MULTILINE)
