"""Cursors: where the next page of a list begins. Opaque to clients; base64url of JSON, without padding.

A cursor names the last item seen, so pages stay right while objects come and go. It is signed for whoever got it: one
that was made up, altered or passed on is refused, so that nobody learns by it what others see. It is bound neither to
its collection nor to its filters, as in the reference; JSON without our key means the first page.
"""

from __future__ import annotations

import base64
import binascii

import orjson
from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

_KEY, _SIGNATURE = "after", "for"


class BrokenCursor(ValueError):
    """The text is not a cursor that a server of ours could have made."""


def encode_cursor(after: str, subject: str) -> str:
    """The cursor for "what comes after this name", good for that subject only."""
    signed = {_KEY: after, _SIGNATURE: signature(after, subject, settings.SECRET_KEY)}
    return base64.urlsafe_b64encode(orjson.dumps(signed)).rstrip(b"=").decode()


def decode_cursor(cursor: str, subject: str) -> str:
    """The name to continue after, "" for the first page. Raises `BrokenCursor`, also for another's cursor."""
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
    if after and not is_signed(after, subject, value.get(_SIGNATURE)):
        raise BrokenCursor("invalid cursor")
    return after


def is_signed(after: str, subject: str, given: object) -> bool:
    """Whether a server with our key, or with one that it has had, gave this cursor to this subject."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return isinstance(given, str) and any(constant_time_compare(given, signature(after, subject, key)) for key in keys)


def signature(after: str, subject: str, key: str) -> str:
    """Sixteen bytes of HMAC-SHA-256, in hexadecimal."""
    text = orjson.dumps([subject, after])
    return salted_hmac("portal.wire.cursors", text, key, algorithm="sha256").hexdigest()[:32]
