"""Undelete: an object that was deleted comes back from the log, with what went with it.

What comes back is a new object of the old name: the same labels, annotations and spec, another uid. Grants that were
given on the old object are not inherited, since they belong to the old uid: who was removed from a project is not let
in again by its return. What controllers make (rendered releases) they make anew; runs stay gone. Values of secrets are
dropped with the object that held them and do not come back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from catalog import store
from catalog.kinds.base import Document, PlatformObject
from catalog.kinds.registry import BY_KIND
from catalog.manifests.belonging import had_belonged
from catalog.store.models import Revision
from portal.accounts.actor import Actor

NOT_BROUGHT_BACK = frozenset({"RenderedRelease", "WorkflowRun"})
FIRST = ("Namespace", "Environment", "Project", "Component", "Resource", "Workload")
"""Kinds in the order in which they come back; all others follow, bindings last."""
Permit = Callable[[type[PlatformObject], Document], None]


class NotUndeleted(ValueError):
    """Why it does not come back. The text says what to do instead."""


@dataclass(frozen=True, slots=True)
class Undeleted:
    """The object that came back, and all that came with it."""

    obj: PlatformObject
    others: list[PlatformObject]


@dataclass(frozen=True, slots=True)
class Deletion:
    """A deletion that can be undone: its row in the log, and who asked for it."""

    row: Revision
    by: str

    @property
    def until(self) -> datetime:
        return self.row.recorded_at + timedelta(days=settings.UNDELETE_DAYS)


def deletions(kind: str = "", namespace: str = "", *, limit: int = 200) -> list[Deletion]:
    """The deletions that can be undone, the newest first, one for each name.

    What controllers deleted because something else went comes back with that, and is left out.
    """
    rows = Revision.objects.system("undelete").filter(
        action=Revision.Action.DELETED, recorded_at__gte=timezone.now() - timedelta(days=settings.UNDELETE_DAYS)
    )
    rows = rows.filter(kind=kind) if kind else rows.exclude(kind__in=NOT_BROUGHT_BACK)
    rows = rows.filter(namespace=namespace) if namespace else rows
    newest = list(rows.order_by("-sequence").defer("after")[: limit * 5])
    asked = {
        uid: (actor, sort)
        for uid, actor, sort in Revision.objects.system("undelete")
        .filter(uid__in=[row.uid for row in newest], action=Revision.Action.DELETING)
        .values_list("uid", "actor", "actor_kind")
    }
    taken = taken_names(newest)
    found: dict[tuple[str, str, str], Deletion] = {}
    for row in newest:
        key = (row.kind, row.namespace, row.name)
        actor, sort = asked.get(row.uid, (row.actor, row.actor_kind))
        if sort != "system" and key not in found and row.kind in BY_KIND and key not in taken:
            found[key] = Deletion(row, actor)
    return list(found.values())[:limit]


def taken_names(rows: Iterable[Revision]) -> set[tuple[str, str, str]]:
    """Kind, namespace and name of those that are borne by objects now. One query for each kind."""
    names: dict[str, set[str]] = {}
    for row in rows:
        names.setdefault(row.kind, set()).add(row.name)
    taken: set[tuple[str, str, str]] = set()
    for kind in names.keys() & BY_KIND.keys():
        model = BY_KIND[kind]
        stored: Any = model.objects.system("undelete").filter(name__in=names[kind]).order_by()
        if model.namespaced:
            taken |= {(kind, namespace, name) for namespace, name in stored.values_list("namespace_id", "name")}
        else:
            taken |= {(kind, "", name) for name in stored.values_list("name", flat=True)}
    return taken


def undelete(kind: str, namespace: str, name: str, actor: Actor, permit: Permit | None = None) -> Undeleted:
    """Bring back the newest object of that name, and what went with it, in one transaction.

    `permit` is asked about each document before it is written. Raises `NotUndeleted`, a `StoreError`, or what `permit`
    raises.
    """
    gone = newest_deletion(kind, namespace, name)
    require_owner(gone)
    with store.transaction():
        if store.lock(kind, namespace, name) is not None:
            raise NotUndeleted(f"{kind} {name} is there again; delete or rename it first")
        documents = [document_of(gone), *(document_of(row) for row in gone_with(gone))]
        made = []
        for document in in_order_of_return(documents):
            model = BY_KIND[document["kind"]]
            metadata = document["metadata"]
            if store.get_or_none(model.kind, metadata.get("namespace", ""), metadata["name"]) is not None:
                continue  # made again meanwhile, by somebody or by a controller
            if permit is not None:
                permit(model, document)
            made.append(store.create(document, actor))
    first = next(obj for obj in made if (obj.kind, obj.name) == (kind, name))
    return Undeleted(first, [obj for obj in made if obj is not first])


def newest_deletion(kind: str, namespace: str, name: str) -> Revision:
    """The deletion to undo. Raises `NotUndeleted`."""
    if kind in NOT_BROUGHT_BACK:
        raise NotUndeleted(f"{kind}s are made by controllers and come back by themselves")
    held = store.get_or_none(kind, namespace, name)
    if held is not None:
        going = held.deleted_at is not None
        what = "is still being deleted; wait until it is gone" if going else "is there"
        raise NotUndeleted(f"{kind} {name} {what}")
    row = store.history(kind, namespace, name).filter(action=Revision.Action.DELETED).last()
    if row is None or row.before is None:
        raise NotUndeleted(f"no {kind} {name} was deleted" + (f" in namespace {namespace}" if namespace else ""))
    days: int = settings.UNDELETE_DAYS
    if row.recorded_at < timezone.now() - timedelta(days=days):
        raise NotUndeleted(
            f"{kind} {name} was deleted on {row.recorded_at:%Y-%m-%d}, and what was deleted comes back for {days} days "
            "(UNDELETE_DAYS); its last document is still in its history"
        )
    return row


def require_owner(gone: Revision) -> None:
    """What it belongs to is there. Raises `NotUndeleted`."""
    owner = ((gone.before or {}).get("spec") or {}).get("owner") or {}
    for kind, field in (("Project", "projectName"), ("Component", "componentName"), ("Resource", "resourceName")):
        name = owner.get(field)
        if name and store.get_or_none(kind, gone.namespace, name) is None:
            raise NotUndeleted(f"{gone.kind} {gone.name} belongs to {kind} {name}, which is gone: undelete that first")


def gone_with(gone: Revision) -> list[Revision]:
    """What controllers deleted because of it, between its being asked for and its end."""
    begun = store.history(gone.kind, gone.namespace, gone.name).filter(uid=gone.uid, action=Revision.Action.DELETING)
    first = begun.values_list("sequence", flat=True).first()
    if first is None:
        return []
    namespace = gone.name if gone.kind == "Namespace" else gone.namespace
    rows = Revision.objects.system("undelete").filter(
        namespace=namespace, action=Revision.Action.DELETED, sequence__gt=first, sequence__lt=gone.sequence,
    )  # fmt: skip
    belongs = had_belonged(gone.kind, gone.namespace, gone.name, unpacked(gone))
    wanted = (row for row in rows.order_by("sequence") if row.kind in BY_KIND and row.kind not in NOT_BROUGHT_BACK)
    return [row for row in wanted if row.before is not None and belongs(row.kind, row.namespace, row.before)]


def document_of(gone: Revision) -> Document:
    """What it was, as a document to be created."""
    document = unpacked(gone)
    metadata = document["metadata"]
    kept = {key: metadata[key] for key in ("name", "namespace", "labels", "annotations") if metadata.get(key)}
    return {
        "apiVersion": BY_KIND[gone.kind].api_version,
        "kind": gone.kind,
        "metadata": kept,
        **({"spec": document["spec"]} if "spec" in document else {}),
    }


def unpacked(gone: Revision) -> Document:
    """The last document, whole."""
    document: dict[str, Any] = dict(gone.before or {})
    if "spec" in document:
        document["spec"] = BY_KIND[gone.kind].unpack_spec(document["spec"])
    return document


def in_order_of_return(documents: Iterable[Document]) -> list[Document]:
    """Owners before what they own, releases before the bindings that name them."""

    def rank(document: Document) -> tuple[int, bool]:
        kind = document["kind"]
        return FIRST.index(kind) if kind in FIRST else len(FIRST), kind.endswith("Binding")

    return sorted(documents, key=rank)
