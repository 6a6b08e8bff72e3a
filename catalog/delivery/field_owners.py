"""Who owns which field of a live object: `metadata.managedFields`, read.

The API server notes for each field who set it last, by the name of the tool and with a time. Three sorts of owners
matter here: ourselves; controllers, whose work in our objects is welcome (an autoscaler, the garbage collector of
volumes); and everybody else, who is taken for a person with a tool. Which names are controllers' is a setting
(`DRIFT_CONTROLLERS`), since nothing in the object says it. Pure but for that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

from django.conf import settings

from catalog.compiler.documents import Document
from catalog.delivery.field_paths import FieldPath, Step, step_of

FIELD_MANAGER = "stagecraft"
"""Our name in the list of owners."""
BEFORE = "before-first-apply"
"""What the server calls whoever owned the fields of an object whose list of owners was lost."""


@dataclass(frozen=True, slots=True)
class Owner:
    """One entry of the list: a tool, how and when it wrote last, and the tree of its fields (`fieldsV1`)."""

    manager: str
    operation: str
    subresource: str
    time: str
    fields: Mapping[str, Any] = field(hash=False)
    index: int = 0
    """Its place in the list."""

    @property
    def is_ours(self) -> bool:
        return self.manager == FIELD_MANAGER and self.operation == "Apply" and not self.subresource

    @property
    def is_controller(self) -> bool:
        return self.manager == BEFORE or is_controller(self.manager, settings.DRIFT_CONTROLLERS)

    @property
    def is_hand(self) -> bool:
        """Whether it is taken for a person with a tool, whose edits are drift."""
        return not self.is_ours and self.subresource != "status" and not self.is_controller

    def node(self, path: FieldPath) -> Mapping[str, Any] | None:
        """The tree of its fields at and below a place, None if it owns nothing there."""
        found: Mapping[str, Any] | None = self.fields
        for step in path:
            found = None if found is None else below(found, step)
        return found

    def owns(self, path: FieldPath) -> bool:
        """Whether the value at a place is its own: the place is a leaf of its tree, or lies within one."""
        found: Mapping[str, Any] = self.fields
        for step in path:
            nearer = below(found, step)
            if nearer is None:
                return not any(key != "." for key in found) and found is not self.fields
            found = nearer
        return True


def below(node: Mapping[str, Any], step: Step) -> Mapping[str, Any] | None:
    """The node at a step."""
    if isinstance(step, str):
        return node.get(f"f:{step}")
    return next((inner for written, inner in node.items() if written[:2] in ("k:", "v:") and step_of(written) == step),
                None)  # fmt: skip


def owners_of(live: Document) -> list[Owner]:
    """Everybody who owns fields of the object, in the server's order."""
    return [
        Owner(
            str(entry.get("manager") or ""),
            str(entry.get("operation") or ""),
            str(entry.get("subresource") or ""),
            str(entry.get("time") or ""),
            entry.get("fieldsV1") or {},
            index,
        )
        for index, entry in enumerate(live["metadata"].get("managedFields") or ())
    ]


def hands(owners: Iterable[Owner]) -> list[Owner]:
    return [owner for owner in owners if owner.is_hand]


@lru_cache(maxsize=4096)
def is_controller(manager: str, patterns: tuple[str, ...]) -> bool:
    """Whether the name is one of a controller. Patterns are those of a shell."""
    return any(fnmatchcase(manager.lower(), pattern) for pattern in patterns)
