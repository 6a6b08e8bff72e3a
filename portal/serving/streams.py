"""Room for streams: how many may be open in one server process, and how many of them for one subject.

Each stream of a WSGI server keeps one of its threads. `STREAMS_MAX` must leave threads for requests (the commands of
the guide do), and no subject may take all the room.
"""

from __future__ import annotations

import threading
from collections import Counter

from django.conf import settings

RETRY_SECONDS = 5


class NoRoom(Exception):
    """The stream cannot be opened now. `is_own` tells whether it is the subject's own streams that are too many."""

    def __init__(self, text: str, *, is_own: bool) -> None:
        super().__init__(text)
        self.is_own = is_own


_lock = threading.RLock()  # a collection of garbage may leave a room while another is taken
_open: Counter[str] = Counter()


class Room:
    """The room of one stream, taken at once and given back by `leave`, however often that is called."""

    def __init__(self, subject: str) -> None:
        self.subject = subject
        self._is_taken = False
        with _lock:
            if _open[subject] >= settings.STREAMS_PER_SUBJECT:
                raise NoRoom(
                    f"{subject} has {_open[subject]} streams open here, which is the limit (STREAMS_PER_SUBJECT): "
                    "close one, or let several readers share one",
                    is_own=True,
                )
            if _open.total() >= settings.STREAMS_MAX:
                raise NoRoom(
                    f"this server has {_open.total()} streams open, which is its limit (STREAMS_MAX): try again later, "
                    "or ask GET /api/stagecraft/v1/changes now and then",
                    is_own=False,
                )
            _open[subject] += 1
            self._is_taken = True

    def leave(self) -> None:
        """Give the room back."""
        with _lock:
            if self._is_taken:
                self._is_taken = False
                _open[self.subject] -= 1
                if not _open[self.subject]:
                    del _open[self.subject]

    def __del__(self) -> None:
        # A stream that its server never began to read ends without running a line.
        self.leave()


def open_streams() -> int:
    """How many streams this process has open."""
    with _lock:
        return _open.total()
