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

from django.db import connection
from django.utils import timezone

from portal.access.moment import Moment, moment_now
from portal.access.policy import Policy, load_policy
from portal.access.subject import Subject

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


def policy_of(subject: Subject, moment: Moment | None = None) -> Policy:
    """What the subject has been given or refused now. One query: of the state if that is enough, else of the policy.

    None at all for a request that knows which moment it is and whose policy is kept.
    """
    if connection.in_atomic_block:
        return load_policy(subject)
    key = key_of(subject)
    held = _held.get(key)
    if held is not None and is_true(held, moment):
        return held.policy
    started = time.monotonic()
    policy = load_policy(subject)
    keep(key, Held(policy, started))
    return policy


def kept(subject: Subject, moment: Moment) -> Policy | None:
    """The policy of that moment if it is kept. For a transaction that holds the moment and has changed no rights."""
    held = _held.get(key_of(subject))
    return held.policy if held is not None and is_true(held, moment) else None


def key_of(subject: Subject) -> Key:
    return str(connection.settings_dict["NAME"]), subject.user_id, subject.entitlements


def is_true(held: Held, moment: Moment | None) -> bool:
    """Whether nothing has changed since. One query if the moment is not known and time alone has not ended it."""
    policy = held.policy
    if time.monotonic() - held.read_at > SECONDS_MAX:
        return False
    if policy.ends_at is not None and policy.ends_at <= timezone.now():
        return False
    now = moment or moment_now()
    return now is not None and now == (policy.version, policy.roles)


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
