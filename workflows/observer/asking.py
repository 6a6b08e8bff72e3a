"""One request to an adapter: bounded in time and size, tried again where that is safe, and never believed blindly.

Every question is a read, also those by POST, so a broken connection and a 502, 503 or 504 are worth a second try as
long as there is time. What fails says which adapter, of which plane, and what to do; its address stays in our log.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import Any
from urllib.parse import quote

import orjson
import requests
import urllib3
from django.conf import settings

from portal.wire.outgoing import Refused, guarded_session

log = logging.getLogger(__name__)
CONNECT_SECONDS = 5.0
MAX_BYTES = 16 * 1024 * 1024
CHUNK = 64 * 1024
TRIES = 2
PAUSE_SECONDS = 0.2
TRY_AGAIN = frozenset({502, 503, 504})
SHOWN_TEXT = 200
PATIENCE_SECONDS = 2.0
AT_ONCE = max(1, settings.REQUESTS_AT_ONCE // 2)
"""Questions that a server process asks at once: an adapter that hangs must not take all of its threads."""
asking_now = BoundedSemaphore(AT_ONCE)


@dataclass(frozen=True)
class Adapter:
    """A server that answers one sort of question. `role` is logs, metrics, tracing or finops."""

    role: str
    url: str
    plane: str = ""
    """Whose adapter it is, such as `ClusterObservabilityPlane default`; "" for the one of the settings."""

    @property
    def label(self) -> str:
        return f"the {self.role} adapter" + (f" of {self.plane}" if self.plane else "")

    @property
    def where(self) -> str:
        """Where its address is set."""
        if self.plane:
            return f"the annotation stagecraft.dev/{self.role}-adapter of {self.plane}"
        return f"{self.role.upper()}_ADAPTER_URL"


class AdapterFailed(Exception):
    """An adapter has not answered, or not by its contract. The text is fit for users."""

    def __init__(self, adapter: Adapter, what: str, advice: str = "") -> None:
        super().__init__(f"{adapter.label} {what}" + (f"; {advice}" if advice else ""))
        self.adapter = adapter


class NotOffered(AdapterFailed):
    """The adapter does not do that: 501."""


class NotFoundThere(AdapterFailed):
    """The adapter knows no such thing: 404."""


def path_of(*segments: str) -> str:
    """A path of an adapter from its segments, each escaped: what a user typed never changes the route."""
    return "/" + "/".join(quote(segment, safe="") for segment in segments)


def ask(
    adapter: Adapter, method: str, path: str, *, body: Any = None, parameters: dict[str, str] | None = None
) -> dict[str, Any]:
    """The JSON object that the adapter answers. Raises `AdapterFailed` or one of its kinds."""
    with one_of_few(adapter):
        return ask_in_time(adapter, method, path, body, parameters)


@contextmanager
def one_of_few(adapter: Adapter) -> Iterator[None]:
    """Wait a moment for a place among those who ask. Raises `AdapterFailed`."""
    if not asking_now.acquire(timeout=PATIENCE_SECONDS):
        raise AdapterFailed(adapter, f"was not asked, because {AT_ONCE} questions wait for answers", "try again soon")
    try:
        yield
    finally:
        asking_now.release()


def ask_in_time(
    adapter: Adapter, method: str, path: str, body: Any, parameters: dict[str, str] | None
) -> dict[str, Any]:
    """As `ask`, tried again where that is safe, as long as there is time."""
    deadline = time.monotonic() + settings.OBSERVER_TIMEOUT_SECONDS
    for attempt in range(1, TRIES + 1):
        is_last = attempt == TRIES
        try:
            status, content = send(adapter, method, path, body, parameters, deadline)
        except requests.exceptions.ConnectionError as error:
            if isinstance(error, requests.exceptions.Timeout) or is_last or time.monotonic() + PAUSE_SECONDS > deadline:
                raise unreachable(adapter, error) from None
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError) as error:
            raise unreachable(adapter, error) from None
        else:
            if status not in TRY_AGAIN or is_last or time.monotonic() + PAUSE_SECONDS > deadline:
                return answer_of(adapter, status, content)
        time.sleep(PAUSE_SECONDS)
    raise AssertionError("the last try returns or raises")


def send(
    adapter: Adapter, method: str, path: str, body: Any, parameters: dict[str, str] | None, deadline: float
) -> tuple[int, bytes]:
    """One try: the status and the whole body. Raises what `requests` and `urllib3` do, or `AdapterFailed`."""
    remaining = max(0.1, deadline - time.monotonic())
    with (
        session_for(adapter) as session,
        session.request(
            method,
            adapter.url.rstrip("/") + path,
            data=None if body is None else orjson.dumps(body),
            params=parameters,
            headers={"Content-Type": "application/json", "Accept": "application/json", "Accept-Encoding": "identity"},
            timeout=(min(CONNECT_SECONDS, remaining), remaining),
            stream=True,
            allow_redirects=False,
        ) as reply,
    ):
        return reply.status_code, read_all(adapter, reply, deadline)


def session_for(adapter: Adapter) -> requests.Session:
    """An address of the settings is the operator's own; one of a plane was set by whoever may edit planes."""
    if adapter.plane:
        return guarded_session()
    session = requests.Session()
    session.trust_env = False
    return session


