"""Replays exchanges recorded from the reference server and says where ours answers differently.

What varies is taken out of both sides: uids, times, cursors (translated), and the status that controllers write.
Errors that list several causes are compared without regard to their order, which is random upstream.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from portal.wire.cursors import BrokenCursor, decode_cursor, encode_cursor
from tests.catalog.api.conftest import ApiClient

VARYING = frozenset({"uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "status"})
KUBECTL = "kubectl.kubernetes.io/last-applied-configuration"
GO_DECODER = "can't decode JSON body: json: cannot unmarshal"


@dataclass(frozen=True)
class Difference:
    """Where a reply is not the recorded one."""

    number: int
    request: str
    what: str

    def __str__(self) -> str:
        return f"#{self.number} {self.request}: {self.what}"


def exchanges(conformance: Path) -> Iterator[dict[str, Any]]:
    """The recording, in order."""
    with (conformance / "live" / "rest.jsonl").open("rb") as file:
        yield from map(orjson.loads, file)


def replay(api: ApiClient, exchange: dict[str, Any]) -> Iterator[Difference]:
    """Send one exchange and compare. Set-up requests must only succeed."""
    path = re.sub(r"cursor=([\w-]{40,})", lambda match: "cursor=" + encode_cursor(position(match[1])), exchange["path"])
    headers = {
        name: f"{value.split()[0]} {api.token}" if "(token of" in value else value
        for name, value in (exchange.get("request_headers") or {}).items()
    }
    reply = api.send(exchange["method"], path, body_of(exchange), **headers)
    request = f"{exchange['method']} {exchange['path']}"

    def difference(what: str) -> Difference:
        return Difference(exchange["n"], request, what)

    if "status" not in exchange:
        if not 200 <= reply.status_code < 300:
            yield difference(f"set-up failed: {reply.status_code} {reply.content[:300]!r}")
        return
    if reply.status_code != exchange["status"]:
        yield difference(
            f"{reply.status_code} {reply.content[:200]!r}, recorded {exchange['status']} {exchange['response'][:200]!r}"
        )
        return
    headers = exchange["headers"]
    for name in ("content-type", "www-authenticate", "location"):
        if reply.headers.get(name) != headers.get(name):
            yield difference(f"{name} is {reply.headers.get(name)!r}, recorded {headers.get(name)!r}")
    if words(reply.headers.get("allow")) != words(headers.get("allow")):
        yield difference(f"allow is {reply.headers.get('allow')!r}, recorded {headers.get('allow')!r}")
    if exchange["method"] == "HEAD" or reply.headers.get("content-type") != headers.get("content-type"):
        return
    if "json" not in headers.get("content-type", ""):
        ours, theirs = reply.content.decode(), exchange["response"]
        if ours != theirs and not (ours.startswith(GO_DECODER) and theirs.startswith(GO_DECODER)):
            yield difference(f"text {ours!r}, recorded {theirs!r}")
        return
    found, wanted = comparable(orjson.loads(reply.content)), comparable(orjson.loads(exchange["response"]))
    if found != wanted:
        yield difference("; ".join(unequal(found, wanted, "body")))


def body_of(exchange: dict[str, Any]) -> bytes | None:
    body = exchange.get("body")
    if body is None:
        return None
    if isinstance(body, dict) and "$repeat" in body:
        return str(body["$repeat"] * body["$times"]).encode()
    return body.encode() if isinstance(body, str) else orjson.dumps(body)


def position(cursor: str) -> str:
    """The name after which a cursor continues: of ours, or of the reference's Kubernetes continue token."""
    try:
        if ours := decode_cursor(cursor):
            return ours
    except BrokenCursor:
        return ""
    outer = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    if "c" in outer:  # most collections wrap the token once more
        outer = orjson.loads(base64.urlsafe_b64decode(outer["c"] + "=" * (-len(outer["c"]) % 4)))
    return str(outer.get("start", "")).strip("/\0")


def words(header: str | None) -> set[str]:
    return {word.strip() for word in (header or "").split(",")}


def comparable(value: Any) -> Any:
    """A reply without what varies."""
    if not isinstance(value, dict):
        return value
    if "metadata" in value:
        metadata = {key: item for key, item in value["metadata"].items() if key not in VARYING}
        if KUBECTL in metadata.get("annotations", {}):
            annotations = {key: item for key, item in metadata["annotations"].items() if key != KUBECTL}
            metadata.pop("annotations")
            metadata |= {"annotations": annotations} if annotations else {}
        rest = {key: item for key, item in value.items() if key != "metadata" and key not in VARYING}
        return {**rest, "metadata": metadata}
    if "items" in value and "pagination" in value:
        cursor = value["pagination"].get("nextCursor")
        return {"items": [comparable(item) for item in value["items"]], "next": cursor and position(cursor)}
    if set(value) == {"code", "error"}:
        return {"code": value["code"], "causes": sorted(value["error"].split("; "))}
    return value


def unequal(found: Any, wanted: Any, path: str) -> Iterator[str]:
    """Every place where two JSON values differ."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        for key in sorted(found.keys() | wanted.keys()):
            if key not in found:
                yield f"{path}.{key} is missing, recorded {short(wanted[key])}"
            elif key not in wanted:
                yield f"{path}.{key} is {short(found[key])}, not recorded"
            else:
                yield from unequal(found[key], wanted[key], f"{path}.{key}")
    elif isinstance(found, list) and isinstance(wanted, list) and len(found) == len(wanted):
        for index, (left, right) in enumerate(zip(found, wanted, strict=True)):
            yield from unequal(left, right, f"{path}[{index}]")
    elif found != wanted:
        yield f"{path} is {short(found)}, recorded {short(wanted)}"


def short(value: Any) -> str:
    return orjson.dumps(value).decode()[:400]
