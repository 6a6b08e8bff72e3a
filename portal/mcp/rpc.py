"""JSON-RPC messages, and the versions of the protocol. Pure: bytes in, values out.

Batches are of the versions before 2025-06-18, which took them out. A message without an id is a notification and gets
no answer; neither does a response, which a client has no reason to send here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from portal.wire import gojson

VERSIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
"""Oldest first. A client that asks for another gets the newest and decides for itself."""
WITH_BATCHES = VERSIONS[:2]
UNSAID = "2025-03-26"
"""The version of a request that names none, by the transport's specification."""
MOST_IN_A_BATCH = 50

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, INTERNAL_ERROR = -32700, -32600, -32601, -32602, -32603
RESOURCE_NOT_FOUND = -32002
REFUSED = 0
"""The code of a refusal by the layer of permissions, as the contract's server sends it."""


class RpcError(Exception):
    """A JSON-RPC error: for what is wrong with a request itself, not with what it asked for."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code, self.message, self.data = code, message, data

    @property
    def wire(self) -> dict[str, Any]:
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        return error if self.data is None else {**error, "data": self.data}


class Malformed(Exception):
    """A body that holds no JSON; the text says why, as the contract's server words it."""


@dataclass(frozen=True, slots=True)
class Message:
    """A request or notification. `id` is None for a notification."""

    id: str | int | float | None
    method: str
    params: dict[str, Any]


def decode(body: bytes) -> Any:
    """The JSON value of a body. Raises `Malformed`."""
    try:
        return gojson.decode(body)
    except gojson.UndecodableJSON as error:
        raise Malformed(f"malformed payload: unmarshaling jsonrpc message: {error}") from None


def messages_of(value: Any, version: str) -> list[Any]:
    """The messages of a body: itself, or those of a batch. Raises `RpcError`."""
    if not isinstance(value, list):
        return [value]
    if version not in WITH_BATCHES:
        raise RpcError(INVALID_REQUEST, f"protocol {version} has no batches: send one message in each request")
    if not value or len(value) > MOST_IN_A_BATCH:
        raise RpcError(INVALID_REQUEST, f"a batch holds between 1 and {MOST_IN_A_BATCH} messages")
    return value


def read_message(value: Any) -> Message | None:
    """A message; None for a response, which is let be. Raises `RpcError`."""
    if not isinstance(value, dict) or value.get("jsonrpc") != "2.0":
        raise RpcError(INVALID_REQUEST, 'a message is an object with "jsonrpc": "2.0"')
    if "method" not in value and ("result" in value or "error" in value):
        return None
    method, identity, params = value.get("method"), value.get("id"), value.get("params")
    if not isinstance(method, str):
        raise RpcError(INVALID_REQUEST, "method must be a text")
    if "id" in value and not is_identity(identity):
        raise RpcError(INVALID_REQUEST, "id must be a text or a number")
    if params is None:
        params = {}
    if not isinstance(params, dict):
        raise RpcError(INVALID_PARAMS, "params must be an object")
    return Message(identity, method, params)


def identity_in(value: Any) -> str | int | float | None:
    """The id to answer a message with that cannot be read."""
    found = value.get("id") if isinstance(value, dict) else None
    return found if is_identity(found) else None


def is_identity(value: Any) -> bool:
    """Whether a value can name a message: a text, or a number that can be sent back."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return False
    return not isinstance(value, int) or -(2**63) <= value < 2**63


def negotiated(asked: Any) -> str:
    """The version to speak with a client that asks for that one."""
    return asked if asked in VERSIONS else VERSIONS[-1]
