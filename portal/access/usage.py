"""Which grants decide anything, and when: noted to the hour, in memory, and written behind the requests' backs.

`guard.ask` notes the grant behind a yes; a list that was filtered notes all grants that it was filtered by, since
without any of them it might have been shorter. What only explains or previews notes nothing. A note of what is noted
already is a look into a dictionary: a fraction of a microsecond. What is new waits for at most `GRANT_USE_SECONDS` and
is then written by a thread of its own, all at once and only where it says something newer than what another process
wrote. A process that is killed loses the notes of that long, and what it noted is noted again with the next use.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection

if TYPE_CHECKING:
    from portal.access.rules import Rule

log = logging.getLogger("stagecraft.access")
HOUR = 3600
Key = tuple[str, str, int]

_lock = threading.Lock()
_noted: dict[Key, tuple[int, bool]] = {}
"""Row → the hour in which it was noted last, and whether that was for more than looking."""
_pending: dict[Key, tuple[int, int]] = {}
"""Row → hour of its last use, hour of its last use for more than looking (0: none)."""
_timer: list[threading.Timer] = []
_model: list[Any] = []


def keep_in(model: Any) -> None:
    """Name the table, which has `table`, `level`, `row`, `used_at` and `changed_at`; the last call counts."""
    _model[:] = [model]


def note(rule: Rule, action: str) -> None:
    """A grant has let somebody do something."""
    key = (rule.table, rule.level, rule.row)
    hour = int(time.time()) // HOUR
    held = _noted.get(key)
    changes = not action.endswith(":view")
    if held is None or held[0] != hour or (changes and not held[1]):
        remember(key, hour, changes)


def note_all(rules: Iterable[Rule], action: str) -> None:
    """Grants have shown somebody a list."""
    hour, changes, noted = int(time.time()) // HOUR, not action.endswith(":view"), _noted
    for rule in rules:
        if rule.effect == "allow":
            key = (rule.table, rule.level, rule.row)
            held = noted.get(key)
            if held is None or held[0] != hour or (changes and not held[1]):
                remember(key, hour, changes)


def remember(key: Key, hour: int, changes: bool) -> None:
    """Put a new note where it will be written from."""
    if not _model:
        return
    with _lock:
        was = _noted.get(key, (0, False))
        _noted[key] = (hour, changes or (was[0] == hour and was[1]))
        _, changed = _pending.get(key, (0, 0))
        _pending[key] = (hour, hour if changes else changed)
        if not _timer and settings.GRANT_USE_SECONDS:
            timer = threading.Timer(settings.GRANT_USE_SECONDS, write_and_close)
            timer.daemon = True
            _timer.append(timer)
            timer.start()


def flush() -> int:
    """Write what is pending, in one transaction with nothing else. Returns how many rows that was."""
    with _lock:
        taken = dict(_pending)
        _pending.clear()
        _timer.clear()
        this_hour = int(time.time()) // HOUR
        for key in [key for key, (hour, _) in _noted.items() if hour < this_hour]:
            del _noted[key]
    if not taken:
        return 0
    try:
        write(taken)
    except Exception:
        # Keep what was not written; the next use brings the timer back.
        with _lock:
            for key, (used, changed) in taken.items():
                later = _pending.get(key, (0, 0))
                _pending[key] = (max(used, later[0]), max(changed, later[1]))
        raise
    return len(taken)


def write(taken: dict[Key, tuple[int, int]]) -> None:
    """One statement for a hundred grants. Rows that say the same already are left alone."""
    table = connection.ops.quote_name(_model[0]._meta.db_table)
    mark = "(%s, %s, %s, %s, %s)"
    rows = sorted(taken.items())  # in one order, so that two processes never wait for each other
    for start in range(0, len(rows), 100):
        batch = rows[start : start + 100]
        parameters: list[Any] = []
        for key, (used, changed) in batch:
            parameters += [*key, moment(used), moment(changed) if changed else None]
        # Only the name of our own table is put in here.
        sql = (
            f'INSERT INTO {table} AS held ("table", "level", "row", "used_at", "changed_at") '  # noqa: S608
            f"VALUES {', '.join([mark] * len(batch))} "
            'ON CONFLICT ("table", "level", "row") DO UPDATE SET '
            '"used_at" = CASE WHEN excluded."used_at" > held."used_at" '
            'THEN excluded."used_at" ELSE held."used_at" END, '
            '"changed_at" = CASE WHEN held."changed_at" IS NULL OR excluded."changed_at" > held."changed_at" '
            'THEN excluded."changed_at" ELSE held."changed_at" END '
            'WHERE excluded."used_at" > held."used_at" OR excluded."changed_at" > COALESCE(held."changed_at", %s)'
        )
        with connection.cursor() as cursor:
            cursor.execute(sql, [*parameters, moment(0)])


def moment(hour: int) -> Any:
    """The beginning of an hour, as the database's driver wants it."""
    return connection.ops.adapt_datetimefield_value(datetime.fromtimestamp(hour * HOUR, UTC))


def write_and_close() -> None:
    """What the timer's thread does: write, and give its connection back."""
    try:
        flush()
    except Exception:
        log.exception("the use of grants could not be noted; what is pending is kept for the next try")
    finally:
        connection.close()


def at_exit() -> None:
    """The last notes of a process that ends in order."""
    if _pending and settings.configured and settings.GRANT_USE_SECONDS:
        write_and_close()


def after_fork() -> None:
    """A child has neither its parent's thread nor its parent's notes to write."""
    global _lock
    _lock = threading.Lock()
    _pending.clear()
    _timer.clear()


def forget() -> None:
    """Begin anew, as a new process does. For tests."""
    with _lock:
        _pending.clear()
        _noted.clear()


atexit.register(at_exit)
os.register_at_fork(after_in_child=after_fork)
