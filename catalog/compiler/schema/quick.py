"""Yes or no: is a value valid?

Almost every value is, so the common answer must be cheap. The schema is translated once to JSON Schema 2020-12 and
compiled by ``jsonschema-rs``. The translation may be stricter than the contract, never laxer: a "no" only means that
catalog.compiler.schema.validation has to look, whose word is final. Patterns and formats stay ours (RE2, the API
server's formats): they are handed to the compiled validator as formats of their own. A schema with a rule that has no
such translation gets no quick check.
"""

from __future__ import annotations

from collections.abc import Callable

import jsonschema_rs

from catalog.compiler.schema.formats import FormatCheck, format_check
from catalog.compiler.schema.node import Node, Number
from catalog.compiler.schema.patterns import PatternError, matcher
from catalog.compiler.schema.validation import effective_format

QuickCheck = Callable[[object], bool]

_EXACT_FLOATS = 2**53 - 1
_INT32 = (-(2**31), 2**31 - 1)


def compile_quick_check(node: Node) -> QuickCheck | None:
    """Return a function that is true only for valid values, None when the schema cannot be translated exactly."""
    translation = _Translation()
    try:
        schema = translation.of(node)
    except _NoTranslation:
        return None
    try:
        validator = jsonschema_rs.Draft202012Validator(schema, formats=translation.formats, validate_formats=True)
    except (jsonschema_rs.ValidationError, ValueError):
        return None  # odd but legal for the contract, such as an enum of nothing but null

    def is_surely_valid(value: object) -> bool:
        try:
            return validator.is_valid(value)
        except (TypeError, ValueError):
            return False  # a value of a type that JSON does not know, such as a CEL number; let the full check decide

    return is_surely_valid


class _NoTranslation(Exception):
    """The schema has a rule whose exact meaning JSON Schema cannot say."""


class _Translation:
    def __init__(self) -> None:
        self.formats: dict[str, FormatCheck] = {}

    def of(self, node: Node) -> dict[str, object]:
        parts: list[dict[str, object]] = [self._own(node)]
        parts += [{"format": self._format(check)} for check in self._text_checks(node)]
        parts += [self.of(child) for child in node.all_of]
        for keyword, alternatives in (("anyOf", node.any_of), ("oneOf", node.one_of)):
            if alternatives:
                parts.append({keyword: [self.of(child) for child in alternatives]})
        if node.not_ is not None or node.one_of:
            # Where a "no" counts, being stricter inside would be laxer outside.
            raise _NoTranslation
        return parts[0] if len(parts) == 1 else {"allOf": parts}

    def _own(self, node: Node) -> dict[str, object]:
        schema: dict[str, object] = {}
        if node.types:
            schema["type"] = [*node.types, *(["null"] if node.nullable else [])]
        elif effective_format(node):
            raise _NoTranslation
        if node.enum:
            schema["enum"] = [value for value in node.enum if value is not None]
        self._numbers(node, schema)
        sizes = {
            "minLength": node.min_length,
            "maxLength": node.max_length,
            "minItems": node.min_items,
            "maxItems": node.max_items,
            "minProperties": node.min_properties,
            "maxProperties": node.max_properties,
        }
        schema |= {keyword: size for keyword, size in sizes.items() if size is not None}
        if any(size is not None and size < 0 for size in sizes.values()):
            raise _NoTranslation
        if node.unique_items:
            schema["uniqueItems"] = True
        if node.required:
            schema["required"] = sorted(set(node.required))
        if node.items is not None:
            schema["items"] = self.of(node.items)
        if node.properties:
            schema["properties"] = {name: self.of(child) for name, child in node.properties.items()}
        if node.additional is not None:
            schema["additionalProperties"] = (
                node.additional if isinstance(node.additional, bool) else self.of(node.additional)
            )
        return schema

    def _numbers(self, node: Node, schema: dict[str, object]) -> None:
        bounds: tuple[Number | None, ...] = (node.minimum, node.maximum, node.multiple_of)
        low: list[Number] = []
        high: list[Number] = []
        if node.types == ("integer",):
            if any(bound is not None and not isinstance(bound, int) for bound in bounds):
                raise _NoTranslation  # such a schema accepts nothing, with a message about its bound
            smallest, largest = _INT32 if node.format == "int32" else (-_EXACT_FLOATS, _EXACT_FLOATS)
            if any(bound is not None and not smallest <= bound <= largest for bound in bounds):
                raise _NoTranslation
            low.append(smallest)
            high.append(largest)
        elif node.multiple_of is not None or node.format == "float":
            raise _NoTranslation
        if node.multiple_of is not None:
            if node.multiple_of <= 0:
                raise _NoTranslation
            schema["multipleOf"] = node.multiple_of
        _add_bound(schema, "minimum", "exclusiveMinimum", node.minimum, node.exclusive_minimum)
        _add_bound(schema, "maximum", "exclusiveMaximum", node.maximum, node.exclusive_maximum)
        if low and "minimum" not in schema:
            schema["minimum"] = low[0]
        if high and "maximum" not in schema:
            schema["maximum"] = high[0]

    def _text_checks(self, node: Node) -> list[FormatCheck]:
        checks: list[FormatCheck] = []
        if node.pattern:
            try:
                checks.append(matcher(node.pattern))
            except PatternError:
                raise _NoTranslation from None
        known = format_check(effective_format(node))
        return [*checks, known] if known is not None else checks

    def _format(self, check: FormatCheck) -> str:
        name = f"check-{len(self.formats)}"
        self.formats[name] = check
        return name


def _add_bound(
    schema: dict[str, object], inclusive: str, exclusive: str, bound: Number | None, is_exclusive: bool
) -> None:
    if bound is not None:
        schema[exclusive if is_exclusive else inclusive] = bound
