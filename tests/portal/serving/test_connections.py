"""Connections that are lent to the threads of a server: so many, whole, and one for a thread at a time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections, transaction

from portal.serving.connections import Lender, borrower, lending

pytestmark = pytest.mark.django_db(transaction=True)
SECONDS = 30


@pytest.fixture
def elsewhere() -> Any:
    """Threads that are no test's: each starts without a connection, and leaves none."""
    with ThreadPoolExecutor(8) as pool:
        yield pool


def used(lender: Lender) -> int:
    """A query on a lent connection; which one it was."""
    with lender.lent():
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return id(connections["default"])


def close_all(lender: Lender) -> None:
    while not lender._free.empty():
        held = lender._free.get()
        if held is not None:
            held.close()


def test_many_threads_share_few_connections_and_wait_for_them(elsewhere: ThreadPoolExecutor) -> None:
    lender, at_once, most = Lender(2), [0], [0]
    lock = threading.Lock()

    def work(_: int) -> int:
        with lender.lent():
            with lock:
                at_once[0] += 1
                most[0] = max(most[0], at_once[0])
            found = used(lender)  # within: the thread keeps the one that it has
            with lock:
                at_once[0] -= 1
            return found

    assert len(set(elsewhere.map(work, range(40), timeout=SECONDS))) <= 2
    assert most[0] <= 2
    close_all(lender)


def test_the_one_that_came_back_last_is_lent_first(elsewhere: ThreadPoolExecutor) -> None:
    lender = Lender(4)
    assert len({elsewhere.submit(used, lender).result(SECONDS) for _ in range(6)}) == 1
    close_all(lender)


def test_half_a_transaction_is_never_handed_on(elsewhere: ThreadPoolExecutor) -> None:
    lender = Lender(1)

    def leave() -> None:
        with lender.lent():
            transaction.atomic().__enter__()  # and nobody ends it

    def look() -> bool:
        with lender.lent():
            return bool(connection.in_atomic_block)

    elsewhere.submit(leave).result(SECONDS)
    assert elsewhere.submit(look).result(SECONDS) is False
    close_all(lender)


def test_what_fails_gives_its_connection_back(elsewhere: ThreadPoolExecutor) -> None:
    lender = Lender(1)

    def fail() -> None:
        with lender.lent():
            raise ValueError("a defect")

    for _ in range(3):
        with pytest.raises(ValueError, match="a defect"):
            elsewhere.submit(fail).result(SECONDS)
    assert elsewhere.submit(used, lender).result(SECONDS)
    close_all(lender)


def test_a_stream_borrows_from_the_server_that_answered_its_request(elsewhere: ThreadPoolExecutor) -> None:
    seen: list[Any] = []

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        borrow = borrower()
        seen.append(id(connections["default"]))

        def stream() -> Any:
            seen.append(connections.all(initialized_only=True))
            with borrow():
                seen.append(id(connections["default"]))
                connection.close()
            yield b""

        return stream()

    def serve() -> None:
        list(lending(application, 1)({}, None))  # type: ignore[arg-type]

    elsewhere.submit(serve).result(SECONDS)
    first, between, later = seen
    assert (first, between) == (later, [])


def test_outside_of_a_server_everybody_has_their_own() -> None:
    with borrower()():
        assert connections["default"] is connections["default"]
