"""Keeping what anybody may do as it is until a change that was judged by it has been committed.

Between a decision and the commit of the change that it allowed lies time, in which somebody may take the right away.
`hold_policy` closes the gap, inside of the transaction that writes: it takes the one row that every change of rights
updates (`PolicyState`), shared with other writers, and reads the policy anew if it has moved since this request read
it. So a revocation either comes first and counts, or waits for the write and comes after it: once it has returned,
nothing that it forbids is committed. Whoever will change rights in the same transaction takes the row for itself from
the start, so that two such never wait for each other, and the last of two administrators sees that the first has gone.

On SQLite a transaction has the database to itself from its beginning, and only the reading is left to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from django.db import connection

from portal.access.engine import Access
from portal.access.subject import Subject
from portal.access.tables import tables
from portal.accounts.models import User


def hold_policy(access: Access, *, exclusively: bool = False) -> None:
    """Let nobody's rights change until the transaction ends, and `access` speak of them as they are now.

    `exclusively` is for those who change rights themselves. One query, and those of reading anew if anything has moved.
    """
    version = locked_version(exclusively=exclusively)
    if any(version != known for known in versions_of(access)):
        renew(access)


def locked_version(*, exclusively: bool) -> int:
    """The version of the policy, its row locked where the database locks rows."""
    quote = connection.ops.quote_name
    lock = ("FOR UPDATE" if exclusively else "FOR SHARE") if connection.vendor == "postgresql" else ""
    state = tables().state
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT version FROM {quote(state._meta.db_table)} WHERE id = 1 {lock}")  # noqa: S608
        row = cursor.fetchone()
    return 0 if row is None else int(row[0])


def versions_of(access: Access) -> Iterator[int]:
    """The versions at which the policies were read, of the subject and of whom it acts for; -1 if it was not."""
    subjects: Access | None = access
    while subjects is not None:
        held = subjects.__dict__.get("policy")
        yield -1 if held is None else held.version
        subjects = subjects.principal


def renew(access: Access) -> None:
    """Forget what was read: the next question reads the policy, and the user is the one of this moment."""
    for name in ("policy", "principal", "bounds"):
        access.__dict__.pop(name, None)
    access.subject = present(access.subject)


def present(subject: Subject) -> Subject:
    """The subject with what the database says of its user now; one whose user is gone may nothing."""
    if subject.user_id is None:
        return subject
    user = User.objects.filter(pk=subject.user_id).first()
    if user is None:
        return replace(subject, is_active=False)
    behind = None if subject.acting_for is None else present(subject.acting_for)
    return replace(
        subject,
        kind=user.principal_kind,
        is_active=user.is_usable,
        is_superuser=user.is_superuser,
        acting_for=behind,
    )
