"""Conditions on documents: apply this only if the object still is what its author has seen.

    metadata:
      annotations:
        stagecraft.dev/if-match: 4f3c9a1b…      the object's version: its ETag, as GET and apply show it
                                 "*"            the object must be there, in any version
                                 none           it must not be there

The annotation is taken off before the document is stored, so a manifest that carries one can be kept in Git only by
mistake. It is asked when the object's row is locked: two authors who have seen the same version cannot both write.
`metadata.resourceVersion` stays without meaning, as manifests of other clusters carry one.
"""

from __future__ import annotations

from typing import Any

from catalog.api.versions import CHANGED, is_version
from catalog.kinds.base import Document, PlatformObject
from catalog.store.errors import Outdated
from catalog.store.write import Permit

ANNOTATION = "stagecraft.dev/if-match"
ANY, NONE = "*", "none"


def taken_from(value: Any) -> tuple[Any, str]:
    """A document without its condition, and the condition, "" if it has none."""
    metadata = value.get("metadata") if isinstance(value, dict) else None
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    if not isinstance(annotations, dict) or ANNOTATION not in annotations:
        return value, ""
    kept = {name: text for name, text in annotations.items() if name != ANNOTATION}
    return {**value, "metadata": {**metadata, "annotations": kept}}, str(annotations[ANNOTATION]) or ANY


def with_condition(value: Any, condition: str) -> Any:
    """The document with a condition; what is no document stays as it is."""
    metadata = value.get("metadata") if isinstance(value, dict) else None
    if not isinstance(metadata, dict) or not isinstance(metadata.get("annotations") or {}, dict):
        return value
    annotations = {**(metadata.get("annotations") or {}), ANNOTATION: condition}
    return {**value, "metadata": {**metadata, "annotations": annotations}}


def conditional(permit: Permit | None, condition: str) -> Permit | None:
    """What the store asks before it writes: the permission first, then the condition."""
    if not condition:
        return permit

    def asked(held: PlatformObject | None, document: Document) -> None:
        if permit is not None:
            permit(held, document)
        require(held, condition)

    return asked


def require(held: PlatformObject | None, condition: str) -> None:
    """Raises `Outdated`."""
    if condition == NONE:
        if held is not None:
            raise Outdated("The object is there already, and was to be made only if it were not")
    elif held is None:
        raise Outdated("The object is not there any more: leave out the condition to make it anew")
    elif condition != ANY and not is_version(held, condition if '"' in condition else f'"{condition}"'):
        raise Outdated(CHANGED)
