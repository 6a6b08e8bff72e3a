"""Requests that schemathesis makes up, sent for a while to a running server whose worker acts on what was accepted.

Nothing may fail, neither a request nor a controller, and every answer is a documented one. What is made stays, so that
later requests meet what earlier ones have left. `SOAK_SECONDS` and `SOAK_SEED` choose how long, and which requests.
"""

from __future__ import annotations

import os
import time
from itertools import count
from pathlib import Path

import pytest

from tests.contract import deviations
from tests.contract.any_request import Maker, rights
from tests.contract.document import Document, read
from tests.contract.plan import Plan, walk
from tests.contract.running import Running, running

SECONDS = float(os.environ.get("SOAK_SECONDS", "1200"))
SEED = int(os.environ.get("SOAK_SEED", "1"))
EXAMPLES, RESTORED_EVERY = 12, 80
pytestmark = [pytest.mark.soak, pytest.mark.timeout(SECONDS + 900)]


def test_no_request_fails_and_every_answer_is_documented(conformance: Path, tmp_path: Path) -> None:
    contract = read(conformance)
    plan = Plan(contract)
    wrong: list[str] = []
    sent, by_status = 0, dict[int, int]()
    deadline = time.monotonic() + SECONDS
    with running(tmp_path / "stage", conformance) as server:
        ours = Document(server.document())
        for round_number in count():
            seed = SEED * 1_000_000 + round_number
            for document, only in ((contract, ""), (ours, deviations.EXTENSIONS)):
                for request in Maker(document, seed, rights(plan)).requests(EXAMPLES, only, is_shuffled=True):
                    if sent % RESTORED_EVERY == 0:
                        restore(server, plan)
                    reply = server.send_any(request)
                    sent += 1
                    by_status[reply.status] = by_status.get(reply.status, 0) + 1
                    found = deviations.failures(request.operation, reply)
                    wrong += [f"seed {seed}: {request}\n  {fault}" for fault in found]
                    if found:
                        print(wrong[-1], flush=True)
                    if time.monotonic() > deadline:
                        break
            if time.monotonic() > deadline:
                break
        failures = server.failures_logged()
    print(f"\n{sent} requests in {round_number + 1} rounds: {dict(sorted(by_status.items()))}")
    assert not wrong, "\n".join(wrong)
    assert not failures, "\n".join(failures)
    assert len(by_status) > 5


def restore(server: Running, plan: Plan) -> None:
    """Objects of every kind, for requests to hit; those that are there already stay as they are."""
    for _ in walk(plan.standing(), server.send):
        pass
