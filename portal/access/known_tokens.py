"""Access tokens that this process has looked up and that are still what they were, so that a request need not read the
token, its user, the user's owner and whom it acts for.

Only the digest of a token is kept, with its rows and the moment (`portal.access.moment`) at which they were read. The
database moves that with every change of a token or of an account that could matter here, so one that was revoked, or
whose user was shut out, is out at the next request of every process, as if nothing were kept. Ends by time are looked
at anew each time. After a minute everything is read anew in any case. Nothing is kept or taken within a transaction:
what it has written itself may be undone.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Any

from django.db import connection
from django.db.models.base import ModelState

from portal.access.moment import Moment, moment_now
from portal.access.tables import tables
from portal.accounts.models import AccessToken, digest_of, is_good, token_of
from portal.accounts.tokens import note_use

TOKENS_MAX = 5_000
SECONDS_MAX = 60.0
ASK_AGAIN_SECONDS = 60.0

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Held:
    token: AccessToken
    moment: Moment
    read_at: float


_held: OrderedDict[Key, Held] = OrderedDict()
_lock = Lock()
_counted: dict[str, tuple[bool, float]] = {}
"""Database → whether it counts changes of tokens, and when it was asked."""


def lookup(text: str) -> tuple[AccessToken | None, Moment | None]:
    """The token of that text if everybody involved is usable now, and the moment at which that was made sure of.

    One query for a token that is known, else two. The token is the caller's own copy.
    """
    now = moment_before_reading()
    if now is None:
        return used(token_of(text)), None
    key = (str(connection.settings_dict["NAME"]), digest_of(text))
    held = _held.get(key)
    if held is None or held.moment != now or time.monotonic() - held.read_at > SECONDS_MAX:
        read_at = time.monotonic()
        token = token_of(text)  # after the moment: what is changed between the two is another moment
        if token is None:
            return None, now
        held = Held(token, now, read_at)
        keep(key, held)
    return (None if used(held.token) is None else copied(held.token)), now


def moment_before_reading() -> Moment | None:
    """The moment, to be known before an account is read; None where none can be relied on."""
    if connection.in_atomic_block or not is_counted(str(connection.settings_dict["NAME"])):
        return None
    return moment_now()


def used(token: AccessToken | None) -> AccessToken | None:
    """The token if it is good now, with the note that it was used."""
    if token is None or not is_good(token):
        return None
    note_use(token)
    return token


def is_counted(name: str) -> bool:
    """Whether the database has the triggers that count: not before an installation has been migrated to have them."""
    known = _counted.get(name)
    if known is None or (not known[0] and time.monotonic() - known[1] > ASK_AGAIN_SECONDS):
        known = _counted[name] = (tables().is_counted(), time.monotonic())
    return known[0]


def keep(key: Key, held: Held) -> None:
    """Keep a token, and let go of those that were read the longest time ago."""
    with _lock:
        _held.pop(key, None)
        _held[key] = held
        while len(_held) > TOKENS_MAX:
            _held.popitem(last=False)


def copied(row: Any) -> Any:
    """A row and those that it leads to, for one request: what a request notes on a user (Django keeps permissions
    there) must not meet the next one."""
    copy = object.__new__(type(row))
    copy.__dict__.update(row.__dict__)
    state = copy._state = ModelState()
    state.adding, state.db = False, row._state.db
    state.fields_cache = {
        name: None if other is None else copied(other) for name, other in row._state.fields_cache.items()
    }
    return copy


def clear() -> None:
    """Let go of everything, as a process that has just begun."""
    with _lock:
        _held.clear()
        _counted.clear()
