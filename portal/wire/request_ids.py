"""Request ids: what ties log lines, revisions and audit records of one request together.

The client's `X-Request-ID` is honoured if it is short and printable; else a UUID of version 7 (sorted by time) is made.
It is not echoed in replies, by contract.
"""

from __future__ import annotations

import os
import re
import time

from django.http import HttpRequest

_ACCEPTABLE = re.compile(r"[\x21-\x7e]{1,64}")


def request_id_of(request: HttpRequest) -> str:
    """The id of a request: the client's own, or a new one."""
    return client_request_id(request) or server_request_id(request)


def client_request_id(request: HttpRequest) -> str:
    """The id that the client has given, "" if there is none that can be used."""
    given = request.META.get("HTTP_X_REQUEST_ID", "")
    return given if given and _ACCEPTABLE.fullmatch(given) else ""


def server_request_id(request: HttpRequest) -> str:
    """Our own id of a request, which no client can choose; the same whenever it is asked for."""
    if "stagecraft.request_id" not in request.META:
        request.META["stagecraft.request_id"] = uuid7()
    return str(request.META["stagecraft.request_id"])


def uuid7() -> str:
    """The text of a UUID of version 7 (RFC 9562): 48 bits of milliseconds, then random bits."""
    milliseconds = time.time_ns() // 1_000_000 & (2**48 - 1)
    chance = int.from_bytes(os.urandom(10))
    text = f"{milliseconds << 80 | 0x7 << 76 | (chance >> 68) << 64 | 0b10 << 62 | chance & (2**62 - 1):032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
