"""Durations and timestamps as text, both ways, as Go reads and writes them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from catalog.compiler.cel.values import INT_MAX, INT_MIN, Duration, Timestamp

_UNITS: Final = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,  # U+00B5
    "μs": 1_000,  # U+03BC
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_DURATION_PART = re.compile(r"([0-9]*)(\.[0-9]*)?(ns|us|µs|μs|ms|s|m|h)(?![a-zµμ])")
_TIMESTAMP = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_MAX_DIGITS: Final = 19  # of 64 bits; Python refuses to read very long numbers at all
_NANOSECONDS: Final = 1_000_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class TimestampError(ValueError):
    """A text that is no timestamp; the message says why, and is empty when no more is to be said."""


def parse_duration(text: str) -> Duration | None:
    """Read ``1h30m``, ``-1.5s``, ``0``. Returns ``None`` for anything else, also out of 64 bits of nanoseconds."""
    rest = text
    negative = rest.startswith("-")
    if rest[:1] in ("-", "+"):
        rest = rest[1:]
    if rest == "0":
        return Duration(0)
    total = 0
    position = 0
    while position < len(rest):
        match = _DURATION_PART.match(rest, position)
        if match is None:
            return None
        whole, fraction, unit = match.groups()
        if not whole and (not fraction or fraction == "."):
            return None
        whole, scale = whole.lstrip("0"), _UNITS[unit]
        if len(whole) > _MAX_DIGITS:
            return None
        total += int(whole or "0") * scale
        if fraction and fraction != ".":
            total += int(Decimal("0" + fraction) * scale)
        position = match.end()
    if position == 0:
        return None
    total = -total if negative else total
    return Duration(total) if INT_MIN <= total <= INT_MAX else None


def seconds_text(duration: Duration) -> str:
    """Write a duration as ``5400s``, ``1.5s``: seconds as a double, in plain digits."""
    seconds, nanoseconds = divmod(abs(duration.nanoseconds), _NANOSECONDS)
    value = seconds + nanoseconds / 1e9
    text = format(Decimal(repr(value)), "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return ("-" if duration.nanoseconds < 0 else "") + text + "s"


def parse_timestamp(text: str) -> Timestamp:
    """Read an RFC 3339 text. Raises ``TimestampError``."""
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        raise TimestampError(f"invalid RFC 3339 timestamp {_quoted(text)}")
    year, month, day, hour, minute, second = (int(match[index]) for index in range(1, 7))
    zone = match[8]
    zone_minutes = 0
    if zone not in "Zz":
        zone_hours, zone_minutes = int(zone[1:3]), int(zone[4:])
        if zone_hours > 23 or zone_minutes > 59:
            raise TimestampError(f"invalid RFC 3339 timestamp {_quoted(text)}")
        zone_minutes = (zone_hours * 60 + zone_minutes) * (-1 if zone[0] == "-" else 1)
    if not (1 <= month <= 12 and 1 <= day <= 31 and hour <= 23 and minute <= 59 and second <= 60):
        raise TimestampError(f"invalid RFC 3339 timestamp {_quoted(text)}")
    fraction = int((match[7] or ".0")[1:10].ljust(9, "0"))
    try:
        # Year 0 is readable, but below every timestamp: leap years repeat after 400.
        local = datetime(year or 400, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        raise TimestampError("") from None
    shift = timedelta(days=146097) if year == 0 else timedelta(0)
    seconds = int((local - _EPOCH - shift).total_seconds()) - zone_minutes * 60
    parsed = Timestamp(seconds, fraction)
    if not parsed.is_in_range():
        raise TimestampError("timestamp overflow")
    return parsed


def timestamp_text(timestamp: Timestamp) -> str:
    """Write a timestamp in RFC 3339, in UTC, with as many digits of a second as it has."""
    moment = _EPOCH + timedelta(seconds=timestamp.seconds)
    fraction = f".{timestamp.nanoseconds:09d}".rstrip("0") if timestamp.nanoseconds else ""
    return f"{moment.year:04d}-{moment:%m-%dT%H:%M:%S}{fraction}Z"


def to_datetime(timestamp: Timestamp) -> datetime:
    """Return the moment in UTC, without its nanoseconds."""
    return _EPOCH + timedelta(seconds=timestamp.seconds)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
