"""A server process has a fixed number of database connections, lent to whichever thread answers a request.

The server has many threads, as each open stream needs one for itself, but only some of them work at a time. Django
gives every thread a connection of its own; with these, a process that has had a hundred streams would hold a hundred.
So the WSGI entry point borrows a connection for each request, and waits for one if all are lent: that also is the
number of requests that are worked on at once. A stream gives its connection back with its headers and borrows one
whenever it reads. The one that was given back last is lent first, so that few requests need few connections.

In other processes (workers, commands, tests) nothing is lent, and every thread has its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from queue import LifoQueue
from typing import Any

from django.core.signals import request_finished, request_started
from django.db import DEFAULT_DB_ALIAS, close_old_connections, connections

WSGIApplication = Callable[[dict[str, Any], Callable[..., Any]], Any]


class Lender:
    """So many connections, made when they are first needed."""

    def __init__(self, size: int) -> None:
        self._free: LifoQueue[Any] = LifoQueue()
        for _ in range(size):
            self._free.put(None)
        self._thread = threading.local()

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Have this thread use one of the connections; waits until one is free. A thread that has one keeps that."""
        if getattr(self._thread, "has_one", False):
            yield
            return
        connection = self._free.get()
        self._thread.has_one = True
        try:
            if connection is None:
                connection = connections.create_connection(DEFAULT_DB_ALIAS)
                connection.inc_thread_sharing()
            for own in connections.all(initialized_only=True):
                own.close()  # a stream of this thread that did not borrow
            connections[DEFAULT_DB_ALIAS] = connection
            connection.close_if_unusable_or_obsolete()
            yield
        finally:
            if connection is not None:
                del connections[DEFAULT_DB_ALIAS]
                if connection.in_atomic_block:  # never hand on half a transaction
                    connection.close()
                    connection = None
            self._thread.has_one = False
            self._free.put(connection)


Borrow = Callable[[], AbstractContextManager[None]]
_in_use = threading.local()


def lending(application: WSGIApplication, size: int) -> WSGIApplication:
    """A WSGI application whose requests work on lent connections, at most `size` of them at once."""
    lender = Lender(size)
    # The lender has looked at the connection when the request begins, and Django need not.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)

    def limited(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        with lender.lent():
            _in_use.lender = lender
            try:
                return application(environ, start_response)
            finally:
                _in_use.lender = None

    return limited


def borrower() -> Borrow:
    """For a stream, asked while its request is answered: how it gets a connection for each read later on."""
    lender: Lender | None = getattr(_in_use, "lender", None)
    return nullcontext if lender is None else lender.lent
