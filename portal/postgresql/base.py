"""A kept connection is looked at before each request.

Django sends `SELECT 1`, which costs a request of the API about as much as finding its object. A connection that the
server has ended, or on which anything has come since the last reply, can be seen from here; only then is it asked.
"""

from __future__ import annotations

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, but for the look at an idle connection."""

    def is_usable(self) -> bool:
        if self.connection is None:
            return False
        return is_idle(self.connection) or bool(super().is_usable())


def is_idle(connection: base.Database.Connection) -> bool:  # type: ignore[name-defined]
    """Whether the connection is open and has nothing to read: no reply, no notice, and no end."""
    if connection.closed or connection.broken:
        return False
    try:
        return not select.select([connection.pgconn.socket], [], [], 0)[0]
    except (OSError, ValueError):  # ValueError: a descriptor too high for select
        return False
