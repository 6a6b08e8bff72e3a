"""Which keys of a plane's secret store a namespace may refer to: its own, `secret/<namespace>/…`.

The operator on a plane reads the store with one identity for all tenants, so a SecretReference to another tenant's key
would hand over their secret. Keys elsewhere are for those who may write SecretReferences everywhere. Called for every
surface by `catalog.access.writing`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from catalog.kinds.base import Document, PlatformObject
from portal.access import guard
from portal.access.engine import Access
from portal.access.place import Place

PLAIN_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@+=:-]*")
"""No empty, dotted, escaped or invisible segment: stores clean such paths up each in their own way."""


def require_own_keys(access: Access, namespace: str, held: PlatformObject | None, document: Document) -> None:
    """Refuse keys of others, unless they stood there before. Raises `guard.Forbidden`."""
    before = set() if held is None else foreign_keys(namespace, held.spec)
    spec = document.get("spec")
    gained = foreign_keys(namespace, spec if isinstance(spec, Mapping) else {}) - before
    if not gained:
        return
    action = f"secretreference:{'create' if held is None else 'update'}"
    if not access.allows(action, Place()):
        raise guard.Forbidden(
            action,
            "SecretReference",
            Place(),
            is_hidden=False,
            message=(
                f"{', '.join(sorted(gained))}: namespace {namespace} may refer to keys below secret/{namespace}/ only; "
                f"ask somebody who has {action} everywhere"
            ),
        )


def foreign_keys(namespace: str, spec: Mapping[str, Any]) -> set[str]:
    """The keys of a SecretReference's spec, of any form, that are not the namespace's own."""
    entries = spec.get("data")
    references = [entry.get("remoteRef") for entry in entries if isinstance(entry, Mapping)] if entries else []
    keys = {reference.get("key") for reference in references if isinstance(reference, Mapping)}
    return {key for key in keys if isinstance(key, str) and key and not is_own(namespace, key)}


def is_own(namespace: str, key: str) -> bool:
    """Whether a key lies below the namespace's own path, without a way out of it."""
    segments = key.split("/")
    if segments[:2] != ["secret", namespace] or len(segments) < 3:
        return False
    return all(PLAIN_SEGMENT.fullmatch(segment) for segment in segments)
