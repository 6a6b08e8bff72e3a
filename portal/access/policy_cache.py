"""Policies that this process has read and that are still true, so that a request need not read thousands of grants.

A policy is kept under what its subject is known by, with the name of the moment that it was read at: the version, which
the database moves with every change of anybody's rights, and the random name of the roles. Each `Access` asks the
database for that name; only if it is still the same the policy is taken from here. So a revocation counts for the next
request of every process, as if nothing were kept. A policy also ends when the first of its grants ends, and after a
minute in any case, in case a database was put back to an earlier state under a running server.

Nothing is kept or taken within a transaction: what it has written itself may be undone, and its version be given again.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from django.utils import timezone

from portal.access.policy import Policy, load_policy
from portal.access.subject import Subject
from portal.access.tables import tables

RULES_MAX = 100_000
"""How many rules are kept at most, of all policies: some forty megabytes."""
SECONDS_MAX = 60.0

Key = tuple[str, int | None, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Held:
    policy: Policy
    read_at: float


_held: OrderedDict[Key, Held] = OrderedDict()
_lock = threading.Lock()
_count = [0]


def policy_of(subject: Subject) -> Policy:
    """What the subject has been given or refused now. One query: of the state if that is enough, else of the policy."""
    if connection.in_atomic_block:
        return load_policy(subject)
    key = (str(connection.settings_dict["NAME"]), subject.user_id, subject.entitlements)
    held = _held.get(key)
    if held is not None and is_true(held):
        return held.policy
    started = time.monotonic()
    policy = load_policy(subject)
    keep(key, Held(policy, started))
    return policy


def is_true(held: Held) -> bool:
    """Whether nothing has changed since. One query, unless time alone has ended it."""
    policy = held.policy
    if time.monotonic() - held.read_at > SECONDS_MAX:
        return False
    if policy.ends_at is not None and policy.ends_at <= timezone.now():
        return False
    table = connection.ops.quote_name(tables().state._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT version, CAST(roles AS TEXT) FROM {table} WHERE id = 1")  # noqa: S608 - our own name
        row = cursor.fetchone()
    return row is not None and row[0] == policy.version and UUID(row[1]) == UUID(policy.roles)


def keep(key: Key, held: Held) -> None:
    """Keep a policy, and let go of those that were read the longest time ago. One without a state is not kept."""
    size = len(held.policy.rules) + 1
    if not held.policy.roles or size > RULES_MAX // 4:
        return
    with _lock:
        forget(key)
        _held[key] = held
        _count[0] += size
        while _count[0] > RULES_MAX:
            forget(next(iter(_held)))


def forget(key: Key) -> None:
    """Let go of one policy; the lock is held."""
    old = _held.pop(key, None)
    if old is not None:
        _count[0] -= len(old.policy.rules) + 1


def clear() -> None:
    """Let go of everything, as a process that has just begun."""
    with _lock:
        _held.clear()
        _count[0] = 0
