"""Timestamps and durations: conversions and their parts, in UTC or in a named time zone."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Final

from catalog.compiler.cel import operators
from catalog.compiler.cel.errors import CelEvaluationError
from catalog.compiler.cel.functions import Registry
from catalog.compiler.cel.time_text import (
    TimestampError,
    parse_duration,
    parse_timestamp,
    seconds_text,
    timestamp_text,
    to_datetime,
)
from catalog.compiler.cel.values import Duration, Timestamp

REGISTRY: Final = Registry()


@REGISTRY.function("duration(duration) -> duration")
@REGISTRY.function("timestamp(timestamp) -> timestamp")
def _identity(value: object) -> object:
    return value


@REGISTRY.function("duration(string) -> duration")
def _duration_of_text(text: str) -> Duration:
    parsed = parse_duration(text)
    if parsed is None:
        raise CelEvaluationError("type conversion error from 'string' to 'google.protobuf.Duration'")
    return parsed


@REGISTRY.function("timestamp(int) -> timestamp")
def _timestamp_of_seconds(seconds: int) -> Timestamp:
    return operators.timestamp(seconds, 0)


@REGISTRY.function("timestamp(string) -> timestamp")
def _timestamp_of_text(text: str) -> Timestamp:
    try:
        return parse_timestamp(text)
    except TimestampError as error:
        reason = str(error) or "type conversion error from 'string' to 'google.protobuf.Timestamp'"
        raise CelEvaluationError(reason) from None


@REGISTRY.function("string(duration) -> string")
def _text_of_duration(value: Duration) -> str:
    return seconds_text(value)


@REGISTRY.function("string(timestamp) -> string")
def _text_of_timestamp(value: Timestamp) -> str:
    return timestamp_text(value)


# What is asked of the moment (in the zone) and of its nanoseconds.
_PARTS: Final[dict[str, Callable[[datetime, int], int]]] = {
    "getFullYear": lambda moment, _: moment.year,
    "getMonth": lambda moment, _: moment.month - 1,
    "getDayOfYear": lambda moment, _: moment.timetuple().tm_yday - 1,
    "getDayOfMonth": lambda moment, _: moment.day - 1,
    "getDate": lambda moment, _: moment.day,
    "getDayOfWeek": lambda moment, _: moment.isoweekday() % 7,
    "getHours": lambda moment, _: moment.hour,
    "getMinutes": lambda moment, _: moment.minute,
    "getSeconds": lambda moment, _: moment.second,
    "getMilliseconds": lambda _, nanoseconds: nanoseconds // 1_000_000,
}
_UNITS: Final = {
    "getHours": 3_600_000_000_000,
    "getMinutes": 60_000_000_000,
    "getSeconds": 1_000_000_000,
    "getMilliseconds": 1_000_000,
}


def _declare_part(name: str) -> None:
    part = _PARTS[name]

    def of_timestamp(value: Timestamp) -> int:
        return part(to_datetime(value), value.nanoseconds)

    def in_zone(value: Timestamp, zone: str) -> int:
        try:
            return part(to_datetime(value).astimezone(_zone(zone)), value.nanoseconds)
        except OverflowError:
            raise CelEvaluationError("timestamp overflow") from None

    REGISTRY.add(f"timestamp|{name}() -> int", of_timestamp)
    REGISTRY.add(f"timestamp|{name}(string) -> int", in_zone)
    if name in _UNITS:
        unit = _UNITS[name]

        def of_duration(value: Duration) -> int:
            whole = abs(value.nanoseconds) // unit
            return -whole if value.nanoseconds < 0 else whole

        REGISTRY.add(f"duration|{name}() -> int", of_duration)


for _name in _PARTS:
    _declare_part(_name)


def _zone(name: str) -> tzinfo:
    """Return a zone by its IANA name, or by its offset ``[+-]hh:mm``."""
    hours, colon, minutes = name.partition(":")
    if colon:
        try:
            offset = int(hours) * 60 + (-int(minutes) if name[0] == "-" else int(minutes))
            return timezone(timedelta(minutes=offset))
        except ValueError:
            raise CelEvaluationError(f'strconv.Atoi: parsing "{name}": invalid syntax') from None
    if name in ("", "UTC"):
        return timezone.utc  # noqa: UP017 - the zone is a value here
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise CelEvaluationError(f"unknown time zone {name}") from None
