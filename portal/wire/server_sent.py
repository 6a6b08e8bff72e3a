"""Server-sent events as the HTML standard has them (`text/event-stream`): frames, and the reply that carries them."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable
from typing import Any

from django.http import StreamingHttpResponse

from portal.wire import gojson

CONTENT_TYPE = "text/event-stream"
COMMENT = b": still here\n\n"
"""What keeps a quiet stream from being taken for a dead one."""


def event(name: str, data: Any, identity: int | None = None) -> bytes:
    """One event with JSON as its data. `identity` is what the client names as `Last-Event-ID` when it comes again."""
    head = f"event: {name}\n" if identity is None else f"id: {identity}\nevent: {name}\n"
    body = gojson.encode(data).strip().replace(b"\n", b"\ndata: ")
    return head.encode() + b"data: " + body + b"\n\n"


def retry(milliseconds: int) -> bytes:
    """How long the client is to wait before it comes again."""
    return f"retry: {milliseconds}\n\n".encode()


def reply(frames: Iterable[bytes] | AsyncIterable[bytes], content_type: str = CONTENT_TYPE) -> StreamingHttpResponse:
    """200 with a stream that nothing on the way may keep or change."""
    response = StreamingHttpResponse(frames, content_type=content_type)
    response["Cache-Control"] = "no-store, no-transform"
    response["X-Accel-Buffering"] = "no"  # nginx would gather it
    return response
