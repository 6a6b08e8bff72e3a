"""The part of a question that is the same for all: from when to when, how much, in which order.

Rules and wording are the contract's (`limit` 0 or absent means 100, never more than 1000; at most 30 days).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from workflows.observer.refusals import bad_request

DEFAULT_LIMIT, MOST = 100, 1000
LONGEST = timedelta(days=30)
RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})")
LEVELS = ("DEBUG", "INFO", "WARN", "ERROR")
STEP_PART = re.compile(r"([0-9]{1,18}(?:\.[0-9]{0,18})?|\.[0-9]{1,18})(?:ns|us|µs|ms|s|m|h)")
STEP_MAX = 64
"""Characters. Nobody writes a duration of more, and the pattern is tried at each of them."""
GRANULARITY = re.compile(r"[1-9][0-9]*[hdw]")


@dataclass(frozen=True)
class Window:
    """From when to when, as the caller wrote it: adapters get the same text."""

    start: str
    end: str

    @classmethod
    def read(cls, given: Mapping[str, Any], code: str = "") -> Window:
        """From `startTime` and `endTime`. Raises the 400."""
        start, end = moment_named(given, "startTime", code), moment_named(given, "endTime", code)
        if end < start:
            raise bad_request("endTime must be after startTime", code)
        if end - start > LONGEST:
            raise bad_request(f"query time range cannot exceed {LONGEST.days} days", code)
        return cls(given["startTime"], given["endTime"])

    @property
    def moments(self) -> tuple[datetime, datetime]:
        return moment_of(self.start), moment_of(self.end)


def moment_named(given: Mapping[str, Any], field: str, code: str) -> datetime:
    """A moment of the request. Raises the 400."""
    text = given.get(field)
    if text in (None, ""):
        raise bad_request(f"{field} is required", code)
    try:
        return moment_of(text)
    except ValueError:
        raise bad_request(f"{field} must be in RFC3339 format (e.g., 2024-01-01T00:00:00Z)", code) from None


def moment_of(text: Any) -> datetime:
    """A moment in RFC 3339, to the microsecond. Raises `ValueError`."""
    if not isinstance(text, str) or not RFC3339.fullmatch(text):
        raise ValueError(f"{text!r} is not a time in RFC 3339")
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} is out of range") from None


@dataclass(frozen=True)
class Page:
    """How many entries, and which of them first."""

    limit: int
    order: str

    @classmethod
    def read(cls, given: Mapping[str, Any], code: str = "") -> Page:
        """From `limit` and `sortOrder`. Raises the 400."""
        limit, order = given.get("limit") or 0, given.get("sortOrder") or "desc"
        if isinstance(limit, float) and limit.is_integer():
            limit = int(limit)
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < 0:
            raise bad_request("limit must be a positive integer", code)
        if limit > MOST:
            raise bad_request(f"limit cannot exceed {MOST}", code)
        if order not in ("asc", "desc"):
            raise bad_request("sortOrder must be either 'asc' or 'desc'", code)
        return cls(limit or DEFAULT_LIMIT, order)


def levels_of(given: Mapping[str, Any]) -> list[str]:
    """`logLevels`: none means all. Raises the 400."""
    levels = given.get("logLevels") or []
    if not isinstance(levels, list):
        raise bad_request("logLevels must be a list")
    for level in levels:
        if level not in LEVELS:
            raise bad_request(f"invalid log level '{level}'; valid levels are: {', '.join(LEVELS)}")
        if levels.count(level) > 1:
            raise bad_request(f"duplicate log level '{level}' is not allowed")
    return levels


def text_of(given: Mapping[str, Any], field: str) -> str:
    """A text of the request, "" if absent. Raises the 400."""
    value = given.get(field)
    if value is None:
        return ""
    if not isinstance(value, str) or "\0" in value:
        raise bad_request(f"{field} must be a text")
    return value


def step_of(given: Mapping[str, Any]) -> str:
    """`step` as Go writes durations (`5m`, `1h30m`), "" if absent. Raises the 400."""
    step = text_of(given, "step")
    if not step:
        return ""
    amounts = STEP_PART.findall(step)
    if len(step) > STEP_MAX or STEP_PART.sub("", step):
        raise bad_request("step must be a valid duration (e.g. 1m, 5m, 15m, 30m, 1h)")
    if not any(map(float, amounts)):
        raise bad_request("step must be greater than 0")
    return step


def granularity_of(given: Mapping[str, Any]) -> str:
    """`granularity` such as `1h`, `2d`, `3w`, "" if absent. Raises the 400."""
    text = text_of(given, "granularity")
    if text and not GRANULARITY.fullmatch(text):
        raise bad_request("granularity must match <count><unit> notation (e.g. 1h, 2d, 3w)")
    return text
