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

from portal.access import policy_cache
from portal.access.engine import Access
from portal.access.moment import Moment, moment_now
from portal.access.subject import Subject
from portal.accounts.models import User


def hold_policy(access: Access, *, exclusively: bool = False) -> None:
    """Let nobody's rights change until the transaction ends, and `access` speak of them as they are now.

    `exclusively` is for those who change rights themselves. One query, and those of reading anew if anything has moved.
    """
    moment = locked_moment(exclusively=exclusively)
    version = 0 if moment is None else moment.version
    if moment is not None and access.moment == moment:
        take_kept_policies(access, moment)
    if any(version != known for known in versions_of(access)):
        renew(access)


def locked_moment(*, exclusively: bool) -> Moment | None:
    """The moment that it is, its row locked where the database locks rows."""
    lock = (" FOR UPDATE" if exclusively else " FOR SHARE") if connection.vendor == "postgresql" else ""
    return moment_now(lock)


def take_kept_policies(access: Access, moment: Moment) -> None:
    """Nothing has moved since the request began, so what this process keeps of that moment needs no reading."""
    for each in subjects_of(access):
        if "policy" not in each.__dict__ and (kept := policy_cache.kept(each.subject, moment)) is not None:
            each.policy = kept


def versions_of(access: Access) -> Iterator[int]:
    """The versions at which the policies were read, of the subject and of whom it acts for; -1 if it was not. Who needs
    no grant is known by the moment at which their credential was made sure of."""
    for each in subjects_of(access):
        held = each.__dict__.get("policy")
        if held is not None:
            yield held.version
        elif each.subject.needs_no_grant and each.moment is not None:
            yield each.moment.version
        else:
            yield -1


def subjects_of(access: Access) -> Iterator[Access]:
    """The subject's rights and those of whom it acts for."""
    each: Access | None = access
    while each is not None:
        yield each
        each = each.principal


def renew(access: Access) -> None:
    """Forget what was read: the next question reads the policy, and the user is the one of this moment."""
    for name in ("policy", "principal", "bounds"):
        access.__dict__.pop(name, None)
    access.moment = None
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
