"""Announcing changes: who wants to know registers here, and hears of each change inside its transaction.

The reconcilers listen, so that "this object needs a look" is committed together with the change itself. Listeners
that only send messages do so with `transaction.on_commit`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from catalog.kinds.base import Document, PlatformObject
from catalog.store.models import Revision
from portal.accounts.actor import Actor


@dataclass(frozen=True, slots=True)
class Change:
    """One change: the row after it, what happened to it, and who did it.

    `action` is a `Revision.Action`. For "deleted" the row is gone from its table and `obj` is the last state.
    `before` is what the log keeps of the state before it (for "status" only `{"status": …}`), None on creation.
    """

    obj: PlatformObject
    action: str
    actor: Actor
    before: Document | None = None


Listener = Callable[[Change], None]
_listeners: list[Listener] = []


def listen(listener: Listener) -> Listener:
    """Register a listener for all changes; registering one twice is harmless."""
    if listener not in _listeners:
        _listeners.append(listener)
    return listener


def is_listening(listener: Listener) -> bool:
    """Whether that listener is registered."""
    return listener in _listeners


def announce(change: Change) -> None:
    """Tell every listener, in the order of registration."""
    for listener in _listeners:
        listener(change)


CommitListener = Callable[[list[Revision]], None]
_commit_listeners: list[CommitListener] = []


def listen_to_commits(listener: CommitListener) -> CommitListener:
    """Register for the revisions of each transaction, all at once, when nothing but the commit is left to do.

    The listener runs inside the transaction: what it raises undoes the changes. Rehearsals never get there.
    """
    if listener not in _commit_listeners:
        _commit_listeners.append(listener)
    return listener


def announce_commit(entries: list[Revision]) -> None:
    """Tell every listener what is about to be committed."""
    if entries:
        for listener in _commit_listeners:
            listener(entries)
