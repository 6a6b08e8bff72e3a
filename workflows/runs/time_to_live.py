"""How long a finished run is kept: texts like `90d` or `1h30m` (`catalog.kinds.workflow.time_to_live`)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

LONGEST_NUMBER = 7  # of any unit: beyond that are no calendars
PARTS = re.compile(r"(\d+)([dhms])")
UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


def duration_of(text: str) -> timedelta | None:
    """The duration that a text means; None for an empty text: kept until a person deletes it."""
    if not text:
        return None
    total = timedelta()
    for number, unit in PARTS.findall(text):
        if len(number) > LONGEST_NUMBER:
            return None
        total += timedelta(**{UNITS[unit]: int(number)})
    return total


def expiry_of(time_to_live: str, completed_at: str) -> datetime | None:
    """When a run that was completed at that time (RFC 3339) has to go, None for never."""
    duration = duration_of(time_to_live)
    if duration is None or not completed_at:
        return None
    try:
        return datetime.fromisoformat(completed_at).astimezone(UTC) + duration
    except OverflowError:
        return None  # longer than calendars last
