"""Request ids: what ties log lines, revisions and audit records of one request together.

The client's `X-Request-ID` is honoured if it is short and printable; else a UUID of version 7 (sorted by time) is made.
It is not echoed in replies, by contract.
"""

from __future__ import annotations

import re
import secrets
import time
import uuid

from django.http import HttpRequest

_ACCEPTABLE = re.compile(r"[\x21-\x7e]{1,64}")


def request_id_of(request: HttpRequest) -> str:
    """The id of a request: the client's own, or a new one."""
    return client_request_id(request) or server_request_id(request)


def client_request_id(request: HttpRequest) -> str:
    """The id that the client has given, "" if there is none that can be used."""
    given = request.headers.get("X-Request-ID", "")
    return given if _ACCEPTABLE.fullmatch(given) else ""


def server_request_id(request: HttpRequest) -> str:
    """Our own id of a request, which no client can choose; the same whenever it is asked for."""
    if "stagecraft.request_id" not in request.META:
        request.META["stagecraft.request_id"] = str(uuid7())
    return str(request.META["stagecraft.request_id"])


def uuid7() -> uuid.UUID:
    """A UUID of version 7 (RFC 9562): 48 bits of milliseconds, then random bits."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & (2**48 - 1)) << 80 | 0x7 << 76 | secrets.randbits(12) << 64
    return uuid.UUID(int=value | 0b10 << 62 | secrets.randbits(62))
