"""Which kinds an API server knows, and at which path each is: asked once, and again when a kind is not among them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import NamedTuple
from weakref import WeakKeyDictionary

from catalog.compiler.documents import Document
from catalog.delivery.kubernetes.connection import Connection
from catalog.delivery.plane import PlaneError

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
ASK_AGAIN_SECONDS = 2.0
"""How long a list that lacks a kind is believed: custom kinds may come at any moment."""


class NoSuchKind(PlaneError):
    """The cluster does not know the kind: its custom resource definition is missing."""


class Kind(NamedTuple):
    """A kind as it is served."""

    group: str
    version: str
    name: str
    plural: str
    is_namespaced: bool

    def path(self, namespace: str = "", name: str = "") -> str:
        """`/apis/apps/v1/namespaces/shop/deployments/cart`; without a namespace, those of all."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        inside = f"/namespaces/{namespace}" if self.is_namespaced and namespace else ""
        return f"{root}{inside}/{self.plural}" + (f"/{name}" if name else "")


class Known(NamedTuple):
    """What a server has said, and when."""

    kinds: dict[tuple[str, str, str], Kind]
    preferred: dict[tuple[str, str], Kind]
    asked_at: float


_known: WeakKeyDictionary[Connection, Known] = WeakKeyDictionary()


def kind_at(connection: Connection, group: str, version: str, name: str) -> Kind:
    """A kind of exactly that version. Raises `NoSuchKind` in the words of a Kubernetes client."""
    known = known_to(connection)
    found = known.kinds.get((group, version, name))
    if found is None and time.monotonic() - known.asked_at > ASK_AGAIN_SECONDS:
        found = ask(connection).kinds.get((group, version, name))
    if found is None:
        shown = f"{group}/{version}" if group else version
        raise NoSuchKind(f'no matches for kind "{name}" in version "{shown}"')
    return found


def preferred_kind(connection: Connection, group: str, name: str) -> Kind | None:
    """A kind in the version that the server prefers, None if it serves none."""
    known = known_to(connection)
    found = known.preferred.get((group, name))
    if found is None and time.monotonic() - known.asked_at > ASK_AGAIN_SECONDS:
        found = ask(connection).preferred.get((group, name))
    return found


def known_to(connection: Connection) -> Known:
    return _known.get(connection) or ask(connection)


def ask(connection: Connection) -> Known:
    """Two requests for all kinds."""
    kinds: dict[tuple[str, str, str], Kind] = {}
    preferred: dict[tuple[str, str], Kind] = {}
    for path in ("/api", "/apis"):
        for kind in kinds_of(connection.request("GET", path, accept=AGGREGATED)):
            kinds[kind.group, kind.version, kind.name] = kind
            preferred.setdefault((kind.group, kind.name), kind)  # versions come in the server's order of preference
    _known[connection] = Known(kinds, preferred, time.monotonic())
    return _known[connection]


def kinds_of(answer: Document) -> Iterator[Kind]:
    for group in answer.get("items", ()):
        name = group.get("metadata", {}).get("name", "")
        for version in group.get("versions", ()):
            for resource in version.get("resources", ()):
                kind = resource.get("responseKind", {}).get("kind", "")
                yield Kind(name, version["version"], kind, resource["resource"], resource.get("scope") == "Namespaced")
