"""How much, how many and how long, at the gateway; `portal.settings` has the variables."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes and seconds."""

    request_bytes: int
    message_bytes: int
    """The longest message that an agent may send: the largest answer, in base64."""
    answer_seconds: float
    heartbeat_seconds: float
    agents: int
    """Connections of agents to one replica."""


def configured() -> Limits:
    return Limits(
        request_bytes=settings.GATEWAY_REQUEST_BYTES,
        message_bytes=settings.GATEWAY_MESSAGE_BYTES,
        answer_seconds=settings.GATEWAY_ANSWER_SECONDS,
        heartbeat_seconds=settings.GATEWAY_HEARTBEAT_SECONDS,
        agents=settings.GATEWAY_AGENTS,
    )
