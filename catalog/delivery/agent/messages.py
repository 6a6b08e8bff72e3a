"""What gateway and agent say to each other: OpenChoreo's agent protocol, JSON in text frames. No socket anywhere.

The messages have no type; each side tells them apart by the fields that are there (reference: OpenChoreo's
`internal/cluster-agent/messaging`):

    gateway → agent                                             told by
    request   {requestID, target, method, path, query, …}       neither of the others
    stream    {requestID, …, isUpgrade: true, upgradeProto}     isUpgrade
    chunk     {requestID, data, streamId, isClose}              data or isClose

    agent → gateway
    chunk     as above                                          data or isClose
    answer    {requestID, statusCode, headers, body, error}     neither

Everything that belongs together has one `requestID`; many go on at once. Bytes are base64. A `stream` is answered in
one of two ways. OpenChoreo's agent knows commands (`SPDY/3.1`) and network flows (`hubble/v1`), begins with a chunk,
and ends with a closing one, whose data is the reason if there was no chunk before it. For what goes on (a watch, a
log) our agent knows `stagecraft/http` too: an answer with status and headers, then chunks, then the closing one. An
agent says so by `streams=http` in the query with which it dials; others leave the word unread.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

PLANE_TYPES = ("dataplane", "workflowplane", "observabilityplane")
COMMAND, FLOWS, HTTP = "SPDY/3.1", "hubble/v1", "stagecraft/http"
HTTP_STREAMS = "http"
"""What an agent puts into its query as `streams` if it knows `stagecraft/http`."""
STDIN, STDOUT, STDERR, RESIZE = range(4)
"""The first byte of each frame of a command; a resize is JSON, `{"width": 80, "height": 24}`."""
Headers = Mapping[str, Sequence[str]]


class NoMessage(ValueError):
    """What came is no message of the protocol; the text says why."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request that is answered once."""

    id: str
    target: str
    method: str
    path: str
    query: str = ""
    headers: Headers = field(default_factory=dict)
    body: bytes = b""
    trace: str = ""
    """The id of the request that this one serves, for logs."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A request whose answer goes on, in one direction or in both. `protocol` is one of the three above."""

    id: str
    target: str
    method: str
    path: str
    query: str
    protocol: str
    headers: Headers = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a stream, the last one if `is_close`."""

    id: str
    data: bytes = b""
    is_close: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What the target said. `error` is the agent's own word when it could not ask, else empty."""

    id: str
    status: int
    headers: Headers = field(default_factory=dict)
    body: bytes = b""
    error: str = ""


Message = Request | Stream | Chunk | Answer


def write(message: Message) -> str:
    """The text frame of a message."""
    return orjson.dumps(fields_of(message)).decode()


def fields_of(message: Message) -> dict[str, Any]:
    match message:
        case Request():
            found = asked(message) | {"gatewayRequestID": message.trace}
            if message.body:
                found["body"] = text_of(message.body)
            return found
        case Stream():
            return asked(message) | {"isUpgrade": True, "upgradeProto": message.protocol}
        case Chunk():
            chunk: dict[str, Any] = {"requestID": message.id, "data": text_of(message.data)}
            return chunk | {"isClose": True} if message.is_close else chunk
        case Answer():
            answer = {"requestID": message.id, "statusCode": message.status, "headers": listed(message.headers)}
            if message.body:
                answer["body"] = text_of(message.body)
            if message.error:
                answer["error"] = {"code": message.status, "message": message.error}
            return answer


def asked(message: Request | Stream) -> dict[str, Any]:
    """The fields that requests and streams have in common. Headers have the spelling that Go's lists need."""
    return {
        "requestID": message.id, "target": message.target, "method": message.method, "path": message.path,
        "query": message.query, "headers": {name.title(): list(held) for name, held in message.headers.items()},
    }  # fmt: skip


def read_at_gateway(frame: str | bytes) -> Chunk | Answer:
    """A frame from an agent. Raises `NoMessage`."""
    held = decoded(frame)
    if "data" in held or held.get("isClose"):
        return chunk_of(held)
    status = held.get("statusCode")
    if not isinstance(status, int) or isinstance(status, bool) or not 100 <= status <= 599:
        raise NoMessage("an answer needs a statusCode between 100 and 599")
    error = held.get("error")
    said = str(error.get("message") or "the agent reports an error") if isinstance(error, dict) else ""
    return Answer(held["requestID"], status, headers_of(held), bytes_of(held, "body"), said)


def read_at_agent(frame: str | bytes) -> Request | Stream | Chunk:
    """A frame from the gateway. Raises `NoMessage`."""
    held = decoded(frame)
    if held.get("isUpgrade"):
        return Stream(*words_of(held), protocol=word(held, "upgradeProto"), headers=headers_of(held))
    if held.get("data") is not None or held.get("isClose"):
        return chunk_of(held)
    body = bytes_of(held, "body")
    return Request(*words_of(held), headers=headers_of(held), body=body, trace=word(held, "gatewayRequestID"))


def decoded(frame: str | bytes) -> dict[str, Any]:
    try:
        held = orjson.loads(frame)
    except orjson.JSONDecodeError as error:
        raise NoMessage(f"it is not JSON: {error}") from None
    if not isinstance(held, dict) or not isinstance(held.get("requestID"), str) or not held["requestID"]:
        raise NoMessage("it has no requestID")
    return held


def chunk_of(held: Mapping[str, Any]) -> Chunk:
    return Chunk(held["requestID"], bytes_of(held, "data"), bool(held.get("isClose")))


def words_of(held: Mapping[str, Any]) -> tuple[str, str, str, str, str]:
    words = {name: word(held, name) for name in ("target", "method", "path", "query")}
    if not words["path"].startswith("/"):
        raise NoMessage("its path must begin with /")
    return held["requestID"], words["target"], words["method"], words["path"], words["query"]


def word(held: Mapping[str, Any], name: str) -> str:
    found = held.get(name) or ""
    if not isinstance(found, str):
        raise NoMessage(f"its {name} is not text")
    return found


def headers_of(held: Mapping[str, Any]) -> dict[str, list[str]]:
    found = held.get("headers") or {}
    if not isinstance(found, dict) or not all(isinstance(values, list) for values in found.values()):
        raise NoMessage("its headers are not lists by name")
    return {name: [str(value) for value in values] for name, values in found.items()}


def bytes_of(held: Mapping[str, Any], name: str) -> bytes:
    found = held.get(name)
    if found is None:
        return b""
    if not isinstance(found, str):
        raise NoMessage(f"its {name} is not base64")
    try:
        return base64.b64decode(found, validate=True)
    except binascii.Error:
        raise NoMessage(f"its {name} is not base64") from None


def text_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def listed(headers: Headers) -> dict[str, list[str]]:
    return {f"{name}": list(values) for name, values in headers.items()}  # plain text, whatever class the library has
