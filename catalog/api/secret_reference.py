"""Secret references: the refresh interval is shown in Go's normal form (`2h` as `2h0m0s`)."""

from __future__ import annotations

import re
from fractions import Fraction

from catalog.api.collection import Collection
from catalog.kinds.base import Document
from catalog.kinds.secret_reference import SecretReference

UNITS = {"h": 3600, "m": 60, "s": 1, "ms": Fraction(1, 10**3), "us": Fraction(1, 10**6), "ns": Fraction(1, 10**9)}
LONGEST = 64  # looking for parts takes the square of the length
PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(h|ms|m|us|µs|ns|s)")


def normal_duration(text: str) -> str:
    """A Go duration in the form in which Go prints it, for whole seconds; anything else is returned as it is."""
    if len(text) > LONGEST:
        return text
    parts = PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return text
    seconds = sum(Fraction(number.rstrip(".")) * UNITS[unit.replace("µ", "u")] for number, unit in parts)
    if seconds.denominator != 1:
        return text
    hours, rest = divmod(int(seconds), 3600)
    minutes, last = divmod(rest, 60)
    if hours:
        return f"{hours}h{minutes}m{last}s"
    return f"{minutes}m{last}s" if minutes else f"{last}s"


def present(document: Document) -> Document:
    interval = document["spec"].get("refreshInterval")
    if not isinstance(interval, str):
        return document
    return {**document, "spec": {**document["spec"], "refreshInterval": normal_duration(interval)}}


COLLECTION = Collection(SecretReference, present=present)
