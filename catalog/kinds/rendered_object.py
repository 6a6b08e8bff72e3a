"""The Kubernetes objects of a rendered release: one row each, with what is wanted, what was applied and what was seen.

Manifests are kept once per content and found by their hash. `RenderedRelease` writes the wanted side (`pack`,
`bring_in_step`) when it is stored; `catalog.delivery` reads the rows and fills in the applied and observed columns.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from django.db import models
from django.db.models import F

from catalog.kinds.base import DocumentField, JSONValue
from portal.access.doors import ProtectedManager

PackedResource = Mapping[str, Any]
"""`{"id": …, "hash": …}`: an entry of a rendered release's spec as it is stored."""

Identity = tuple[str, str, str, str]
"""Group, kind, namespace and name: what makes two manifests mean the same object, whatever their version."""


class Manifest(models.Model):
    """A manifest's content. Never changed; the same content of many releases and revisions is one row."""

    hash = models.CharField(max_length=64, primary_key=True)
    body = DocumentField()

    objects = ProtectedManager()

    def __str__(self) -> str:
        return self.hash


class RenderedObject(models.Model):
    """One object of a rendered release."""

    rendered_release = models.ForeignKey(
        "catalog.RenderedRelease", on_delete=models.CASCADE, related_name="rendered_objects"
    )
    position = models.PositiveIntegerField()
    """The place in `spec.resources`: objects are applied in this order."""
    resource_id = models.TextField()
    """Which template made it; a loop makes several objects of one id."""
    manifest = models.ForeignKey(Manifest, on_delete=models.PROTECT, related_name="+")
    """What is wanted; its key is the hash to compare with `applied_hash`."""
    group = models.TextField(blank=True)
    version = models.TextField(blank=True)
    kind = models.TextField(blank=True)
    namespace = models.TextField(blank=True)
    name = models.TextField(blank=True)
    applied_hash = models.CharField(max_length=64, blank=True)
    applied_at = models.DateTimeField(null=True, blank=True)
    apply_error = models.TextField(blank=True)
    health = models.CharField(max_length=31, blank=True)
    observed = DocumentField(null=True, blank=True)
    observed_at = models.DateTimeField(null=True, blank=True)
    seen_digest = models.CharField(max_length=32, blank=True)
    """Of our part of the object as the plane took it; "" on planes that do not observe."""
    live_digest = models.CharField(max_length=32, blank=True)
    """The same of the object as it was last seen: another one is drift, "" means that it is gone."""
    live_version = models.BigIntegerField(default=0)
    """The plane's version (Kubernetes' resourceVersion) that was last seen: news that is older is none."""

    objects = ProtectedManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rendered_release", "position"], name="unique_renderedobject"),
        ]
        ordering = ["rendered_release_id", "position"]

    def __str__(self) -> str:
        where = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind} {where}{self.name}"

    @property
    def identity(self) -> Identity:
        """What stays the same when the manifest changes."""
        return (self.group, self.kind, self.namespace, self.name)


def manifest_hash(body: JSONValue) -> str:
    """The SHA-256, in hexadecimal, of the manifest as JSON with sorted keys."""
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()


def pack(resources: Iterable[Mapping[str, Any]]) -> list[PackedResource]:
    """Store the manifests that are not stored yet and return the entries with hashes in their place. Two queries."""
    bodies: dict[str, JSONValue] = {}
    packed: list[PackedResource] = []
    for resource in resources:
        found = manifest_hash(resource["object"])
        bodies[found] = resource["object"]
        packed.append({"id": resource["id"], "hash": found})
    held = set(Manifest.objects.system("store").filter(hash__in=bodies).values_list("hash", flat=True))
    missing = [Manifest(hash=key, body=body) for key, body in bodies.items() if key not in held]
    # Another transaction may store the same content in the same moment.
    Manifest.objects.system("store").bulk_create(missing, ignore_conflicts=True)
    return packed


def unpack(packed: Iterable[PackedResource]) -> list[dict[str, Any]]:
    """The inverse of `pack`. One query."""
    entries = list(packed)
    bodies = bodies_of(entry["hash"] for entry in entries)
    return [{"id": entry["id"], "object": bodies[entry["hash"]]} for entry in entries]


def bodies_of(hashes: Iterable[str]) -> dict[str, JSONValue]:
    """The contents of manifests by hash."""
    return dict(Manifest.objects.system("store").filter(hash__in=set(hashes)).values_list("hash", "body"))


def describe(body: JSONValue) -> dict[str, str]:
    """The columns that say which object a manifest means; what it does not say is ""."""
    manifest = body if isinstance(body, dict) else {}
    group, _, version = str(manifest.get("apiVersion") or "").rpartition("/")
    metadata = manifest.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    return {
        "group": group,
        "version": version,
        "kind": str(manifest.get("kind") or ""),
        "namespace": str(metadata.get("namespace") or ""),
        "name": str(metadata.get("name") or ""),
    }


def bring_in_step(rendered_release_id: int, packed: Sequence[PackedResource], *, created: bool) -> None:
    """Make the rows of a rendered release those that its spec wants, within the caller's transaction.

    An object that stays, by group, kind, namespace and name, keeps its row with what was applied and observed, also
    when its manifest, its version or its position changes. At most six queries, however many objects there are.
    """
    rows = (
        [] if created else list(RenderedObject.objects.system("store").filter(rendered_release_id=rendered_release_id))
    )
    held: dict[Identity, list[RenderedObject]] = defaultdict(list)
    for row in rows:
        held[row.identity].append(row)
    bodies = bodies_of(entry["hash"] for entry in packed)
    new: list[RenderedObject] = []
    changed: list[RenderedObject] = []
    moved: list[int] = []
    for position, entry in enumerate(packed):
        described = describe(bodies[entry["hash"]])
        wanted = {"position": position, "resource_id": entry["id"], "manifest_id": entry["hash"], **described}
        same = held[described["group"], described["kind"], described["namespace"], described["name"]]
        if not same:
            new.append(RenderedObject(rendered_release_id=rendered_release_id, **wanted))
            continue
        row = same.pop(0)
        if row.position != position:
            moved.append(row.pk)
        if any(getattr(row, column) != value for column, value in wanted.items()):
            for column, value in wanted.items():
                setattr(row, column, value)
            changed.append(row)
    gone = [row.pk for left in held.values() for row in left]
    if gone:
        RenderedObject.objects.system("store").filter(pk__in=gone).delete()
    if moved:
        # Positions are unique at every moment: those that move first leave the range that is in use.
        out_of_reach = len(rows) + len(packed)
        RenderedObject.objects.system("store").filter(pk__in=moved).update(position=F("position") + out_of_reach)
    if changed:
        RenderedObject.objects.system("store").bulk_update(changed, ["position", "resource_id", "manifest", "version"])
    if new:
        RenderedObject.objects.system("store").bulk_create(new)
