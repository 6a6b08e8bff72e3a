"""Errors about fields, as the Kubernetes API server words them.

Admission of the kinds answers with these: one error per broken field, all at once, in the text that clients of the
contract know (``spec.port: Invalid value: 0: spec.port in body should be greater than or equal to 1``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from catalog.compiler.gotext import json_text, value_text
from catalog.compiler.schema.node import Node
from catalog.compiler.schema.validation import Failure, check

_NO_FIELD = "<nil>"


@dataclass(frozen=True)
class FieldError:
    """One field and what is wrong with it.

    ``path`` is the field (``spec.ports[0].name``), ``reason`` the API server's code (``FieldValueRequired``),
    ``message`` the text without the field. ``field`` is what the API server prints as the field: for rules that
    combine schemas, and for numbers out of their format's range, it prints ``<nil>`` although the path is known.
    """

    path: str
    reason: str
    message: str
    field: str = ""

    def __str__(self) -> str:
        return f"{self.field or self.path or _NO_FIELD}: {self.message}"


def required(path: str, detail: str = "") -> FieldError:
    """A field that must be given is absent."""
    return FieldError(path, "FieldValueRequired", "Required value" + (f": {detail}" if detail else ""))


def invalid(path: str, value: object, detail: str = "", field: str = "") -> FieldError:
    """A field has a value that breaks a rule; ``detail`` says which."""
    return FieldError(path, "FieldValueInvalid", _with_value("Invalid value", value, detail), field)


def type_invalid(path: str, value: object, detail: str) -> FieldError:
    """A field has a value of the wrong type."""
    return FieldError(path, "FieldValueTypeInvalid", _with_value("Invalid value", value, detail))


def not_supported(path: str, value: object, supported: tuple[str, ...]) -> FieldError:
    """A field has a value that is none of those ``supported``."""
    detail = "supported values: " + ", ".join(_quoted(name) for name in supported) if supported else ""
    return FieldError(path, "FieldValueNotSupported", _with_value("Unsupported value", value, detail))


def duplicate(path: str, value: object) -> FieldError:
    """An element of a list that must be unique is there again."""
    return FieldError(path, "FieldValueDuplicate", _with_value("Duplicate value", value, ""))


def forbidden(path: str, detail: str) -> FieldError:
    """A field is set that must not be set here."""
    return FieldError(path, "FieldValueForbidden", f"Forbidden: {detail}")


def too_long(path: str, limit: int) -> FieldError:
    """A text is longer than ``limit`` (characters; the API server calls them bytes)."""
    return FieldError(path, "FieldValueTooLong", f"Too long: may not be more than {limit} byte{'s' * (limit != 1)}")


def too_many(path: str, size: int, limit: int) -> FieldError:
    """A list or object has more than ``limit`` elements."""
    return FieldError(
        path, "FieldValueTooMany", f"Too many: {size}: must have at most {limit} item{'s' * (limit != 1)}"
    )


def schema_errors(node: Node, value: object, path: str = "") -> list[FieldError]:
    """Return what is wrong with ``value``, the field ``path``, by its schema; without the uniqueness of lists."""
    return [_from_failure(failure) for failure in check(node, value, path)]


def list_errors(node: Node, value: object, path: str = "") -> Iterator[FieldError]:
    """Yield the duplicates in lists that are sets or maps (``x-kubernetes-list-type``)."""
    if isinstance(value, Mapping):
        for key in sorted(value):
            if key in node.properties:
                yield from list_errors(node.properties[key], value[key], f"{path}.{key}" if path else key)
            elif isinstance(node.additional, Node):
                yield from list_errors(node.additional, value[key], f"{path}[{key}]")
    elif isinstance(value, list):
        if node.list_type == "set":
            yield from _duplicates(path, value, value)
        elif node.list_type == "map":
            yield from _duplicate_keys(node, path, value)
        if node.items is not None:
            for index, item in enumerate(value):
                yield from list_errors(node.items, item, f"{path}[{index}]")


def has_unique_lists(node: Node) -> bool:
    """Say whether ``list_errors`` can find anything by this schema."""
    children = [*node.properties.values(), *([node.items] if node.items else [])]
    if isinstance(node.additional, Node):
        children.append(node.additional)
    return node.list_type in ("set", "map") or any(map(has_unique_lists, children))


def _duplicate_keys(node: Node, path: str, value: list[object]) -> Iterator[FieldError]:
    for index, item in enumerate(value):
        if item is not None and not isinstance(item, Mapping):
            yield invalid(f"{path}[{index}]", item, "must be an object for an array of list-type map")
            return
    keys = [
        {name: item[name] for name in node.list_map_keys if name in item} if isinstance(item, Mapping) else {}
        for item in value
    ]
    yield from _duplicates(path, keys, keys)


def _duplicates(path: str, identities: list[object] | list[dict[str, object]], shown: object) -> Iterator[FieldError]:
    """Yield an error for the second of equal elements; further ones are not repeated."""
    seen: dict[str, int] = {}
    for index, identity in enumerate(identities):
        text = json_text(identity)
        seen[text] = seen.get(text, 0) + 1
        if seen[text] == 2:
            yield duplicate(f"{path}[{index}]", identity)


def _from_failure(failure: Failure) -> FieldError:
    path = failure.path.removeprefix(".")
    if failure.rule == "required":
        return required(path)
    if failure.rule == "enum":
        assert isinstance(failure.limit, tuple)  # noqa: S101
        names = tuple(value if isinstance(value, str) else json_text(value) for value in failure.limit)
        return not_supported(path, failure.value, names)
    if failure.rule == "maxLength":
        assert isinstance(failure.limit, int)  # noqa: S101
        return too_long(path, failure.limit)
    if failure.rule in ("maxItems", "maxProperties"):
        assert isinstance(failure.value, int)  # noqa: S101
        assert isinstance(failure.limit, int)  # noqa: S101
        return too_many(path, failure.value, failure.limit)
    if failure.rule == "type":
        return type_invalid(path, failure.value, failure.message)
    if failure.rule in ("anyOf", "oneOf", "allOf", "not", "range"):
        return invalid(path, "", failure.message, field=_NO_FIELD)
    return invalid(path, "" if failure.value is None else failure.value, failure.message)


def _with_value(kind: str, value: object, detail: str) -> str:
    if isinstance(value, str):
        shown = _quoted(value)
    elif isinstance(value, (bool, int, float)):
        shown = value_text(value)
    else:
        shown = json_text(value)
    return f"{kind}: {shown}" + (f": {detail}" if detail else "")


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t") + '"'
