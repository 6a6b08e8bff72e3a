"""The spec of a release as it is stored: without optional fields that are empty.

A release is cut from documents that may hold ``args: []`` or ``value: ""``. The reference reads them into types whose
empty optional fields are not written again, so its stored releases lack them. Their hash is taken before that
(catalog.compiler.release_hash), where an empty list still differs from an absent one.
"""

from __future__ import annotations

from collections.abc import Mapping

from catalog.compiler.release_layout import RAW, STRUCTS

Document = Mapping[str, object]


def stored_component_release_spec(spec: Document) -> dict[str, object]:
    """Return a ComponentRelease's ``spec`` without empty optional fields."""
    return _without_empty("component.ReleaseSpec", spec)


def stored_project_release_spec(spec: Document) -> dict[str, object]:
    """Return a ProjectRelease's ``spec`` without empty optional fields."""
    return _without_empty("project.ReleaseSpec", spec)


def stored_resource_release_spec(spec: Document) -> dict[str, object]:
    """Return a ResourceRelease's ``spec`` without empty optional fields."""
    return _without_empty("resource.ReleaseSpec", spec)


def _without_empty(struct: str, document: Document) -> dict[str, object]:
    """Fields that the struct does not declare, such as the owner, stay as they are."""
    fields = {field.key: field for field in STRUCTS[struct] if not field.is_inline}
    for inline in (field for field in STRUCTS[struct] if field.is_inline):
        fields |= {field.key: field for field in STRUCTS[inline.type]}
    kept: dict[str, object] = {}
    for key, value in document.items():
        field = fields.get(key)
        if field is None:
            kept[key] = value
        elif not (field.is_optional and _is_empty(field.type, value)):
            kept[key] = _stored(field.type, value)
    return kept


def _is_empty(type_: str, value: object) -> bool:
    # A pointer is empty only when it points to nothing; raw JSON and structs behind one stay, even as {}.
    return value is None or (not type_.startswith("*") and value in ("", 0, False, [], {}))


def _stored(type_: str, value: object) -> object:
    element = type_.removeprefix("*").removeprefix("[]").removeprefix("map[string]")
    if element == RAW or element not in STRUCTS:
        return value
    if isinstance(value, list):
        return [_stored(element, item) for item in value]
    if not isinstance(value, Mapping):
        return value
    if type_.startswith("map[string]"):
        return {key: _stored(element, item) for key, item in value.items()}
    return _without_empty(element, value)
