"""Signed statements about the chain, kept in the database and, beside it, in a file of the data directory.

Whoever can write the database can recompute a chain of plain hashes, or cut its end off; without the key nobody can
make the statement that goes with it. The signature is an HMAC-SHA-256 by Django's signing with a key of its own
(`AUDIT_KEY`), because none of the project's dependencies brings public-key signatures; copy the file to a place that
the database's administrators cannot write, and truncation shows even if database and data directory are lost.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from portal.audit.models import AuditCheckpoint

SALT = "stagecraft.audit.checkpoint"
INTERVAL = timedelta(seconds=10)
GENESIS = "0" * 64


def make(seal: int, digest: str, *, bridges: dict[int, str] | None = None) -> AuditCheckpoint:
    """A checkpoint, signed and stored; an anchor of retention if `bridges` is given. `publish` writes the file."""
    made = AuditCheckpoint(
        recorded_at=timezone.now(),
        kind=AuditCheckpoint.Kind.HEAD if bridges is None else AuditCheckpoint.Kind.ANCHOR,
        seal=seal,
        hash=digest,
        bridges={str(number): text for number, text in (bridges or {}).items()},
    )
    made.signature = signature_of(made)
    made.save()
    return made


def publish(made: AuditCheckpoint) -> None:
    """Append the checkpoint to the file. Called after its transaction has committed."""
    line = json.dumps({**statement_of(made), "signature": made.signature}, sort_keys=True) + "\n"
    descriptor = os.open(settings.AUDIT_CHECKPOINTS, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, line.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def statement_of(checkpoint: AuditCheckpoint) -> dict[str, Any]:
    """What is signed."""
    return {
        "recordedAt": checkpoint.recorded_at.astimezone(UTC).isoformat(timespec="microseconds"),
        "kind": str(checkpoint.kind),
        "seal": checkpoint.seal,
        "hash": checkpoint.hash,
        "bridges": checkpoint.bridges,
    }


def signature_of(checkpoint: AuditCheckpoint) -> str:
    text = json.dumps(statement_of(checkpoint), sort_keys=True)
    return salted_hmac(SALT, text, secret=settings.AUDIT_KEY, algorithm="sha256").hexdigest()


def is_genuine(checkpoint: AuditCheckpoint) -> bool:
    """Whether the holder of the key has made it."""
    return constant_time_compare(checkpoint.signature, signature_of(checkpoint))


def latest() -> AuditCheckpoint | None:
    """The newest checkpoint of the database."""
    return AuditCheckpoint.objects.order_by("-seal", "-id").first()


def latest_anchor() -> AuditCheckpoint | None:
    """Where the log begins, None if nothing has been dropped."""
    return AuditCheckpoint.objects.filter(kind=AuditCheckpoint.Kind.ANCHOR).order_by("-seal", "-id").first()


def in_file() -> Iterator[AuditCheckpoint | None]:
    """The checkpoints of the file, oldest first; None for a line that cannot be read."""
    try:
        lines = settings.AUDIT_CHECKPOINTS.read_text().splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        try:
            held = json.loads(line)
            yield AuditCheckpoint(
                recorded_at=datetime.fromisoformat(held["recordedAt"]),
                kind=held["kind"],
                seal=held["seal"],
                hash=held["hash"],
                bridges=held["bridges"],
                signature=held["signature"],
            )
        except (ValueError, KeyError, TypeError):
            yield None
