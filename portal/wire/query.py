"""Query parameters as the reference server binds them, before anything else looks at the request.

Unknown parameters are ignored. A parameter given twice, or a number that is none, is 400 in plain text.
"""

from __future__ import annotations

import re

from django.http import QueryDict

from portal.wire.responses import Unreadable

_INTEGER = re.compile(r"[+-]?[0-9]+")
_INT64 = range(-(2**63), 2**63)

LIMIT_DEFAULT = 20
LIMIT_MAX = 100


def text_parameter(query: QueryDict, name: str) -> str:
    """A parameter's value, "" if absent. Raises `Unreadable` when it is given twice."""
    values = query.getlist(name)
    if len(values) > 1:
        raise Unreadable(f"Invalid format for parameter {name}: multiple values for single value parameter '{name}'")
    if values and "\0" in values[0] and name != "cursor":  # a cursor has a reader of its own, with its own words
        raise Unreadable(f"Invalid format for parameter {name}: a value may not contain the NUL character")
    return values[0] if values else ""


def required_parameter(query: QueryDict, name: str) -> str:
    """A parameter's value, which may be empty but must be there. Raises `Unreadable`."""
    if name not in query:
        raise Unreadable(f"Query argument {name} is required, but not found")
    return text_parameter(query, name)


def integer_parameter(query: QueryDict, name: str) -> int | None:
    """A whole number of 64 bits, None if absent. Raises `Unreadable`."""
    if name not in query:
        return None
    text = text_parameter(query, name)
    if not _INTEGER.fullmatch(text):
        reason = "invalid syntax"
    elif (value := int(text[:40])) not in _INT64:
        reason = "value out of range"
    else:
        return value
    raise Unreadable(
        f"Invalid format for parameter {name}: error binding string parameter: "
        f'strconv.ParseInt: parsing "{text}": {reason}'
    )


def limit_parameter(query: QueryDict) -> int:
    """The page size: 20 unless told, never outside of 1 to 100, never refused for its size."""
    limit = integer_parameter(query, "limit")
    return LIMIT_DEFAULT if limit is None else max(1, min(limit, LIMIT_MAX))


def flag_parameter(query: QueryDict, name: str) -> bool:
    """A parameter that is true or false, false if absent. Raises `Unreadable`."""
    text = text_parameter(query, name).lower()
    if text not in ("", "true", "false", "1", "0"):
        raise Unreadable(f"Invalid format for parameter {name}: {text!r} is neither true nor false")
    return text in ("true", "1")
