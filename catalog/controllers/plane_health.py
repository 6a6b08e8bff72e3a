"""How bindings read the health of what they have put on a plane.

A plane that does not observe (a Git repository that another tool applies) can only say that an object was delivered.
Bindings there count what is delivered as ready, and say in their messages that nobody looks at its health.
"""

from __future__ import annotations

from collections.abc import Sequence

from catalog.controllers.conditions import Condition, false, true
from catalog.kinds.base import Document

GOOD = frozenset({"Healthy", "Suspended"})
NOT_REPORTED = "its plane does not report health"


def is_good(entry: Document, observes_health: bool) -> bool:
    """Whether an entry of `status.resources` counts as ready."""
    return not observes_health or entry.get("healthStatus") in GOOD


def is_bad(entry: Document) -> bool:
    return entry.get("healthStatus") == "Degraded"


def resources_ready(entries: Sequence[Document], observes_health: bool) -> Condition:
    """ResourcesReady over entries of `status.resources`: True, or the first that is not well."""
    for entry in entries:
        if not is_good(entry, observes_health):
            return unwell(entry)
    return all_ready(len(entries), observes_health)


def all_ready(count: int, observes_health: bool) -> Condition:
    if observes_health:
        return true("ResourcesReady", "ResourcesReady", f"All {count} resource(s) ready")
    return true("ResourcesReady", "ResourcesReady", f"All {count} resource(s) delivered; {NOT_REPORTED}")


def unwell(entry: Document) -> Condition:
    """ResourcesReady=False for the sake of one entry."""
    words = f'Resource "{entry["id"]}" ({entry["kind"]}) is'
    if is_bad(entry):
        return false("ResourcesReady", "ResourcesDegraded", f"{words} degraded")
    return false("ResourcesReady", "ResourcesProgressing", f"{words} {entry.get('healthStatus') or 'Unknown'}")
