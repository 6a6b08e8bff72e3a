"""Create, replace, read and delete secrets: the SecretReference by the store, the values by the plane's sink.

Each is one transaction and one event of the audit, with the change of the SecretReference below it. Whether somebody
may is the surfaces' question; they answer it by `permit`, which is asked within the transaction that writes, and
refuses by raising.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection
from django.db.models import F
from django.db.models.functions import Collate
from django.utils import timezone

from catalog import store
from catalog.kinds.base import PlatformObject
from catalog.kinds.secret_reference import SecretReference
from catalog.secrets import manifests
from catalog.secrets.sinks import OurTable, Sink, sink_for
from catalog.secrets.wanted import PlaneName, Values, WantedSecret
from catalog.store.changes import Change
from portal.accounts.actor import Actor
from portal.audit import operation as audit
from portal.secrets.models import HeldSecret

Permit = Callable[[], None]
DOOR = "secrets, whose surfaces ask for rights themselves"


class PlaneNotFound(LookupError):
    """The plane that the secret is for does not exist."""


class NoSecretStore(LookupError):
    """The plane names no store for secrets."""


@dataclass(frozen=True, slots=True)
class KeptSecret:
    """A secret that the platform keeps: its SecretReference, and the row that goes with it."""

    reference: SecretReference
    row: HeldSecret

    @property
    def is_git(self) -> bool:
        return is_git(self.reference)

    @property
    def plane(self) -> PlaneName:
        if self.is_git:
            labels = self.reference.labels
            return PlaneName(labels.get(manifests.PLANE_KIND, ""), labels.get(manifests.PLANE_NAME, ""))
        target = self.reference.spec["targetPlane"]
        return PlaneName(target["kind"], target["name"])

    @property
    def keys(self) -> list[str]:
        return sorted(entry["secretKey"] for entry in self.reference.spec["data"])

    def as_wanted(self, values: Values, labels: Mapping[str, str] | None = None) -> WantedSecret:
        """The secret as it is, with other values."""
        reference = self.reference
        return WantedSecret(
            reference.namespace_name,
            reference.name,
            reference.spec["template"]["type"],
            self.plane,
            values,
            reference.labels if labels is None else labels,
            self.is_git,
        )


def create(wanted: WantedSecret, actor: Actor, permit: Permit) -> KeptSecret:
    """A new secret. Raises `PlaneNotFound`, `NoSecretStore`, `StoreError` or `PlaneError`."""
    with event("create", wanted, actor), store.transaction():
        permit()
        if store.get_or_none("SecretReference", wanted.namespace, wanted.name) is not None:
            raise store.AlreadyExists("SecretReference", wanted.namespace, wanted.name)
        sink = sink_of(wanted)
        reference: Any = store.create(manifests.secret_reference(wanted), actor)
        row = HeldSecret(owner=reference.uid, namespace=wanted.namespace, name=wanted.name)
        row.sealed = sink.write(wanted, row)
        row.save(force_insert=True)
        return KeptSecret(reference, row)


def set_values(kept: KeptSecret, values: Values, labels: Mapping[str, str], actor: Actor, permit: Permit) -> KeptSecret:
    """Replace the values and the labels, both whole. Errors as for `create`."""
    wanted = kept.as_wanted(values, labels)
    with event("update", wanted, actor) as opened, store.transaction():
        permit()
        row = HeldSecret.objects.select_for_update().get(pk=kept.row.pk)
        sink = sink_of(wanted)
        document = manifests.secret_reference(wanted)
        held: Any = kept.reference
        document["metadata"]["annotations"] = held.annotations
        document["spec"] = {**held.spec, "data": document["spec"]["data"]}
        outcome = store.replace(document, actor)
        row.sealed = sink.write(wanted, row)
        row.version += 1
        row.changed_at = timezone.now()
        row.save()
        if outcome.action == "unchanged":
            # The reference is as it was, and yet something has changed.
            audit.conclude(opened, "success", None, {"version": row.version, "keys": sorted(values)})
        return replace(kept, reference=outcome.obj, row=row)  # type: ignore[arg-type]  # a row of that kind


def remove(kept: KeptSecret, actor: Actor, permit: Permit) -> None:
    """Delete the secret: its objects on the plane, its SecretReference, its row. A plane that is gone holds nothing."""
    wanted = kept.as_wanted({})
    with event("delete", wanted, actor), store.transaction():
        permit()
        try:
            sink: Sink | None = sink_of(wanted)
        except (PlaneNotFound, NoSecretStore):
            sink = None
        store.delete("SecretReference", wanted.namespace, wanted.name, actor)
        if sink is not None:
            sink.remove(wanted)


def values_of(kept: KeptSecret) -> Values | None:
    """The values of a secret; None if its plane has lost them. Raises `PlaneNotFound`, `PlaneError`, `CannotOpen`."""
    wanted = kept.as_wanted({})
    if kept.row.sealed:
        return OurTable("").read(wanted, kept.row)
    return sink_of(wanted).read(wanted, kept.row)


def note_of(kept: KeptSecret) -> str:
    """Where the values are, for people."""
    try:
        return sink_of(kept.as_wanted({})).note
    except (PlaneNotFound, NoSecretStore):
        return "held by Stagecraft, sealed: its plane is not there any more" if kept.row.sealed else "gone"


def find(namespace: str, name: str, *, git: bool = False) -> KeptSecret | None:
    """The secret of that name, or None. A SecretReference that somebody wrote by hand is none."""
    reference = SecretReference.objects.system(DOOR).filter(namespace_id=namespace, name=name).first()
    if reference is None or not (is_git(reference) if git else is_managed(reference)):
        return None
    row = HeldSecret.objects.filter(owner=reference.uid).first()
    return None if row is None else KeptSecret(reference, row)


def list_kept(namespace: str, *, git: bool = False, after: str = "", limit: int | None = None) -> list[KeptSecret]:
    """The secrets of a namespace, by name, those behind `after`."""
    # Names are ASCII; a database's own collation may sort "a-b" after "ab".
    key = Collate("name", "C") if connection.vendor == "postgresql" else F("name")
    rows = SecretReference.objects.system(DOOR).filter(namespace_id=namespace).annotate(key=key).order_by("key")
    rows = rows.filter(uid__in=HeldSecret.objects.filter(namespace=namespace).values("owner"))
    if after:
        rows = rows.filter(key__gt=after)
    belongs = is_git if git else is_managed
    found: list[SecretReference] = []
    for reference in rows.iterator(100):
        if belongs(reference):
            found.append(reference)
        if limit is not None and len(found) == limit:
            break
    held = {row.owner: row for row in HeldSecret.objects.filter(owner__in=[reference.uid for reference in found])}
    return [KeptSecret(reference, held[reference.uid]) for reference in found if reference.uid in held]


def is_managed(reference: SecretReference) -> bool:
    return reference.labels.get(manifests.MANAGED_BY) == manifests.MANAGER and "targetPlane" in reference.spec


def is_git(reference: SecretReference) -> bool:
    return bool(reference.labels.get(manifests.SECRET_TYPE) == manifests.GIT_CREDENTIALS)


def sink_of(wanted: WantedSecret) -> Sink:
    """Where the values belong, by the plane. Raises `PlaneNotFound`, `NoSecretStore` or `PlaneNotConfigured`."""
    kind = wanted.plane.kind
    namespace = "" if kind.startswith("Cluster") else wanted.namespace
    plane: PlatformObject | None = store.get_or_none(kind, namespace, wanted.plane.name)
    if plane is None:
        raise PlaneNotFound(f"{kind} {wanted.plane.name}")
    name = (plane.spec.get("secretStoreRef") or {}).get("name")
    if not name:
        raise NoSecretStore(f"{kind} {wanted.plane.name}")
    return sink_for(plane, name)


@contextmanager
def event(verb: str, wanted: WantedSecret, actor: Actor) -> Iterator[audit.Operation]:
    """The audit's frame of one change."""
    # Git credentials are given and taken with the rights of SecretReferences, by contract.
    action = f"secretreference:{verb}" if wanted.is_git else f"secret:{verb}"
    target = audit.Target("GitSecret" if wanted.is_git else "Secret", wanted.namespace, wanted.name)
    with audit.operation(actor, action, target, is_compound=True) as opened:
        yield opened


def forget_values(change: Change) -> None:
    """Listens to the store: a SecretReference that goes, by whatever way, takes its values along."""
    if change.action == "deleted" and change.obj.kind == "SecretReference":
        HeldSecret.objects.filter(owner=change.obj.uid).delete()
