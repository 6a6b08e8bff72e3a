"""Cutting the releases of projects and resources: an immutable snapshot under a name that is derived from its content.

Called by the Project and Resource controllers, which are twins in this. A release that is in place is left alone; a
name that another owner holds is refused, never taken over.
"""

from __future__ import annotations

from typing import Any

from catalog import store
from catalog.kinds.base import API_VERSION, Document, PlatformObject
from portal.accounts.actor import Actor


class ReleaseNameTaken(Exception):
    """A release of that name belongs to another project or resource."""


def ensure_release(kind: str, owner: PlatformObject, release_hash: str, spec: Document, actor: Actor) -> str:
    """Make sure that the release of this content exists; return its name, `{owner}-{hash}`.

    Raises `ReleaseNameTaken`.
    """
    name = f"{owner.name}-{release_hash}"
    held = store.get_or_none(kind, owner.namespace_name, name)
    if held is None:
        document = {
            "apiVersion": API_VERSION,
            "kind": kind,
            "metadata": {"name": name, "namespace": owner.namespace_name},
            "spec": spec,
        }
        store.create(document, actor)
    elif held.spec.get("owner") != spec["owner"]:
        raise ReleaseNameTaken(
            f"{kind} {name!r} already exists with owner {owner_words(held.spec)}, "
            f"refusing to claim it for {owner.name!r}"
        )
    return name


def owner_words(release_spec: dict[str, Any]) -> str:
    """The owner of a release, for people."""
    owner = release_spec.get("owner") or {}
    return repr("/".join(str(value) for value in owner.values()))


def type_not_found(reference: dict[str, Any]) -> str:
    """The message for a type that does not exist."""
    return f'{reference.get("kind")} "{reference.get("name")}" not found'
