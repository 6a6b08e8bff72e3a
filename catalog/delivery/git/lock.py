"""One writer at a time on a machine, by a lock that the kernel frees when its holder dies.

It only saves work: what keeps a repository right is the compare-and-swap of the branch (`branch.Branch`), which also
holds against other machines and against people who push. So where the file system has no locks, we go on without.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from catalog.delivery.plane import PlaneError

FIRST_PAUSE, LONGEST_PAUSE = 0.001, 0.02  # seconds
NO_LOCKS_HERE = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)


@contextmanager
def locked(path: Path, patience: float) -> Iterator[None]:
    """Hold the lock. Raises `PlaneError` if it is not to be had within `patience` seconds."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        with suppress_missing_locks():
            wait_for(descriptor, path, patience)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def suppress_missing_locks() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in NO_LOCKS_HERE:
            raise


def wait_for(descriptor: int, path: Path, patience: float) -> None:
    deadline, pause = time.monotonic() + patience, FIRST_PAUSE
    while True:
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        if time.monotonic() > deadline:
            raise PlaneError(f"another process has held {path} for {patience:.0f} s; the delivery is tried again later")
        time.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE)
