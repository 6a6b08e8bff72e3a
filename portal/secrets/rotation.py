"""A new key for all that is sealed: every data key is sealed anew, no text is opened.

Safe while servers run: each row is changed only if it still holds what was read, and what a server seals meanwhile with
the old key is found by the next round.
"""

from __future__ import annotations

from collections import Counter

from portal.secrets.columns import SealedColumn, sealed_columns
from portal.secrets.envelope import CannotOpen, key_id_of, reseal

BATCH = 500


def reseal_everything() -> int:
    """Bring every sealed text under the key that seals now. Returns how many were brought."""
    return sum(_reseal_column(column) for column in sealed_columns())


def keys_in_use() -> Counter[str]:
    """How many sealed texts each key has."""
    held: Counter[str] = Counter()
    for column in sealed_columns():
        rows = column.model._base_manager.exclude(**{column.column: ""})
        for sealed in rows.values_list(column.column, flat=True).iterator(BATCH):
            held[key_id_of(sealed)] += 1
    return held


def _reseal_column(column: SealedColumn) -> int:
    rows = column.model._base_manager.exclude(**{column.column: ""})
    done = 0
    for row in rows.values("pk", column.column, *column.needs).iterator(BATCH):
        sealed = row[column.column]
        try:
            renewed = reseal(sealed, column.context_of(row))
        except CannotOpen as error:
            raise CannotOpen(f"{column} of the row {row['pk']}: {error}") from error
        if renewed != sealed:
            done += rows.filter(pk=row["pk"], **{column.column: sealed}).update(**{column.column: renewed})
    return done