def read_all(adapter: Adapter, reply: requests.Response, deadline: float) -> bytes:
    """The body, unless it is too long or takes too long: a server that drips a byte now and then is cut off, too."""
    parts, size = [], 0
    while chunk := reply.raw.read1(CHUNK, decode_content=False):
        size += len(chunk)
        if size > MAX_BYTES:
            raise AdapterFailed(
                adapter,
                f"answered more than {MAX_BYTES // 1024 // 1024} MiB",
                "ask for less: a shorter time, a smaller limit, one component",
            )
        if time.monotonic() > deadline:
            raise too_slow(adapter)
        parts.append(chunk)
    return b"".join(parts)


def too_slow(adapter: Adapter) -> AdapterFailed:
    return AdapterFailed(
        adapter,
        f"did not answer within {settings.OBSERVER_TIMEOUT_SECONDS:g} s",
        "ask for less (a shorter time, a smaller limit), or have its backend looked at",
    )


def unreachable(adapter: Adapter, error: Exception) -> AdapterFailed:
    """What the user is told of a connection that failed; the log knows the address."""
    log.warning("%s at %s: %s", adapter.label, adapter.url, error)
    if isinstance(error, requests.exceptions.Timeout | urllib3.exceptions.TimeoutError):
        return too_slow(adapter)
    if isinstance(error, Refused):
        return AdapterFailed(
            adapter,
            "is at an address that may not be asked",
            f"{adapter.where} names it; a private network must be named in OUTGOING_PRIVATE_NETWORKS",
        )
    return AdapterFailed(adapter, "cannot be reached", f"whoever runs the platform may check {adapter.where}")


def answer_of(adapter: Adapter, status: int, content: bytes) -> dict[str, Any]:
    """The object in an answer with 2xx. Raises `AdapterFailed` or one of its kinds for everything else."""
    if status == 501:
        raise NotOffered(adapter, "does not offer this")
    if status == 404:
        raise NotFoundThere(adapter, "knows no such thing")
    if not 200 <= status < 300:
        log.warning("%s at %s answered %s: %.500r", adapter.label, adapter.url, status, content[:500])
        raise AdapterFailed(adapter, f"answered HTTP {status}{words_of(content)}", "its own log says more")
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError:
        log.warning("%s at %s answered no JSON: %.500r", adapter.label, adapter.url, content[:500])
        raise AdapterFailed(adapter, "answered something that is not JSON", check_version(adapter)) from None
    if not isinstance(value, dict):
        raise AdapterFailed(adapter, "answered JSON that is no object", check_version(adapter))
    return value


def check_version(adapter: Adapter) -> str:
    return f"check that {adapter.where} names an adapter of OpenChoreo's contract"


def words_of(content: bytes) -> str:
    """What an adapter says of its own error: `message` or `detail`, by contract, cut to a line."""
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError:
        return ""
    if not isinstance(value, dict):
        return ""
    said = next((value[key] for key in ("message", "detail") if isinstance(value.get(key), str) and value[key]), "")
    line = " ".join(said.split())
    return f": {line[:SHOWN_TEXT]}" if line else ""
