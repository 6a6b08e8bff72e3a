"""Documents as they stood at a point of the log, and how long objects have borne a name.

Everything is asked for in batches: the number of queries does not follow the number of documents.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Max

from catalog.access.hierarchy import place_of
from catalog.kinds.base import Document
from catalog.kinds.registry import kind_named
from catalog.store.models import LogHorizon, Revision
from portal.access.place import Place

REASON = "who might do what at a past moment"
Action = Revision.Action
Name = tuple[str, str, str]
"""Kind, namespace and name."""


def sequence_at(moment: datetime) -> int:
    """The last row of the log at a moment, 0 if there was none."""
    rows = Revision.objects.system(REASON).filter(recorded_at__lte=moment)
    return rows.aggregate(last=Max("sequence"))["last"] or 0


def log_begins() -> int:
    """The first row that is still there."""
    return LogHorizon.objects.filter(id=1).values_list("oldest_sequence", flat=True).first() or 1


@dataclass(frozen=True, slots=True)
class Life:
    """One object under a name: from which row of the log to which (None if it is there still)."""

    uid: UUID
    born: int
    gone: int | None
    place: Place

    def covers(self, sequence: int) -> bool:
        return self.born <= sequence and (self.gone is None or sequence < self.gone)


@dataclass(frozen=True, slots=True)
class Written:
    """A document as it stood, and the row of the log that gave it its spec."""

    uid: UUID
    sequence: int
    document: Document


class Log:
    """The log up to one row. `until` is the moment of all answers."""

    def __init__(self, until: int) -> None:
        self.until = until
        self._lives: dict[Name, list[Life]] = {}

    def documents(self, kinds: Collection[str], **where: Any) -> list[Written]:
        """The documents of these kinds that were there, among objects that have ever met a condition."""
        rows = Revision.objects.system(REASON).filter(kind__in=kinds, sequence__lte=self.until)
        rows = rows.exclude(action=Action.STATUS)
        if where:
            uids = rows.filter(**where).order_by().values_list("uid", flat=True).distinct()
            rows = rows.filter(uid__in=list(uids))
        by_uid: dict[UUID, list[Revision]] = defaultdict(list)
        for row in rows.order_by("sequence"):
            by_uid[row.uid].append(row)
        return [written for rows in by_uid.values() if (written := last_written(rows)) is not None]

    def lives(self, names: Iterable[Name]) -> dict[Name, list[Life]]:
        """How long objects have borne these names, oldest first; those that came later are not among them."""
        names = set(names)
        for kind in {kind for kind, _, _ in names}:
            wanted = {name for name in names if name[0] == kind} - self._lives.keys()
            self._read(kind, wanted)
        return {name: self._lives.get(name, []) for name in names}

    def _read(self, kind: str, names: set[Name]) -> None:
        if not names:
            return
        for name in names:
            self._lives[name] = []
        rows = Revision.objects.system(REASON).filter(
            kind=kind,
            name__in=sorted({name for _, _, name in names}),
            sequence__lte=self.until,
            action__in=[Action.CREATED, Action.DELETED],
        )
        for row in rows.order_by("sequence"):
            held = self._lives.get((kind, row.namespace, row.name))
            if held is None:
                continue
            if row.action == Action.CREATED:
                held.append(Life(row.uid, row.sequence, None, place_in(kind, row)))
            elif held and held[-1].uid == row.uid:
                held[-1] = Life(row.uid, held[-1].born, row.sequence, held[-1].place)

    def place_of_uid(self, uid: UUID | None) -> Place | None:
        """The place of the object of that uid, None if it was not there."""
        rows = Revision.objects.system(REASON).filter(uid=uid, sequence__lte=self.until)
        rows = rows.filter(action__in=[Action.CREATED, Action.DELETED])
        last = None if uid is None else rows.last()
        return None if last is None or last.action == Action.DELETED else place_in(last.kind, last)

    def life_now(self, name: Name) -> Life | None:
        """The object that bore a name at the moment."""
        return next((life for life in self.lives([name])[name] if life.covers(self.until)), None)


def place_in(kind: str, row: Revision) -> Place:
    """Where a scope object was made: owners do not change."""
    document: Document = row.after or {}
    return place_of(kind, row.namespace, row.name, document.get("spec"), document.get("metadata", {}).get("labels"))


def last_written(rows: list[Revision]) -> Written | None:
    """What the rows of one object end in; None if it had gone."""
    if rows[-1].after is None:
        return None
    sequence = rows[0].sequence
    for row in rows:
        if row.before is None or (row.after or {}).get("spec") != row.before.get("spec"):
            sequence = row.sequence
    document: dict[str, Any] = dict(rows[-1].after)
    if "spec" in document:
        document["spec"] = kind_named(rows[-1].kind).unpack_spec(document["spec"])
    return Written(rows[0].uid, sequence, document)
