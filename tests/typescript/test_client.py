"""Every path of the contract, called by a typed client from Node on a running server."""

from __future__ import annotations

import json
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import missing
from tests.contract import deviations, evidence
from tests.contract.document import Document, read
from tests.contract.plan import Plan, Reply, Step, walk
from tests.contract.running import Running, running
from tests.real import services
from tests.typescript import build

pytestmark = [pytest.mark.real("node"), pytest.mark.timeout(600)]


@dataclass
class TypedClient:
    """The Node program, which calls the operations of steps."""

    server: Running
    process: subprocess.Popen[str]
    wrong: list[str]

    def send(self, step: Step) -> Reply:
        if step.is_settled:
            self.server.stage.settle()
        parameters = {"path": dict(step.parameters), "query": dict(step.query), "header": dict(step.headers)}
        init: dict[str, Any] = {"params": parameters, **({"body": step.body} if step.body is not None else {})}
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps({"operation": step.operation.name, "init": init}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the program has ended at {step}: {self.process.communicate()[1][-2000:]}"
        told = json.loads(line)
        is_success = 200 <= told["status"] < 300
        if told["hasData"] != (is_success and told["status"] != 204) or told["hasError"] == is_success:
            self.wrong.append(f"{step}: the client makes neither data nor an error of {told}")
        return Reply(told["status"], told["contentType"], told["text"].encode())


@contextmanager
def typed_client(server: Running, program: Path) -> Iterator[TypedClient]:
    process = subprocess.Popen(
        ["node", str(program), server.stage.url, server.token],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield TypedClient(server, process, [])
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def contract(conformance: Path) -> Document:
    return read(conformance)


@pytest.fixture(scope="module")
def program(contract: Document, conformance: Path) -> Path:
    try:
        return build.program(contract, conformance / "openapi" / "openchoreo-api.yaml")
    except services.Unavailable as reason:
        missing("Node", str(reason))
        raise AssertionError("unreachable") from reason


def test_a_generated_client_calls_every_operation(
    contract: Document, conformance: Path, program: Path, tmp_path: Path
) -> None:
    seen = defaultdict(set)
    with running(tmp_path, conformance) as server, typed_client(server, program) as client:
        wrong = client.wrong
        for step, reply in walk(Plan(contract).steps(), client.send):
            wrong += [f"{step}: {fault}" for fault in deviations.unexplained(step.operation, reply)]
            if reply.status >= 300 and reply.status != 501:
                wrong.append(f"{step}: refused: {reply.status} {reply.body[:500]!r}")
            seen[step.operation.name].add(reply.status)
        failures = server.failures_logged()

    assert not wrong, "\n".join(wrong)
    assert not failures, "\n".join(failures)
    assert set(seen) == set(contract.operations)
    evidence.check("TypeScript", {name: sorted(statuses) for name, statuses in seen.items()})
