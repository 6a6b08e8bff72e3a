"""Reads that are written down: what people may have seen of running programs.

Nothing changes by them, so the audit would not know. Clients ask for logs every few seconds; one event a minute for the
same reader and the same thing is enough, counted for each process.
"""

from __future__ import annotations

import threading
import time

from catalog.kinds.base import PlatformObject
from portal.access.endpoint import Call
from portal.audit import operation as audit

MOST_REMEMBERED = 10_000

_lock = threading.Lock()
_noted: dict[tuple[str, ...], int] = {}


def note_read(call: Call, action: str, obj: PlatformObject, **details: str) -> None:
    """Write down that the caller reads something of an object, unless that was written down this minute."""
    opened = audit.current()
    if opened is None or was_noted((call.actor.name, action, str(obj.uid), *details.values())):
        return
    opened.action = action
    opened.target = audit.Target(obj.kind, obj.namespace_name, obj.name)
    audit.conclude(opened, "success", 200, {name: value for name, value in details.items() if value})


def was_noted(key: tuple[str, ...], seconds: int = 60) -> bool:
    """Whether that was written down this minute, or in another stretch of so many seconds. Remembers."""
    stretch = int(time.time() // seconds)
    with _lock:
        if len(_noted) > MOST_REMEMBERED:
            _noted.clear()
        known = _noted.get(key) == stretch
        _noted[key] = stretch
    return known
