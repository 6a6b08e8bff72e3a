"""The collector of cyclic garbage, told what a server process is like.

What start-up has loaded (code, models, routes, schemas) stays to the end, so it need not be looked at again and again;
and requests leave little that only the collector finds, so it may come more seldom. Most is seen of it by requests
that were stopped for a tenth of a second while everything was looked at.
"""

from __future__ import annotations

import gc

THRESHOLDS = (10_000, 20, 50)
"""Instead of 700, 10, 10: how many more objects are made than freed before the young ones are looked at, and so on."""


def settle() -> None:
    """To be called once everything is loaded, before the first request."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
