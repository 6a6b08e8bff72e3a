"""Keeps strangers from filling the log: requests without a valid credential are recorded up to a rate.

Everybody who is known is recorded always; this is for 401, and for what nobody in particular asked of the endpoints
that need no token. Counted for each source and process, in memory.
"""

from __future__ import annotations

import threading
import time

PER_MINUTE = 60
SOURCES = 10_000

_lock = threading.Lock()
_seen: dict[str | None, int] = {}
_minute = 0


def forget() -> None:
    """Count anew from here; for tests, which all come from one address."""
    with _lock:
        _seen.clear()


def is_too_many(source: str | None) -> bool:
    """Whether this source has had its events of the minute. Counts."""
    global _minute
    minute = int(time.monotonic() // 60)
    with _lock:
        if minute != _minute or len(_seen) > SOURCES:
            _seen.clear()
            _minute = minute
        _seen[source] = _seen.get(source, 0) + 1
        return _seen[source] > PER_MINUTE
