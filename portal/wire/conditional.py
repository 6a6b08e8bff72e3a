"""Conditional requests: "only if it has changed since I looked" for reads, "only if it has not" for writes.

A reply's `ETag` is a digest of what it shows. A view may set one itself; else it is that of the body. As permissions
shape what is shown, a tag never tells more than the reply itself.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import TypeVar

from django.http import HttpRequest, HttpResponse, HttpResponseBase

Reply = TypeVar("Reply", bound=HttpResponseBase)
TAG = re.compile(r'(?:W/)?"([^"]*)"')


def conditional(request: HttpRequest, response: Reply) -> Reply | HttpResponse:
    """The reply to a read with its tag, or 304 without a body for who has it already. Others stay as they are."""
    if request.method not in ("GET", "HEAD") or response.status_code != 200 or not isinstance(response, HttpResponse):
        return response
    if "ETag" not in response:
        response["ETag"] = f'"{hashlib.blake2b(response.content, digest_size=16).hexdigest()}"'
    wanted = request.META.get("HTTP_IF_NONE_MATCH", "")
    if not wanted or not names(wanted, response["ETag"].strip('"')):
        return response
    unchanged = HttpResponse(status=304)
    del unchanged["Content-Type"]
    unchanged["ETag"] = response["ETag"]
    return unchanged


def names(header: str, tag: str) -> bool:
    """Whether an `If-Match` or `If-None-Match` names the tag (given without its quotes), or any by `*`."""
    return header.strip() == "*" or tag in tags_of(header)


def tags_of(header: str) -> Iterator[str]:
    """The tags of a header without their quotes. Weak ones count: proxies that compress make them so."""
    yield from (found.group(1) for found in TAG.finditer(header))
