"""Recorded exchanges: one JSON document a line, as the conformance data describe them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Exchange:
    """One recorded request and, unless it only sets something up, its recorded reply.

    `body` is None for none, a text to be sent as it is, or a JSON value. Header names of the reply are lower-case.
    """

    number: int
    group: str
    auth: str
    method: str
    path: str
    is_secure: bool = True
    body: Any = None
    request_headers: dict[str, str] = field(default_factory=dict)
    content_type: str = ""
    note: str = ""
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    response: str = ""

    @property
    def is_compared(self) -> bool:
        """Whether a reply was recorded."""
        return self.status is not None

    @property
    def content(self) -> bytes | None:
        """The bytes of the request's body."""
        if self.body is None:
            return None
        if isinstance(self.body, str):
            return self.body.encode()
        if isinstance(self.body, dict) and "$repeat" in self.body:
            return (self.body["$repeat"] * self.body["$times"]).encode()  # type: ignore[no-any-return]
        return json.dumps(self.body).encode()

    def __str__(self) -> str:
        path = self.path if len(self.path) < 120 else self.path[:117] + "…"
        return f"#{self.number} [{self.group}] {self.auth} {self.method} {path}"


def read_exchanges(*files: Path) -> list[Exchange]:
    """The exchanges of all files in the order of their numbers.

    Where several have one, that with a reply counts: the second file holds what the first only sets up, or leaves out.
    """
    found: dict[int, Exchange] = {}
    for file in files:
        for exchange in exchanges_in(file):
            held = found.get(exchange.number)
            if held is None or not held.is_compared:
                found[exchange.number] = exchange
    return [found[number] for number in sorted(found)]


def exchanges_in(file: Path) -> Iterator[Exchange]:
    """The exchanges of one file, in its order. Raises ValueError, naming file and line."""
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            yield exchange_of(json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{file}:{number} is not a recorded exchange: {error!r}") from None


def exchange_of(line: dict[str, Any]) -> Exchange:
    return Exchange(
        number=line["n"],
        group=line["group"],
        auth=line.get("auth") or "none",
        method=line["method"],
        path=line["path"],
        is_secure=line.get("security", "on") != "off",
        body=line.get("body"),
        request_headers=line.get("request_headers") or {},
        content_type=line.get("content_type") or "",
        note=line.get("note") or "",
        status=line.get("status"),
        headers=line.get("headers") or {},
        response=line.get("response") or "",
    )
