"""Requests to the API server of a cluster behind an agent: through the replica of the gateway that holds the agent.

It has the face of a direct connection, so everything that works on one works on this: deliveries, watches, logs.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import urllib3
from django.conf import settings
from django.db import DatabaseError, close_old_connections

from catalog.compiler.documents import Document
from catalog.delivery.agent import internal_token, replicas
from catalog.delivery.agent.heads import Head, NoHead, parse_head
from catalog.delivery.kubernetes.connection import (
    ApiError,
    Connection,
    Credentials,
    Unreachable,
    pool_of,
)
from catalog.delivery.plane import PlaneNotConfigured

MARK = "Stagecraft-Gateway"
"""The header by which the gateway says that an answer is its own and not the cluster's."""
BELIEVED_SECONDS = 1.0
SILENT_SECONDS = 15.0
REPEATED = ("GET", "PATCH")
"""All patches are applies, which come to the same when they are sent twice."""
WATCHED = "agent:"
"""What the names of clusters behind agents begin with, where clusters are watched."""


class AgentConnection(Connection):
    """A cluster behind an agent."""

    def __init__(self, head: Head) -> None:
        credentials = Credentials(
            url="", authority=settings.GATEWAY_INTERNAL_AUTHORITY or None, verify=True,
            certificate=settings.GATEWAY_INTERNAL_CERTIFICATE or None, key=settings.GATEWAY_INTERNAL_KEY or None,
            server_name=None, authorization=internal_token.issue,
        )  # fmt: skip
        super().__init__(str(head), credentials)
        self.head = head
        self.pool = pool_of(credentials, is_bounded=True, hosts=HOSTS)
        self.streams = pool_of(credentials, is_bounded=False, hosts=HOSTS)
        self.found: tuple[float, str] = (0.0, "")
        self.silent: dict[str, float] = {}
        """Replicas that did not answer, and until when others are preferred."""

    def __str__(self) -> str:
        return f"{self.head.kind} {self.head.key.lstrip('/')}, behind an agent"

    @property
    def base(self) -> str:
        return f"{self.gateway()}/api/proxy/{self.head}/k8s"

    def gateway(self) -> str:
        """The address of a replica to which an agent of the plane is connected. Raises `Unreachable`."""
        found_at, url = self.found
        if url and time.monotonic() - found_at < BELIEVED_SECONDS:
            return url
        addresses = lookups().submit(look_up_afresh, self.head).result()
        now = time.monotonic()
        answering = [item for item in addresses if self.silent.get(item, 0.0) < now] or addresses
        url = url if url in answering else answering[0]
        self.found = (now, url)
        return url

    def ask(self, method: str, url: str, body: Document | None = None, **options: Any) -> urllib3.BaseHTTPResponse:
        """As on a direct connection; where a replica has died and asking twice does no harm, another is asked."""
        try:
            return super().ask(method, url, body, **options)
        except Unreachable:
            asked = self.found[1]
            self.silent[asked] = time.monotonic() + SILENT_SECONDS
            self.found = (0.0, "")
            other = self.gateway()
            if other == asked or not url.startswith(asked) or method not in REPEATED:
                raise
            return super().ask(method, f"{other}{url.removeprefix(asked)}", body, **options)

    def checked(self, answer: urllib3.BaseHTTPResponse) -> urllib3.BaseHTTPResponse:
        """The cluster's answer. Raises what the gateway says: `Unreachable`, or `ApiError` for what it forbids."""
        if MARK not in answer.headers:
            return answer
        self.found = (0.0, "")
        said = answer.data.decode(errors="replace").strip()
        answer.release_conn()
        if answer.status >= 500 or answer.status == 401:
            # A cluster that lets requests time out is left alone for a while, also behind an agent.
            slow = urllib3.exceptions.TimeoutError(said) if answer.headers[MARK] == "slow" else None
            raise Unreachable(f"{self}: {said}") from slow
        raise ApiError(answer.status, "Forbidden", f"the cluster gateway refuses: {said}")


HOSTS = 8


@lru_cache(maxsize=256)
def agent_connection(text: str) -> AgentConnection:
    """The connection to a plane, one for each process. Raises `PlaneNotConfigured`."""
    try:
        return AgentConnection(parse_head(text))
    except NoHead as error:
        raise PlaneNotConfigured(str(error)) from None


def look_up_afresh(head: Head) -> list[str]:
    """`look_up` in a thread of its own, whose connection to the database may have grown old."""
    close_old_connections()
    return look_up(head)


def look_up(head: Head) -> list[str]:
    """The replicas to ask, at least one. Raises `Unreachable`."""
    try:
        found = replicas.holders(head)
        if not found and not replicas.is_running():
            raise Unreachable("no cluster gateway runs; start `manage.py gateway`")
        known = bool(found) or replicas.is_known(head)
    except DatabaseError as error:
        raise Unreachable(f"the agents' connections cannot be looked up: {error}") from error
    if not found:
        why = "its certificate is not of this plane's clusterAgent.clientCA" if known else "none is connected"
        raise Unreachable(f"{head.kind} {head.key.lstrip('/')} has no agent: {why} (planeID {head.plane_id})")
    return found


@lru_cache(maxsize=1)
def lookups() -> ThreadPoolExecutor:
    """One thread asks the database for all others, which come and go and would each open a connection to it."""
    return ThreadPoolExecutor(1, "agents")
