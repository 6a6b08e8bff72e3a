"""Cursors: where the next page of a list begins. Opaque to clients; base64url of JSON, without padding.

A cursor names the last item seen, so pages stay right while objects come and go. It is bound neither to its
collection nor to its filters, as in the reference; JSON without our key means the first page.
"""

from __future__ import annotations

import base64
import binascii

import orjson

_KEY = "after"


class BrokenCursor(ValueError):
    """The text is not a cursor that a server of ours could have made."""


def encode_cursor(after: str) -> str:
    """The cursor for "what comes after this name"."""
    return base64.urlsafe_b64encode(orjson.dumps({_KEY: after})).rstrip(b"=").decode()


def decode_cursor(cursor: str) -> str:
    """The name to continue after, "" for the first page. Raises `BrokenCursor`."""
    if not cursor:
        return ""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        value = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (UnicodeEncodeError, binascii.Error, orjson.JSONDecodeError) as error:
        raise BrokenCursor("invalid cursor") from error
    if not isinstance(value, dict):
        raise BrokenCursor("invalid cursor")
    after = value.get(_KEY, "")
    if not isinstance(after, str) or "\0" in after:
        raise BrokenCursor("invalid cursor")
    return after
