"""A moment in the past as the engine sees it: the rights of then, the records behind them, and what is not known.

This layer has no documents to look into; the one that has them gives a `Past` for a user and a moment
(`portal.access.tables.Tables.as_of`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from portal.access.engine import Access
from portal.access.explanations import Records


@dataclass(frozen=True)
class Past:
    """What a subject might do at a moment."""

    at: datetime
    access: Access
    records: Records
    notes: tuple[str, ...]
    """What the record does not tell, in sentences."""
