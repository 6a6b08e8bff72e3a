"""Kinds by the names that people type: `component`, `components`, `Component`, `Components.openchoreo.dev`."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache

from catalog.kinds.base import PlatformObject
from catalog.kinds.registry import KINDS, UnknownKind


@cache
def kinds_by_typed_name() -> Mapping[str, type[PlatformObject]]:
    """Every kind under its singular and its plural, in lower case."""
    return {name: model for model in KINDS for name in (model.kind.lower(), model.plural.lower())}


def find_kind(typed: str) -> type[PlatformObject]:
    """The kind meant, in any case, singular or plural, with or without its group. Raises `UnknownKind`."""
    name = typed.lower().partition(".")[0]
    found = kinds_by_typed_name().get(name)
    if found is not None:
        return found
    near = get_close_matches(name, kinds_by_typed_name(), n=1)
    error = UnknownKind(typed)
    if near:
        error.args = (f"{error.args[0]}. Did you mean {near[0]}?",)
    raise error
