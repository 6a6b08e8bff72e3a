"""Who may see which rows of the log: those of objects that they may see, or could see before these went.

An object is judged by what it is now. One that is gone is judged by its last document; objects of the same name that
came before or after it are others, and are judged by themselves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from catalog.access.hierarchy import attributes_of, place_of
from catalog.kinds.base import Document, PlatformObject
from catalog.kinds.registry import BY_KIND
from catalog.store.models import Revision
from portal.access.engine import Access


def is_visible_document(access: Access, model: type[PlatformObject], document: Document) -> bool:
    """Whether an object with that document may be seen."""
    metadata: Mapping[str, Any] = document["metadata"]
    namespace, spec = metadata.get("namespace", ""), document.get("spec")
    place = place_of(model.kind, namespace, metadata["name"], spec, metadata.get("labels"))
    return access.allows(f"{model.kind.lower()}:view", place, attributes_of(model.kind, namespace, spec))


def visible_uids(access: Access, model: type[PlatformObject], namespace: str, name: str) -> set[UUID]:
    """The objects that have borne a name and may be seen."""
    rows = Revision.objects.system("to judge each object").filter(kind=model.kind, namespace=namespace, name=name)
    uids = set(rows.order_by().values_list("uid", flat=True).distinct())
    return visible_of(access, model.kind, uids)


def visible_revisions(access: Access, rows: Iterable[Revision]) -> list[Revision]:
    """The rows whose objects may be seen, in their order."""
    rows = list(rows)
    if access.subject.breaks_glass:
        return rows
    by_kind: dict[str, set[UUID]] = defaultdict(set)
    for row in rows:
        by_kind[row.kind].add(row.uid)
    seen = {kind: visible_of(access, kind, uids) for kind, uids in by_kind.items()}
    return [row for row in rows if row.uid in seen[row.kind]]


def visible_of(access: Access, kind: str, uids: set[UUID]) -> set[UUID]:
    """Those of some objects, there or gone, that may be seen. Three queries at most."""
    model = BY_KIND.get(kind)
    if model is None or not uids:
        return set()
    if access.subject.breaks_glass:
        return uids
    stored: Any = model.objects.system("to judge each object").filter(uid__in=uids)
    found = set(access.visible(stored).order_by().values_list("uid", flat=True))
    gone = uids - set(stored.order_by().values_list("uid", flat=True))
    found.update(uid for uid, document in last_documents(gone) if is_visible_document(access, model, document))
    return found


def last_documents(uids: set[UUID]) -> list[tuple[UUID, Document]]:
    """What objects that are gone were at last."""
    if not uids:
        return []
    rows = Revision.objects.system("to judge each object").filter(uid__in=uids, action=Revision.Action.DELETED)
    return [(uid, before) for uid, before in rows.order_by().values_list("uid", "before") if before is not None]
