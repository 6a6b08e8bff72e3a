"""In every worker: new events are sealed, and the months' partitions kept ahead. Workers take turns by a lock."""

from __future__ import annotations

import time

from django.conf import settings
from django.db import connection

from portal.audit import partitions, sealing
from portal.periodic import in_every_worker

PARTITIONS_EVERY = 3600.0  # seconds
_looked_at: list[float] = []
"""When this worker looked for partitions last."""


def seal() -> None:
    if connection.vendor == "postgresql" and (not _looked_at or time.monotonic() - _looked_at[0] > PARTITIONS_EVERY):
        with connection.cursor() as cursor:
            partitions.ensure_partitions(cursor)
        _looked_at[:] = [time.monotonic()]
    sealing.seal_pending()


in_every_worker("audit-sealer", lambda: settings.AUDIT_SEAL_SECONDS, seal, keeps_connection=True)
