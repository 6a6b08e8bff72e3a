"""Requests to an API server: kept-alive connections, time limits, and errors in the server's own words."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson
import urllib3

from catalog.compiler.documents import Document
from catalog.delivery.plane import PlaneError

CONNECTIONS = 16
CONNECT_SECONDS, READ_SECONDS = 5.0, 30.0
THROTTLED_WAITS = (0.2, 0.5, 1.0)
"""Pauses after answers 429, unless the server names one; afterwards the controller's backoff takes over."""
LONGEST_WAIT = 2.0
SILENCE_SECONDS = 5.0
"""How long a cluster that lets requests time out is not asked again: each would cost a worker its time."""
JSON = "application/json"
APPLY = "application/apply-patch+yaml"


class ApiError(PlaneError):
    """The API server refused. `reason` is its word for it (`NotFound`, `Conflict`, `Forbidden` …)."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status, self.reason = status, reason


class Unreachable(PlaneError):
    """The API server does not answer, or not in time."""


@dataclass(frozen=True)
class Credentials:
    """How to reach an API server and who to be there. The three paths are PEM files, or None."""

    url: str
    authority: str | None
    verify: bool
    certificate: str | None
    key: str | None
    server_name: str | None
    authorization: Callable[[], str | None]
    """The header of that name, asked for anew with each request: tokens expire."""


class Connection:
    """A cluster's API server. Safe to use from many threads."""

    def __init__(self, name: str, credentials: Credentials) -> None:
        self.name, self.credentials = name, credentials
        self.pool = pool_of(credentials, is_bounded=True)
        # Each watch keeps a connection for itself for minutes: among the bounded ones they would take all.
        self.streams = pool_of(credentials, is_bounded=False)
        self.heard_at, self.silent_until, self.silence = 0.0, 0.0, ""

    def __str__(self) -> str:
        return f"cluster {self.name} ({self.credentials.url})"

    @property
    def base(self) -> str:
        """What paths of the API are put behind."""
        return self.credentials.url

    def checked(self, answer: urllib3.BaseHTTPResponse) -> urllib3.BaseHTTPResponse:
        """The answer, if it is the cluster's; whoever stands in between raises what they have to say."""
        return answer

    def get(self, path: str, **query: str) -> Document:
        return self.request("GET", path, query=query)

    def request(
        self, method: str, path: str, body: Document | None = None, *,
        query: Mapping[str, str] | None = None, content_type: str = JSON, accept: str = JSON,
    ) -> Document:  # fmt: skip
        """The decoded answer. Raises `ApiError` and `Unreachable`."""
        waits = iter(THROTTLED_WAITS)
        while True:
            with self.heard():
                answer = self.send(method, path, body, query=query, content_type=content_type, accept=accept)
            if answer.status != 429 or (pause := next(waits, None)) is None:
                break
            time.sleep(min(asked_for(answer) or pause, LONGEST_WAIT))
        if answer.status >= 400:
            raise error_of(answer.status, answer.data)
        decoded: Document = orjson.loads(answer.data)
        return decoded

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Around a request: after one that timed out while nothing was heard, the next fail at once for a while."""
        began = time.monotonic()
        if began < self.silent_until:
            raise Unreachable(self.silence)
        try:
            yield
        except Unreachable as error:
            if isinstance(error.__cause__, urllib3.exceptions.TimeoutError) and self.heard_at < began:
                self.silence, self.silent_until = str(error), time.monotonic() + SILENCE_SECONDS
            raise
        self.heard_at = time.monotonic()

    @contextmanager
    def stream(self, path: str, query: Mapping[str, str], quiet_seconds: float) -> Iterator[Iterator[bytes]]:
        """The lines of an answer that goes on: a watch, a log. Ends if nothing comes for `quiet_seconds`."""
        answer = self.send("GET", path, None, query=query, read_seconds=quiet_seconds, preload=False)
        try:
            if answer.status >= 400:
                raise error_of(answer.status, answer.read())
            yield self.lines_of(answer)
        finally:
            answer.close()
            answer.release_conn()

    def lines_of(self, answer: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
        held = b""
        try:
            for chunk in answer.stream(65536):
                *lines, held = (held + chunk).split(b"\n")
                yield from lines
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Unreachable(f"{self} broke off: {readable(error)}") from error
        if held:
            yield held

    def send(
        self, method: str, path: str, body: Document | None, *,
        query: Mapping[str, str] | None = None, content_type: str = JSON, accept: str = JSON,
        read_seconds: float = READ_SECONDS, preload: bool = True,
    ) -> urllib3.BaseHTTPResponse:  # fmt: skip
        """One request, whatever its answer. Raises `Unreachable`."""
        answer = self.ask(
            method, f"{self.base}{path}", body, query=query, content_type=content_type, accept=accept,
            read_seconds=read_seconds, preload=preload,
        )  # fmt: skip
        return self.checked(answer)

    def ask(
        self, method: str, url: str, body: Document | None = None, *,
        query: Mapping[str, str] | None = None, content_type: str = JSON, accept: str = JSON,
        read_seconds: float = READ_SECONDS, preload: bool = True,
    ) -> urllib3.BaseHTTPResponse:  # fmt: skip
        """`send` to a whole address."""
        headers = {"Accept": accept, "User-Agent": "stagecraft"}
        if (authorization := self.credentials.authorization()) is not None:
            headers["Authorization"] = authorization
        if body is not None:
            headers["Content-Type"] = content_type
        url += f"?{urlencode(query)}" if query else ""
        pool = self.pool if preload else self.streams
        try:
            return pool.request(
                method, url, body=None if body is None else orjson.dumps(body), headers=headers, redirect=False,
                timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=read_seconds), preload_content=preload,
            )  # fmt: skip
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Unreachable(f"{self} does not answer: {readable(error)}") from error


def pool_of(credentials: Credentials, *, is_bounded: bool, hosts: int = 1) -> urllib3.PoolManager:
    """Kept connections. Of a bounded pool the next request waits until one is free."""
    return urllib3.PoolManager(
        num_pools=hosts, maxsize=CONNECTIONS if is_bounded else 1, block=is_bounded, retries=False,
        cert_file=credentials.certificate, key_file=credentials.key, ca_certs=credentials.authority,
        server_hostname=credentials.server_name,
        cert_reqs=ssl.CERT_REQUIRED if credentials.verify else ssl.CERT_NONE,
    )  # fmt: skip


def readable(error: Exception) -> str:
    """The cause of a failed request without the wrappings."""
    while (inner := error.__cause__ or error.__context__) is not None and isinstance(inner, Exception):
        error = inner
    return str(getattr(error, "strerror", None) or error) or type(error).__name__


def asked_for(answer: urllib3.BaseHTTPResponse) -> float | None:
    """The pause that the server asks for, in seconds."""
    try:
        return float(answer.headers.get("Retry-After", ""))
    except ValueError:
        return None


def error_of(status: int, data: bytes) -> ApiError:
    """An answer that is a refusal: a Kubernetes Status, or whatever a proxy in between says."""
    try:
        decoded: Any = json.loads(data)
    except ValueError:
        decoded = None
    if isinstance(decoded, dict) and decoded.get("kind") == "Status":
        return ApiError(status, str(decoded.get("reason") or ""), str(decoded.get("message") or f"HTTP {status}"))
    said = data.decode(errors="replace").strip()[:500]
    return ApiError(status, "", f"HTTP {status}" + (f": {said}" if said else ""))
