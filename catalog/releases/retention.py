"""Old releases go: those beyond a number and beyond an age, save what is in use or may be returned to.

In use is what a binding names, in whatever state; what an environment ran lately (`ROLLBACK_STEPS`), so that there is a
way back; the newest release, which auto-deploy and `generate-release` count from; and what is annotated
`stagecraft.dev/keep: "true"`. A release that was dropped is in the log and can be undeleted like anything else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from catalog import store
from catalog.kinds.base import PlatformObject
from catalog.kinds.component_release import ComponentRelease
from catalog.kinds.project_release import ProjectRelease
from catalog.kinds.registry import BY_KIND
from catalog.kinds.resource_release import ResourceRelease
from portal.accounts.actor import Actor, system

ACTOR = system("release-retention")
KEEP = "stagecraft.dev/keep"
ROLLBACK_STEPS = 5
OWNERS: dict[type[PlatformObject], tuple[str, str, str]] = {
    ComponentRelease: ("component", "ReleaseBinding", "releaseName"),
    ProjectRelease: ("project", "ProjectReleaseBinding", "projectRelease"),
    ResourceRelease: ("resource", "ResourceReleaseBinding", "resourceRelease"),
}
"""Of each kind of release: its owner's foreign key, and the binding that names it by which field."""


def superfluous(now: datetime | None = None) -> Iterator[PlatformObject]:
    """The releases that may go now. What is in use is asked only of owners who have too many."""
    keep, days = settings.RELEASES_KEEP, settings.RELEASES_KEEP_DAYS
    if not keep:
        return
    oldest = (now or timezone.now()) - timedelta(days=days)
    for model, (owner, binding_kind, field) in OWNERS.items():
        by_owner: dict[Any, list[PlatformObject]] = defaultdict(list)
        rows: Any = model.objects.system("retention").filter(deleted_at=None).defer("spec")
        for row in rows.order_by("-created_at", "-id").iterator(chunk_size=500):
            by_owner[getattr(row, f"{owner}_id")].append(row)
        for identity, releases in by_owner.items():
            old = [release for release in releases[keep:] if release.created_at < oldest and not is_kept(release)]
            if old:
                used = names_in_use(binding_kind, field, owner, identity)
                yield from (release for release in old if release.name not in used)


def is_kept(release: PlatformObject) -> bool:
    """Whether somebody has asked for it."""
    return str(release.annotations.get(KEEP, "")).lower() == "true"


def names_in_use(binding_kind: str, field: str, owner: str, identity: Any) -> set[str]:
    """What the bindings of an owner name, and what each has named lately. Those of an owner that is gone: of any."""
    rows: Any = BY_KIND[binding_kind].objects.system("retention").filter(**{f"{owner}_id": identity})
    found: set[str] = set()
    for binding in rows:
        found |= {binding.spec.get(field) or "", *recently_named(binding, field)}
    return found


def recently_named(binding: PlatformObject, field: str) -> list[str]:
    """The releases that a binding has named, the latest first, as many as may be returned to."""
    names: dict[str, None] = {}
    revisions = store.history(binding.kind, binding.namespace_name, binding.name).filter(uid=binding.uid)
    for document in revisions.order_by("-sequence").values_list("after", flat=True).iterator(chunk_size=50):
        name = ((document or {}).get("spec") or {}).get(field)
        if name:
            names[name] = None
        if len(names) > ROLLBACK_STEPS:
            break
    return list(names)


def prune(actor: Actor = ACTOR) -> list[str]:
    """Drop them. Returns what went, as `kind namespace/name`."""
    gone = []
    for release in list(superfluous()):
        try:
            store.delete(release.kind, release.namespace_name, release.name, actor)
        except store.NotFound:
            continue
        gone.append(f"{release.kind} {release.namespace_name}/{release.name}")
    return gone
