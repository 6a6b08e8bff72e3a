"""How kinds say which objects their documents name: one `Ref` for each, none for what is left out.

Used by `references_of` of the kinds. Whether the named object exists is not asked here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from catalog.kinds.base import Ref

OWNER_FIELDS = {"projectName": "Project", "componentName": "Component", "resourceName": "Resource"}


def role_of(kind: str) -> str:
    """The role of a reference that has no more special name: the kind in snake_case ("cluster_data_plane")."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind).lower()


def to(kind: str, namespace: str, name: object, role: str = "") -> Iterator[Ref]:
    """A reference by name to an object of one kind, in that namespace unless the kind is a cluster kind."""
    if isinstance(name, str) and name:
        yield Ref(role or role_of(kind), kind, "" if kind.startswith("Cluster") else namespace, name)


def to_typed(ref: Mapping[str, Any] | None, namespace: str, role_prefix: str = "") -> Iterator[Ref]:
    """A reference written as `{kind, name}`."""
    if ref and ref.get("kind"):
        yield from to(ref["kind"], namespace, ref.get("name"), role_prefix + role_of(ref["kind"]))


def to_all_typed(refs: Iterable[Mapping[str, Any]] | None, namespace: str, role_prefix: str = "") -> Iterator[Ref]:
    """References in a list of `{kind, name}`."""
    for ref in refs or ():
        yield from to_typed(ref, namespace, role_prefix)


def to_component_type(ref: Mapping[str, Any] | None, namespace: str) -> Iterator[Ref]:
    """A component type, named as `workloadType/name`; the object itself is called by the part after the slash."""
    if ref:
        yield from to_typed({**ref, "name": str(ref.get("name", "")).rpartition("/")[2]}, namespace)


def to_owner(owner: Mapping[str, Any] | None, namespace: str) -> Iterator[Ref]:
    """The project, and the component or resource, that a document belongs to."""
    for field, kind in OWNER_FIELDS.items():
        yield from to(kind, namespace, (owner or {}).get(field))
