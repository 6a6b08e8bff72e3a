"""Checks and labels that the kinds which belong to a project, component or resource share."""

from __future__ import annotations

from collections.abc import Callable

from catalog.api.collection import COMPONENT_LABEL, PROJECT_LABEL, RESOURCE_LABEL, Draft
from catalog.store import get_or_none
from portal.wire.responses import Refusal

LABEL_OF_FIELD = {"projectName": PROJECT_LABEL, "componentName": COMPONENT_LABEL, "resourceName": RESOURCE_LABEL}


def require_owner(draft: Draft, kind: str, field: str) -> None:
    """The owner must exist when its part is created through the API; 400 if it does not."""
    name = owner_of(draft, field)
    if name and get_or_none(kind, draft.namespace, name) is None:
        raise Refusal(400, f"Referenced {kind.lower()} not found")


def keep_project(draft: Draft) -> None:
    """An object never moves to another project; 400."""
    if draft.held is not None and owner_of(draft, "projectName") != draft.held.spec["owner"]["projectName"]:
        raise Refusal(400, "spec.owner.projectName is immutable")


def label_with(*fields: str) -> Callable[[Draft], None]:
    """A hook that puts the owners' names into labels, whatever the client sent there."""

    def label(draft: Draft) -> None:
        for field in fields:
            if name := owner_of(draft, field):
                draft.labels[LABEL_OF_FIELD[field]] = name

    return label


def require_same_namespace(draft: Draft) -> None:
    """A body that names another namespace than the path is 400."""
    if draft.body_namespace and draft.body_namespace != draft.namespace:
        raise Refusal(400, "Namespace in body does not match path")


def owner_of(draft: Draft, field: str) -> str:
    """The owner's name, "" if the body names none."""
    owner = draft.spec.get("owner")
    name = owner.get(field) if isinstance(owner, dict) else None
    return name if isinstance(name, str) else ""
