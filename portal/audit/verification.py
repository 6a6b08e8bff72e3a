"""`audit verify`: reads the whole chain and names the first place where it is broken.

Found are: an event whose content was changed, a number that is missing, an order that was changed, an end that was
cut off (by a checkpoint that knows more), and a checkpoint that nobody with the key has made.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from portal.audit import checkpoints
from portal.audit.models import AuditCheckpoint, AuditEvent
from portal.audit.sealing import HASHED, link, unsealed

LATE = timedelta(minutes=1)


@dataclass(frozen=True)
class Verdict:
    """`problem` is "" if the log is whole. `events` were verified, up to `seal`; `pending` are not sealed yet."""

    problem: str
    events: int
    seal: int
    pending: int
    warning: str = ""

    @property
    def is_whole(self) -> bool:
        return not self.problem


class Broken(Exception):
    """The first broken place, in words."""


def verify() -> Verdict:
    """Check every event and every checkpoint, of the database and of the file."""
    walk = _Walk()
    try:
        walk.stated = list(genuine_checkpoints())
        walk.run()
        problem = ""
    except Broken as broken:
        problem = str(broken)
    pending = list(unsealed())
    late = bool(pending) and timezone.now() - pending[0] > LATE
    warning = f"{len(pending)} events wait for the sealer; is a worker running?" if late else ""
    return Verdict(problem, walk.events, walk.seal, len(pending), warning)


def genuine_checkpoints() -> Iterator[AuditCheckpoint]:
    """All checkpoints; raises `Broken` at one that is forged."""
    for held in AuditCheckpoint.objects.order_by("id"):
        if not checkpoints.is_genuine(held):
            raise Broken(f"the checkpoint at event {held.seal} in the database was not made with this AUDIT_KEY")
        yield held
    for number, written in enumerate(checkpoints.in_file(), start=1):
        if written is None or not checkpoints.is_genuine(written):
            raise Broken(f"line {number} of the checkpoint file was not made with this AUDIT_KEY")
        yield written


class _Walk:
    """One pass over the chain."""

    def __init__(self) -> None:
        self.stated: list[AuditCheckpoint] = []
        self.events = 0
        self.seal = 0

    def run(self) -> None:
        anchors = [item for item in self.stated if item.kind == AuditCheckpoint.Kind.ANCHOR]
        anchor = max(anchors, key=lambda item: item.seal, default=None)
        bridges = {} if anchor is None else {int(number): text for number, text in anchor.bridges.items()}
        begin, digest = (0, checkpoints.GENESIS) if anchor is None else (anchor.seal, anchor.hash)
        statements: dict[int, str] = {}
        for item in self.stated:
            if item.seal > begin and statements.setdefault(item.seal, item.hash) != item.hash:
                raise Broken(f"two checkpoints disagree about event {item.seal}")
        self.seal = begin
        expected = begin
        for row in rows_in_order():
            number = row.pop("seal")
            held = row.pop("hash")
            if number <= begin:
                if number not in bridges:
                    raise Broken(f"event {number} ({row['id']}) stands before the log's beginning, or twice")
                previous = bridges.pop(number)
            else:
                expected += 1
                if number != expected:
                    what = "is missing" if number > expected else "stands twice"
                    raise Broken(f"event {min(expected, number)} {what} (before {row['id']})")
                previous, digest = digest, held
            if link(previous, number, row) != held:
                raise Broken(
                    f"event {number} ({row['id']}, {row['actor']} {row['action']}) or its place was changed: "
                    "its hash does not fit"
                )
            if statements.pop(number, held) != held:
                raise Broken(
                    f"event {number} ({row['id']}) is not the one that was sealed: a checkpoint says otherwise"
                )
            self.events += 1
            self.seal = max(self.seal, number)
        if bridges:
            raise Broken(f"event {min(bridges)} is missing, which retention had kept")
        if statements:
            raise Broken(f"the log was cut off after event {self.seal}: a checkpoint knows of event {max(statements)}")


def rows_in_order() -> Iterator[dict[str, object]]:
    """All sealed events by their number."""
    rows = AuditEvent.objects.system("verify").exclude(seal=None).order_by("seal", "id").values("seal", "hash", *HASHED)
    yield from rows.iterator(chunk_size=2000)
