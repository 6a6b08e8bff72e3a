"""In every worker: what has expired is cleaned away. Many workers may do it; each removal looks again under a lock."""

from __future__ import annotations

import logging

from catalog.access import expiry
from portal.periodic import in_every_worker

log = logging.getLogger("stagecraft.access")
EVERY = 600.0  # seconds


def clean() -> None:
    if count := expiry.clean():
        log.info("%s expired grants and bindings were removed", count)


in_every_worker("access-cleaner", lambda: EVERY, clean)
