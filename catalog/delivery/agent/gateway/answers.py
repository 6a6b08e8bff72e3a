"""What the internal port answers: the cluster's words as they came, and the gateway's own, which carry a mark."""

from __future__ import annotations

from aiohttp import web

from catalog.delivery.agent.gateway import checks
from catalog.delivery.agent.gateway.link import Busy, Slow
from catalog.delivery.agent.messages import Answer, Request

MARK = "Stagecraft-Gateway"
APPLY = "application/apply-patch+yaml"


class Refusal(Exception):
    """The gateway's own answer. `code` is one word for programs."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.status, self.code = status, code


def back(answer: Answer) -> dict[str, str]:
    return {name: values[0] for name, values in answer.headers.items() if name.lower() in checks.PASSED_BACK and values}


def may_be_repeated(asked: Request) -> bool:
    """Whether asking twice comes to the same as asking once."""
    kinds = {value for name, values in asked.headers.items() if name.lower() == "content-type" for value in values}
    return asked.method in ("GET", "HEAD") or (asked.method == "PATCH" and kinds == {APPLY})


def unavailable(error: Exception) -> Refusal:
    if isinstance(error, Busy):
        return Refusal(503, "busy", str(error))
    return Refusal(504 if isinstance(error, Slow) else 502, "slow" if isinstance(error, Slow) else "cut", str(error))


def refused(refusal: Refusal) -> web.Response:
    return web.Response(status=refusal.status, text=f"{refusal}\n", headers={MARK: refusal.code})


def event_of(data: bytes) -> bytes:
    """One server-sent event."""
    return b"".join(b"data: " + line + b"\n" for line in data.split(b"\n")) + b"\n"
