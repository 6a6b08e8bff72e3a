"""A network of its own for a part of a test: joined to ours by one cable, which can be cut. Needs root.

with network_namespace() as network:
    with network.entered():
        cluster = start_cluster()      listens on a loopback that only this network has
    network.cut()
    network.mend()
"""

from __future__ import annotations

import ctypes
import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

CLONE_NEWNET = 0x40000000


@dataclass(frozen=True)
class Network:
    """`ours` and `theirs` are the addresses at the two ends of the cable."""

    name: str
    cable: str
    ours: str
    theirs: str

    @contextmanager
    def entered(self) -> Iterator[None]:
        """This thread, and the processes that it starts, are inside."""
        libc = ctypes.CDLL(None, use_errno=True)

        def go(path: Path) -> None:
            with path.open() as namespace:
                if libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), f"setns {path}")

        with Path("/proc/thread-self/ns/net").open() as outside:
            go(Path("/var/run/netns") / self.name)
            try:
                yield
            finally:
                assert libc.setns(outside.fileno(), CLONE_NEWNET) == 0

    def cut(self) -> None:
        """Nothing gets through any more, and nobody is told."""
        ip("link", "set", self.cable, "down")

    def mend(self) -> None:
        ip("link", "set", self.cable, "up")


@contextmanager
def network_namespace() -> Iterator[Network]:
    """Skips the test where it cannot be had."""
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    mark = secrets.token_hex(3)
    number = int(mark[:2], 16)
    found = Network(f"sc-{mark}", f"sc-{mark}-0", f"10.213.{number}.1", f"10.213.{number}.2")
    try:
        ip("netns", "add", found.name)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"this machine gives no network namespaces: {error}")
    try:
        inner = f"sc-{mark}-1"
        ip("link", "add", found.cable, "type", "veth", "peer", "name", inner, "netns", found.name)
        ip("addr", "add", f"{found.ours}/24", "dev", found.cable)
        ip("link", "set", found.cable, "up")
        for words in (
            ("addr", "add", f"{found.theirs}/24", "dev", inner), ("link", "set", inner, "up"),
            ("link", "set", "lo", "up"),
        ):  # fmt: skip
            ip("-n", found.name, *words)
        yield found
    finally:
        subprocess.run(["ip", "link", "del", found.cable], capture_output=True, check=False)
        ip("netns", "del", found.name)


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
