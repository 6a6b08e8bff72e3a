"""A running Stagecraft with its worker, for clients that come over the network.

with running(tmp_path, conformance) as server:
    for step, reply in walk(Plan(contract).standing(), server.send): ...
"""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.contract.any_request import Request
from tests.contract.plan import WEBHOOK_SECRET, Reply, Step
from tests.replay.identities import Identities
from tests.replay.issuer import Issuer
from tests.replay.stage import REPLY_SECONDS, Stage

SETTINGS = {f"{host}_WEBHOOK_SECRET": WEBHOOK_SECRET for host in ("GITHUB", "GITLAB", "BITBUCKET")}
FAILURE = re.compile(r"^(?:\w+\.)*\w*(?:Error|Exception|Interrupt): .*$", re.MULTILINE)


@dataclass
class Running:
    """Requests are sent as an administrator."""

    stage: Stage
    token: str

    def send(self, step: Step) -> Reply:
        if step.is_settled:
            self.stage.settle()
        query = f"?{urlencode(step.query)}" if step.query else ""
        # As browsers and Node write JSON: the signature of a webhook is over these bytes.
        body = b"" if step.body is None else json.dumps(step.body, separators=(",", ":")).encode()
        return self.exchange(step.operation.method, step.path + query, body, dict(step.headers))

    def send_any(self, request: Request) -> Reply:
        return self.exchange(request.operation.method, request.path, request.content, dict(request.headers))

    def exchange(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Reply:
        given = {"Content-Type": "application/json", **headers, "Authorization": f"Bearer {self.token}"}
        connection = http.client.HTTPConnection("127.0.0.1", self.stage.port, timeout=REPLY_SECONDS)
        connection.request(method, path, body or None, given)
        answer = connection.getresponse()
        content_type = answer.getheader("Content-Type", "")
        # A stream ends with its reader only.
        content = b"" if content_type.startswith("text/event-stream") else answer.read()
        connection.close()
        return Reply(answer.status, content_type, content)

    def document(self) -> Any:
        """The server's own description of itself."""
        return self.exchange("GET", "/openapi.json", b"", {}).json

    def failures_logged(self) -> list[str]:
        """Last lines of tracebacks in the logs of the server and of its worker."""
        logs = (self.stage.home / f"{name}.log" for name in ("server", "worker"))
        return [line for log in logs for line in FAILURE.findall(log.read_text(errors="replace"))]


@contextmanager
def running(home: Path, conformance: Path, database_url: str = "") -> Iterator[Running]:
    """A fresh one on Git planes, ended with the block; on SQLite unless told."""
    with Issuer() as issuer:
        token = Identities(issuer).headers("admin")["Authorization"].partition(" ")[2]
        with Stage(home, conformance, settings={**issuer.settings, **SETTINGS, "DATABASE_URL": database_url}) as stage:
            yield Running(stage, token)
