"""The feed of changes as one subject may see it: what watches, the changes feed and whatever follows them read.

    page = read_feed(access, position, Wanted(kinds=("Component",)))
    for seen in page.changes: …
    position = page.position               # go on from here; nothing is lost, and nothing comes twice

The order is that of commits (`catalog.store.log`). The position is the sequence of the last row that was looked at,
wanted and visible or not, so that a reader of little stays as near to the log's end as a reader of all. A position that
lies before the log's beginning, or behind its end, raises `Gone`: the reader must list anew.

Who may see a row is judged as in `catalog.access.revisions`: by what the object is now, or by its last document if it
is gone. Here that is done without SQL for each reader: the objects behind some rows are looked up once (`look_up`),
and any number of subjects are judged by what was found.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from catalog.access.hierarchy import attributes_of, place_of
from catalog.kinds.registry import BY_KIND
from catalog.store import log
from catalog.store.errors import Gone
from catalog.store.head import Head
from catalog.store.models import Revision
from portal.access import usage
from portal.access.engine import Access
from portal.access.place import Place
from portal.wire.selectors import Requirement

REASON = "the feed: each subject is judged for each row"
Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Seen:
    """A row of the log, and of its object what decides who may see it and who wants it."""

    row: Revision
    place: Place
    attributes: Mapping[str, str]
    labels: Labels
    """As they are after the change."""
    labels_before: Labels | None
    """As they were, None on creation."""

    @property
    def sequence(self) -> int:
        return self.row.sequence


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reader asks for; empty means all. A row counts if the labels met the requirements before or after it."""

    kinds: tuple[str, ...] = ()
    namespace: str = ""
    name: str = ""
    requirements: tuple[Requirement, ...] = ()

    def covers(self, seen: Seen) -> bool:
        row = seen.row
        return (
            (not self.kinds or row.kind in self.kinds)
            and (not self.namespace or row.namespace == self.namespace)
            and (not self.name or row.name == self.name)
            and (
                not self.requirements
                or self.selects(seen.labels)
                or (seen.labels_before is not None and self.selects(seen.labels_before))
            )
        )

    def selects(self, labels: Labels) -> bool:
        return all(requirement.matches(dict(labels)) for requirement in self.requirements)

    def is_left_by(self, seen: Seen) -> bool:
        """Whether the object has ceased to meet the requirements with this change, though it is still there."""
        return bool(self.requirements) and seen.row.action != Revision.Action.DELETED and not self.selects(seen.labels)


@dataclass(frozen=True, slots=True)
class Page:
    """Changes in order, and where to go on. `is_full`: there is more already."""

    changes: list[Seen]
    position: int
    is_full: bool = False


def read_feed(
    access: Access | Callable[[], Access], since: int, wanted: Wanted = Wanted(), *, limit: int = 100
) -> Page:
    """What came after `since` and the subject may see, from at most `limit` rows. Raises `Gone`.

    `access` may be a function, which is called only if there is something to judge.
    """
    kept = HEAD.after(since)
    if kept is not None:
        found, end = kept
        newer = [seen for seen in found if seen.sequence > since]
        if len(newer) > limit:
            newer, end = newer[:limit], newer[limit - 1].sequence
            return Page(judged(access, newer, wanted), end, is_full=True)
        return Page(judged(access, newer, wanted), max(end, since))
    newest = log.position()  # before the rows are read: nothing that is committed later may be counted as seen
    require_reached(since, newest)
    rows = log.changes_since(
        since, kinds=wanted.kinds or None, namespace=wanted.namespace or None, name=wanted.name or None, limit=limit
    )
    is_full = len(rows) == limit
    end = rows[-1].sequence if is_full else max([newest, *(row.sequence for row in rows)])
    return Page(judged(access, look_up(rows), wanted), end, is_full)


def require_reached(since: int, newest: int) -> None:
    """Refuse a position that this log has never had, such as after its database was put back. Raises `Gone`."""
    if since > newest:
        raise Gone(
            f"the log ends at {newest}; {since} is a position of another one, perhaps from before a backup was put "
            "back: list the objects and watch from there"
        )


def judged(access: Access | Callable[[], Access], found: Iterable[Seen], wanted: Wanted) -> list[Seen]:
    """Those that are wanted and may be seen."""
    relevant = [seen for seen in found if wanted.covers(seen)]
    if not relevant:
        return []
    asked = access if isinstance(access, Access) else access()
    return [seen for seen in relevant if may_see(asked, seen)]


def may_see(access: Access, seen: Seen) -> bool:
    """Whether the subject may see the object behind a row; the grant that lets it is noted as used."""
    action = f"{seen.row.kind.lower()}:view"
    decision = access.check(action, seen.place, seen.attributes)
    if decision.allowed and decision.rule is not None:
        usage.note(decision.rule, action)
    return decision.allowed


# The objects behind rows ----------------------------------------------------------------------------------------------


def look_up(rows: list[Revision]) -> list[Seen]:
    """The rows with what their objects are now. One query for each kind, and one for all that are gone."""
    by_kind: dict[str, set[UUID]] = defaultdict(set)
    for row in rows:
        if row.kind in BY_KIND:
            by_kind[row.kind].add(row.uid)
    known: dict[UUID, tuple[Any, Labels]] = {}
    for kind, uids in by_kind.items():
        stored: Any = BY_KIND[kind].objects.system(REASON).filter(uid__in=uids)
        for uid, spec, labels in stored.order_by().values_list("uid", "spec", "labels"):
            known[uid] = (spec, labels)
    if gone := {uid for uids in by_kind.values() for uid in uids} - known.keys():
        last = Revision.objects.system(REASON).filter(uid__in=gone, action=Revision.Action.DELETED)
        for uid, document in last.order_by().values_list("uid", "before"):
            known[uid] = ((document or {}).get("spec"), labels_in(document))
    return [seen_of(row, *known[row.uid]) for row in rows if row.uid in known]


def seen_of(row: Revision, spec: Any, labels: Labels) -> Seen:
    """A row, judged by the spec and the labels of its object as it is."""
    is_status = row.action == Revision.Action.STATUS
    return Seen(
        row,
        place_of(row.kind, row.namespace, row.name, spec, labels),
        attributes_of(row.kind, row.namespace, spec),
        labels if is_status or row.after is None else labels_in(row.after),
        labels if is_status else None if row.before is None else labels_in(row.before),
    )


def labels_in(document: Any) -> Labels:
    return (document or {}).get("metadata", {}).get("labels") or {}


HEAD = Head(look_up)
"""The end of the log, which all watches of this process share."""
