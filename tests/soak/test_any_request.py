"""Requests that schemathesis makes up, sent for a while to a running server whose worker acts on what was accepted.

Nothing may fail, neither a request nor a controller, and every answer is a documented one. What is made stays, so that
later requests meet what earlier ones have left; half of the time goes to each database. `SOAK_SECONDS` and `SOAK_SEED`
choose how long, and which requests.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.conftest import missing
from tests.contract import deviations
from tests.contract.any_request import Maker, Request, rights
from tests.contract.document import Document, read
from tests.contract.plan import Plan, walk
from tests.contract.running import Running, running
from tests.real import services

SECONDS = float(os.environ.get("SOAK_SECONDS", "1200"))
SEED = int(os.environ.get("SOAK_SEED", "1"))
EXAMPLES, VARIANTS, RESTORED_EVERY = 8, 5, 150
pytestmark = [pytest.mark.soak, pytest.mark.timeout(SECONDS + 900)]


def test_on_sqlite_no_request_fails_and_every_answer_is_documented(conformance: Path, tmp_path: Path) -> None:
    with running(tmp_path / "stage", conformance) as server:
        bombard(server, read(conformance), SECONDS / 2, SEED)


def test_on_postgresql_no_request_fails_and_every_answer_is_documented(conformance: Path, tmp_path: Path) -> None:
    try:
        postgresql = services.start_postgresql()
    except services.Unavailable as reason:
        missing("PostgreSQL", str(reason))
        raise AssertionError("unreachable") from reason
    with postgresql, running(tmp_path / "stage", conformance, postgresql.url) as server:
        bombard(server, read(conformance), SECONDS / 2, SEED + 1)


def bombard(server: Running, contract: Document, seconds: float, first_seed: int) -> None:
    """Send made-up requests for so long; fails with every answer that was not on purpose."""
    plan, ours = Plan(contract), Document(server.document())
    wrong: list[str] = []
    by_status = Counter[int]()
    deadline = time.monotonic() + seconds
    for seed, request in made_up(plan, ours, first_seed):
        if by_status.total() % RESTORED_EVERY == 0:
            restore(server, plan)
        reply = server.send_any(request)
        by_status[reply.status] += 1
        for fault in deviations.failures(request.operation, reply):
            wrong.append(f"seed {seed}: {request}\n  {fault}")
            print(wrong[-1], flush=True)
        if time.monotonic() > deadline:
            break
    print(f"\n{by_status.total()} requests: {dict(sorted(by_status.items()))}", flush=True)
    failures = server.failures_logged()
    assert not wrong, "\n".join(wrong)
    assert not failures, "\n".join(failures)
    assert len(by_status) > 5


def made_up(plan: Plan, ours: Document, first_seed: int) -> Iterator[tuple[int, Request]]:
    """Requests for ever, each with the seed that makes it."""
    for seed in count(first_seed * 1_000_000):
        for document, only in ((plan.document, ""), (ours, deviations.EXTENSIONS)):
            maker = Maker(document, seed, rights(plan))
            for request in maker.requests(EXAMPLES, only, variants=VARIANTS, is_shuffled=True):
                yield seed, request


def restore(server: Running, plan: Plan) -> None:
    """Objects of every kind, for requests to hit; those that are there already stay as they are."""
    for _ in walk(plan.standing(), server.send):
        pass
