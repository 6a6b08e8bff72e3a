"""The version of an object on the wire, for clients that must not overwrite what they have not seen.

    GET  …/components/web                        ETag: "4f3c…-9a1b…"
    PUT  …/components/web   If-Match: "4f3c…-9a1b…"    412 if somebody else has changed it meanwhile

The first half of a tag is of what a PUT replaces (labels, annotations, spec), the second of what controllers report.
A read is unchanged when both are; a write is refused when the first has changed, so a status that moves on by itself
spoils nobody's edit. The contract has no versions at all: without `If-Match` the last write wins, as there.
"""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
from django.http import HttpRequest

from catalog.kinds.base import PlatformObject
from portal.wire.conditional import tags_of
from portal.wire.responses import Refusal

CHANGED = "The object has changed since it was read: read it again, and make the change on what is there now"


def tag_of(obj: PlatformObject) -> str:
    """The tag of an object as it is stored, in its quotes."""
    replaced = digest([str(obj.uid), obj.labels, obj.annotations, obj.spec], 12)
    reported = digest([obj.status, obj.deleted_at], 8)
    return f'"{replaced}-{reported}"'


def digest(content: Any, size: int) -> str:
    return hashlib.blake2b(orjson.dumps(content, option=orjson.OPT_SORT_KEYS), digest_size=size).hexdigest()


def require_match(request: HttpRequest, held: PlatformObject) -> None:
    """Refuse a write whose `If-Match` names another version than the one that is stored. Called with the row locked."""
    header = request.headers.get("If-Match", "")
    if header and header.strip() != "*" and not is_version(held, header):
        raise Refusal(412, CHANGED)


def is_version(held: PlatformObject, header: str) -> bool:
    """Whether one of the tags in a header is of the object as it is, whatever has been reported of it since."""
    version = tag_of(held).strip('"').partition("-")[0]
    return version in {tag.partition("-")[0] for tag in tags_of(header)}
