"""In which order objects go to a cluster: what others need comes first, and goes last.

Within a rank the order does not matter to Kubernetes, so objects of one rank are sent side by side.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TypeVar

from catalog.delivery.plane import ObjectKey, OwnedObject, WantedObject

RANKS: tuple[frozenset[tuple[str, str]], ...] = (
    frozenset({("", "Namespace"), ("apiextensions.k8s.io", "CustomResourceDefinition")}),
    frozenset({
        ("", "ServiceAccount"), ("", "ResourceQuota"), ("", "LimitRange"), ("", "ConfigMap"), ("", "Secret"),
        ("", "PersistentVolumeClaim"), ("external-secrets.io", "SecretStore"),
        ("external-secrets.io", "ExternalSecret"),
        ("rbac.authorization.k8s.io", "Role"), ("rbac.authorization.k8s.io", "ClusterRole"),
        ("rbac.authorization.k8s.io", "RoleBinding"), ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
        ("networking.k8s.io", "NetworkPolicy"), ("cilium.io", "CiliumNetworkPolicy"),
    }),
)  # fmt: skip
Item = TypeVar("Item", WantedObject, OwnedObject)


def rank(key: ObjectKey) -> int:
    """0 goes first."""
    for number, kinds in enumerate(RANKS):
        if (key.group, key.kind) in kinds:
            return number
    return len(RANKS)


def in_ranks(items: Iterable[Item], *, last_first: bool = False) -> Iterator[list[Item]]:
    """The items, one list for each rank that has some."""
    ordered = sorted(items, key=lambda item: rank(item.key), reverse=last_first)
    for _, found in groupby(ordered, key=lambda item: rank(item.key)):
        yield list(found)
