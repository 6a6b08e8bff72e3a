"""Times as agents write them: `30m`, `2h`, `7d` ago, or a moment in RFC 3339."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from portal.mcp.arguments import TEXT, BadArguments, described
from portal.mcp.registry import Arguments, Document
from workflows.observer.windows import moment_of

UNITS = {"m": "minutes", "h": "hours", "d": "days"}
SINCE = described(TEXT, "30m, 2h, 7d or RFC 3339; default 1h")


def window_of(given: Arguments) -> Document:
    """`since` (`30m`, `2h`, `7d`, or a time) until now, as the contract's two times. Raises `BadArguments`."""
    end = datetime.now(UTC)
    return {"start_time": wire_time(beginning_of(given, end)), "end_time": wire_time(end)}


def beginning_of(given: Arguments, now: datetime) -> datetime:
    text = str(given.get("since") or "1h")
    if text[:-1].isdecimal() and text[-1:] in UNITS and len(text) < 8:
        return now - timedelta(**{UNITS[text[-1]]: int(text[:-1])})
    try:
        return moment_of(text)
    except ValueError:
        raise BadArguments(f"since {text!r}: write 30m, 2h, 7d, or a time such as 2026-05-01T10:00:00Z") from None


def wire_time(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds_of(given: Arguments) -> int | None:
    if not given.get("since"):
        return None
    now = datetime.now(UTC)
    return max(1, round((now - beginning_of(given, now)).total_seconds()))


def present(arguments: Document) -> Document:
    return {name: value for name, value in arguments.items() if value not in (None, "", [])}
