"""What takes drift away: the patch that removes what others have added and their claims to fields, and what to send.

Server-side apply sets what a manifest says and leaves what others have added: an environment variable, a port, an
annotation, a finalizer. Those are removed by a JSON patch first, which the server refuses if the object has changed
meanwhile. With them goes the editor's entry in the list of owners: a field that it also owned would survive the
release that drops it. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from catalog.compiler.documents import Document
from catalog.delivery.drift import Change, Difference
from catalog.delivery.field_owners import BEFORE, owners_of
from catalog.delivery.field_paths import FieldPath, is_below, pointer_to, without

RECREATED = frozenset(
    {
        ("apps", "Deployment"), ("apps", "DaemonSet"), ("apps", "ReplicaSet"), ("batch", "Job"), ("batch", "CronJob"),
        ("", "Service"), ("", "ConfigMap"), ("", "Secret"), ("", "ServiceAccount"), ("", "Pod"),
        ("networking.k8s.io", "NetworkPolicy"), ("networking.k8s.io", "Ingress"), ("policy", "PodDisruptionBudget"),
        ("autoscaling", "HorizontalPodAutoscaler"), ("gateway.networking.k8s.io", "HTTPRoute"),
        ("gateway.networking.k8s.io", "GRPCRoute"), ("rbac.authorization.k8s.io", "Role"),
        ("rbac.authorization.k8s.io", "RoleBinding"),
    }
)  # fmt: skip
"""Kinds that may be deleted and made again where a field that cannot be changed was changed: they hold no data.

A claim, a volume, a StatefulSet or a kind that we do not know is left to a person.
"""


def removal_patch(live: Document, differences: Iterable[Difference], ignored: Sequence[str] = ()) -> list[Document]:
    """The JSON patch (RFC 6902) that takes away what was added by hand and who did it; [] if nothing is to go.

    What `ignored` names stays, and so does its owner.
    """
    additions = [item for item in differences if item.change is Change.ADDED and not is_kept(item.path, ignored)]
    replaced = any(item.change is Change.OBJECT_REPLACED for item in differences)
    pointers = [pointer for item in additions if (pointer := pointer_to(live, item.steps)) is not None]
    kept = [item.manager for item in differences if is_kept(item.path, ignored) or item.change is Change.RESTARTED]
    dropped = [
        f"/metadata/managedFields/{owner.index}"
        for owner in owners_of(live)
        if (owner.is_hand or owner.manager == BEFORE) and owner.manager not in kept
    ]
    if not pointers and not dropped and not replaced:
        return []
    version = live["metadata"]["resourceVersion"]
    # The last first: an index must still mean what it meant.
    removals = [{"op": "remove", "path": path} for path in sorted({*pointers, *dropped}, key=order, reverse=True)]
    return [{"op": "test", "path": "/metadata/resourceVersion", "value": version}, *removals] if removals else []


def order(pointer: str) -> tuple[tuple[int, int | str], ...]:
    """Pointers in the order of the document, items of lists by number."""
    return tuple((0, int(part)) if part.isdecimal() else (1, part) for part in pointer.split("/"))


def is_kept(path: str, ignored: Sequence[str]) -> bool:
    return any(is_below(path, above) for above in ignored)


def left_alone(body: Document, live: Document | None, differences: Iterable[Difference], ignored: Sequence[str]) -> Any:
    """The manifest without the places that are to be ignored and that somebody else owns now.

    A place that still is ours stays in it: to leave it out would remove it.
    """
    if live is None or not ignored:
        return body
    owners = owners_of(live)
    for item in differences:
        if item.steps and is_kept(item.path, ignored) and not ours(item.steps, owners):
            body = without(body, item.steps)
    return body


def ours(path: FieldPath, owners: Iterable[Any]) -> bool:
    return any(owner.is_ours and owner.owns(path) for owner in owners)


def may_recreate(group: str, kind: str) -> bool:
    return (group, kind) in RECREATED


def describe(differences: Sequence[Difference]) -> str:
    """Some differences in a line for a log: `spec.replicas changed by hand (kubectl-edit)`."""
    return "; ".join(
        f"{item.path or 'the object'} {item.change}" + (f" ({item.manager})" if item.manager else "")
        for item in differences
    )
