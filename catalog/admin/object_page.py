"""What the page of one object shows beside its editor: conditions, references, rendered manifests, history."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.urls import NoReverseMatch, reverse

from catalog.compiler import yaml
from catalog.kinds.base import PlatformObject
from catalog.kinds.registry import BY_KIND
from catalog.manifests.rendered import rendered_of
from catalog.store import history
from catalog.store.models import ObjectReference
from catalog.store.references import referrers
from portal.access.engine import Access
from portal.access.explanation_text import lines_of
from portal.access.explanations import explain_object

RECENT = 15
LINKS_MAX = 50


@dataclass(frozen=True)
class Link:
    """Another object: its role, what it is, and its page if it exists."""

    role: str
    kind: str
    namespace: str
    name: str
    url: str = ""

    @property
    def label(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


def change_url(kind: str, identity: int) -> str:
    """The page of an object; "" for a kind without pages."""
    try:
        return reverse(f"admin:catalog_{kind.lower()}_change", args=[identity])
    except NoReverseMatch:
        return ""


def page_of(obj: PlatformObject, access: Access | None) -> dict[str, Any]:
    """Everything that the page's template needs, as far as the user may see it.

    A fixed number of queries, plus one for each kind that is named.
    """
    status = {key: value for key, value in obj.status.items() if key != "conditions"}
    return {
        "conditions": obj.status.get("conditions") or [],
        "status_yaml": yaml.dump(status) if status else "",
        "names": named_by(obj, access),
        "named_in": naming(obj, access),
        "rendered": [
            {
                "release": item.release,
                "url": change_url("RenderedRelease", item.release.pk),
                "plane": item.target_plane,
                "objects": [
                    {
                        "row": row,
                        "yaml": yaml.dump(row.manifest.body),
                        "is_applied": row.applied_hash == row.manifest_id,
                    }
                    for row in item.objects
                ],
            }
            for item in rendered_of(obj)
        ],
        "revisions": recent_revisions(obj),
        "why": [] if access is None else why(access, obj),
    }


def why(access: Access, obj: PlatformObject) -> list[dict[str, Any]]:
    """What the user may do to the object and by what, or what would let them."""
    return [
        {**shown, "text": "\n".join(list(lines_of(shown))[1:])}
        for verb in ("view", "update", "delete")
        for shown in [explain_object(access, verb, obj)]
    ]


def recent_revisions(obj: PlatformObject) -> list[Any]:
    """The newest revisions of this name, newest first, without their documents."""
    rows = history(obj.kind, obj.namespace_name, obj.name).filter(uid=obj.uid).order_by("-sequence")
    return list(rows.defer("before", "after")[:RECENT])


def named_by(obj: PlatformObject, access: Access | None) -> list[Link]:
    """The objects that this one names, whether they exist or not."""
    rows = ObjectReference.objects.filter(source_kind=obj.kind, source_id=obj.pk).order_by("role", "target_name")
    found = [Link(row.role, row.target_kind, row.target_namespace, row.target_name) for row in rows[:LINKS_MAX]]
    return with_urls(found, access)


def with_urls(links: Iterable[Link], access: Access | None) -> list[Link]:
    """The links, with pages where there are objects that the user may see. One query for each kind."""
    links = list(links)
    names: dict[str, set[str]] = defaultdict(set)
    for link in links:
        names[link.kind].add(link.name)
    keys: dict[tuple[str, str, str], int] = {}
    for kind, wanted in names.items():
        if kind not in BY_KIND:
            continue
        model = BY_KIND[kind]
        columns = ["pk", "name", *(["namespace_id"] if model.namespaced else [])]
        rows = seen(access, model.objects.filter(name__in=wanted))
        for key, name, *namespace in rows.values_list(*columns):
            keys[kind, namespace[0] if namespace else "", name] = key
    return [
        Link(link.role, link.kind, link.namespace, link.name, change_url(link.kind, key) if key else "")
        for link in links
        for key in [keys.get((link.kind, link.namespace, link.name))]
    ]


def naming(obj: PlatformObject, access: Access | None) -> list[Link]:
    """The objects that name this one and that the user may see. One query for each kind."""
    rows = referrers(obj.kind, obj.namespace_name, obj.name).order_by("source_kind", "source_id")[:LINKS_MAX]
    by_kind: dict[str, dict[int, str]] = defaultdict(dict)
    for row in rows:
        by_kind[row.source_kind][row.source_id] = row.role
    found = []
    for kind, roles in by_kind.items():
        others = seen(access, BY_KIND[kind].objects.filter(pk__in=roles))
        for other in others.only(*identity_columns(kind)):
            found.append(Link(roles[other.pk], kind, other.namespace_name, other.name, change_url(kind, other.pk)))
    return found


def seen(access: Access | None, rows: Any) -> Any:
    return rows.none() if access is None else access.visible(rows)


def identity_columns(kind: str) -> list[str]:
    return ["pk", "name", *(["namespace_id"] if BY_KIND[kind].namespaced else [])]
