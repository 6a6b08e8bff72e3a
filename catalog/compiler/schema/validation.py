"""What is wrong with a value, in the words of the Kubernetes API server.

``check`` walks a value along its schema and reports every failure at once. The rules that differ from JSON Schema are
those of the API server's validator: null is only checked for type and enum; a string stops at its first failure;
of ``anyOf`` and ``oneOf`` the alternative is reported that got furthest (most checks passed). Properties are visited
in sorted order, so that the same value always gives the same text (the reference's order is random).

Called after catalog.compiler.schema.quick has found a value wanting, hence written for clear messages, not for speed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from catalog.compiler.gotext import value_text
from catalog.compiler.schema.formats import format_check
from catalog.compiler.schema.node import Node, Number
from catalog.compiler.schema.patterns import PatternError, matcher

_INT32, _INT64 = range(-(2**31), 2**31), range(-(2**63), 2**63)
_EXACT_FLOATS = 2**53 - 1  # largest integer that a float of JSON holds without doubt
_LARGEST_SINGLE = 3.4028235677973366e38


@dataclass(frozen=True)
class Failure:
    """One broken rule. ``message`` holds the path and ``in body``, as the API server writes it.

    ``rule`` is the keyword (``additionalProperties`` for a forbidden property, ``range`` for a number that its format
    cannot hold); ``value`` what the API server calls the bad value; ``limit`` the bound or the allowed values.
    """

    rule: str
    path: str
    message: str
    value: object = None
    limit: object = None


class _Result:
    """Failures (each text once, in order) and how many checks passed."""

    def __init__(self) -> None:
        self.failures: dict[str, Failure] = {}
        self.passed = 0

    def add(self, failure: Failure) -> None:
        self.failures.setdefault(failure.message, failure)

    def merge(self, other: _Result) -> None:
        for failure in other.failures.values():
            self.add(failure)
        self.passed += other.passed


def check(node: Node, value: object, path: str = "") -> list[Failure]:
    """Return every failure of ``value``, empty when it is valid. ``path`` is the field that holds the value."""
    return list(_check(node, value, path).failures.values())


def type_name(value: object) -> str:
    """The JSON type of a value, telling ``integer`` (int) from ``number`` (float)."""
    if value is None:
        return "null"
    for kind, name in (
        (bool, "boolean"),
        (str, "string"),
        (int, "integer"),
        (float, "number"),
        (Mapping, "object"),
    ):
        if isinstance(value, kind):
            return name
    return "array"


def _check(node: Node, value: object, path: str) -> _Result:
    result = _Result()
    if value is None:
        if node.types and "null" not in node.types and not node.nullable:
            result.add(_type_failure(path, ",".join(node.types), "null"))
        else:
            result.passed += 1
        _check_enum(node, value, path, result)
        return result
    kind = type_name(value)
    _check_type(node, value, kind, path, result)
    result.merge(_check_combined(node, value, path))
    if isinstance(value, str):
        _check_string(node, value, path, result)
    elif kind in ("integer", "number"):
        assert isinstance(value, (int, float))  # noqa: S101
        _check_number(node, value, path, result)
    elif isinstance(value, Mapping):
        _check_object(node, value, path, result)
    elif isinstance(value, list):
        _check_list(node, value, path, result)
    _check_enum(node, value, path, result)
    # Each group of checks that applied counts, passed or not, as in the reference: this decides which alternative of
    # anyOf and oneOf got furthest. Here: the combined, the kind's own and the enum check, and the schema as a whole.
    result.passed += 3 + (kind != "boolean")
    return result


def effective_format(node: Node) -> str:
    """The format if it has an effect for the schema's type, else empty."""
    if node.types == ("integer",):
        known = node.format in ("int32", "int64")
    elif node.types == ("number",):
        known = node.format in ("float", "double")
    else:
        may_be_text = len(node.types) != 1 or node.types == ("string",)
        known = may_be_text and format_check(node.format) is not None
    return node.format if known else ""


def _check_type(node: Node, value: object, kind: str, path: str, result: _Result) -> None:
    types, format_ = node.types, effective_format(node)
    if not types and not format_:
        return
    accepted = (
        kind in types
        or (kind == "number" and "integer" in types and _is_integral(value))
        or (kind == "integer" and "number" in types)
    )
    result.passed += 1
    if accepted or (not types and kind in ("string", "array")):
        result.passed += 1
    elif format_ and kind not in ("string", "array"):
        result.add(_type_failure(path, format_, {"integer": "int64", "number": "float64"}.get(kind, "")))
    else:
        result.add(_type_failure(path, ",".join(types), kind))


def _is_integral(value: object) -> bool:
    return isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT_FLOATS


def _type_failure(path: str, expected: str, found: object) -> Failure:
    return Failure("type", path, f"{path} in body must be of type {expected}: {_quoted(str(found))}", found)


def _check_string(node: Node, value: str, path: str, result: _Result) -> None:
    if node.max_length is not None and len(value) > node.max_length:
        message = f"{path} in body should be at most {node.max_length} chars long"
        result.add(Failure("maxLength", path, message, value, node.max_length))
    elif node.min_length is not None and len(value) < node.min_length:
        message = f"{path} in body should be at least {node.min_length} chars long"
        result.add(Failure("minLength", path, message, value, node.min_length))
    elif node.pattern and (problem := _pattern_problem(node.pattern, value)):
        result.add(Failure("pattern", path, f"{path} in body should match '{problem}'", value))
    known = format_check(effective_format(node))
    if known is not None:
        result.passed += 1
        if not known(value):
            result.add(_type_failure(path, node.format, value))


def _pattern_problem(pattern: str, value: str) -> str:
    """The pattern, if ``value`` does not match it, with the reason if it is no pattern; else empty."""
    try:
        return "" if matcher(pattern)(value) else pattern
    except PatternError as error:
        return f"{pattern}, but pattern is invalid: {error}"


def _check_number(node: Node, value: Number, path: str, result: _Result) -> None:
    bounds = [("Checked", value)]
    bounds += [("MultipleOf", node.multiple_of)] if node.multiple_of is not None else []
    bounds += [("Maximum boundary", node.maximum)] if node.maximum is not None else []
    bounds += [("Minimum boundary", node.minimum)] if node.minimum is not None else []
    for what, number in bounds:
        if message := _range_problem(node, number, what, path):
            result.add(Failure("range", path, message))
    if node.multiple_of is not None:
        _check_multiple(node.multiple_of, value, path, result)
    if node.minimum is not None and (value < node.minimum or (node.exclusive_minimum and value == node.minimum)):
        comparison = "greater than" if node.exclusive_minimum else "greater than or equal to"
        message = f"{path} in body should be {comparison} {_bound_text(node.minimum, value)}"
        result.add(Failure("minimum", path, message, value, node.minimum))
    if node.maximum is not None and (value > node.maximum or (node.exclusive_maximum and value == node.maximum)):
        comparison = "less than" if node.exclusive_maximum else "less than or equal to"
        message = f"{path} in body should be {comparison} {_bound_text(node.maximum, value)}"
        result.add(Failure("maximum", path, message, value, node.maximum))
    result.passed += 1


def _range_problem(node: Node, number: Number, what: str, path: str) -> str:
    """Why the type and format of the schema cannot hold ``number``; empty if they can."""
    if node.types == ("integer",):
        wide = _INT32 if node.format == "int32" else _INT64
        known_format = node.format if node.format in ("int32", "int64") else ""
        fits = (isinstance(number, int) or number.is_integer()) and int(number) in wide
    elif node.types == ("number",) and node.format == "float":
        known_format = node.format
        fits = abs(number) < _LARGEST_SINGLE
    else:
        return ""
    if fits:
        return ""
    suffix = f"with format {known_format}" if known_format else "(default format)"
    return f"{what} value must be of type {node.type} {suffix} in {path}"


def _check_multiple(factor: Number, value: Number, path: str, result: _Result) -> None:
    if factor <= 0:
        message = f"factor MultipleOf declared for {path} must be positive: {_bound_text(factor, value)}"
        result.add(Failure("multipleOf", path, message, factor))
        return
    if isinstance(value, int) and isinstance(factor, int):
        is_multiple = value % factor == 0
    else:
        quotient = 1 / factor * value if factor < 1 else value / factor
        # Decimal fractions are not exact in binary: 0.3 is a multiple of 0.1.
        is_multiple = abs(quotient - round(quotient)) <= 1e-9 * max(abs(quotient), 1e-9)
    if not is_multiple:
        message = f"{path} in body should be a multiple of {_bound_text(factor, value)}"
        result.add(Failure("multipleOf", path, message, value, factor))


def _bound_text(bound: Number, value: Number) -> str:
    """A bound is printed as the kind of number that it was compared with."""
    return value_text(bound if isinstance(value, int) else float(bound))


def _check_list(node: Node, value: list[object], path: str, result: _Result) -> None:
    if node.items is not None:
        for index, item in enumerate(value):
            result.merge(_check(node.items, item, f"{path}[{index}]"))
    size = len(value)
    if node.min_items is not None and size < node.min_items:
        message = f"{path} in body should have at least {node.min_items} items"
        result.add(Failure("minItems", path, message, size, node.min_items))
    if node.max_items is not None and size > node.max_items:
        message = f"{path} in body should have at most {node.max_items} items"
        result.add(Failure("maxItems", path, message, size, node.max_items))
    if node.unique_items and len({_identity(item) for item in value}) < size:
        result.add(Failure("uniqueItems", path, f"{path} in body shouldn't contain duplicates"))
    result.passed += 1


def _check_object(node: Node, value: Mapping[str, object], path: str, result: _Result) -> None:
    size = len(value)
    if node.min_properties is not None and size < node.min_properties:
        message = f"{path} in body should have at least {node.min_properties} properties"
        result.add(Failure("minProperties", path, message, size, node.min_properties))
    if node.max_properties is not None and size > node.max_properties:
        message = f"{path} in body should have at most {node.max_properties} properties"
        result.add(Failure("maxProperties", path, message, size, node.max_properties))
    for key in sorted(value):
        if key in node.properties:
            result.merge(_check(node.properties[key], value[key], f"{path}.{key}" if path else key))
        elif isinstance(node.additional, Node):
            result.merge(_check(node.additional, value[key], f"{path}.{key}"))
        elif node.additional is False:
            message = f"{path}.{key} in body is a forbidden property"
            result.add(Failure("additionalProperties", path, message, key))
    for key in node.required:
        if key not in value:
            result.add(Failure("required", f"{path}.{key}", f"{path}.{key} in body is required"))


def _check_enum(node: Node, value: object, path: str, result: _Result) -> None:
    # A null is never found, not even in an enum that lists null: so it is in the API server.
    if node.enum and (value is None or _identity(value) not in {_identity(allowed) for allowed in node.enum}):
        message = f"{path} in body should be one of {value_text(list(node.enum))}"
        result.add(Failure("enum", path, message, value, node.enum))


def _identity(value: object) -> object:
    """A hashable stand-in: equal for equal JSON values, numbers by value, booleans apart from numbers."""
    if isinstance(value, Mapping):
        return ("object", frozenset((key, _identity(item)) for key, item in value.items()))
    if isinstance(value, list):
        return ("array", *map(_identity, value))
    return (type_name(value).replace("integer", "number"), value)


def _check_combined(node: Node, value: object, path: str) -> _Result:
    result = _Result()
    for part in (_check_any_of, _check_one_of, _check_all_of):
        part(node, value, path, result)
    if node.not_ is not None and not _check(node.not_, value, path).failures:
        result.add(_combined_failure("not", path, "must not validate the schema (not)"))
    result.passed += 1
    return result


def _check_any_of(node: Node, value: object, path: str, result: _Result) -> None:
    if not node.any_of:
        return
    best = None
    for attempt in _attempts(node.any_of, value, path):
        if not attempt.failures:
            result.merge(attempt)
            return
        if best is None or attempt.passed > best.passed:
            best = attempt
    result.add(_combined_failure("anyOf", path, "must validate at least one schema (anyOf)"))
    assert best is not None  # noqa: S101
    result.merge(best)


def _check_one_of(node: Node, value: object, path: str, result: _Result) -> None:
    if not node.one_of:
        return
    attempts = list(_attempts(node.one_of, value, path))
    valid = [attempt for attempt in attempts if not attempt.failures]
    if len(valid) == 1:
        result.merge(valid[0])
        return
    found = f"Found {len(valid)} valid alternatives" if valid else "Found none valid"
    result.add(_combined_failure("oneOf", path, f"must validate one and only one schema (oneOf). {found}"))
    if not valid:
        result.merge(max(attempts, key=lambda attempt: attempt.passed))


def _check_all_of(node: Node, value: object, path: str, result: _Result) -> None:
    if not node.all_of:
        return
    attempts = list(_attempts(node.all_of, value, path))
    for attempt in attempts:
        result.merge(attempt)
    failed = sum(bool(attempt.failures) for attempt in attempts)
    if failed:
        none = ". None validated" if failed == len(attempts) else ""
        result.add(_combined_failure("allOf", path, f"must validate all the schemas (allOf){none}"))


def _attempts(schemas: tuple[Node, ...], value: object, path: str) -> Iterator[_Result]:
    return (_check(schema, value, path) for schema in schemas)


def _combined_failure(rule: str, path: str, text: str) -> Failure:
    return Failure(rule, path, f"{_quoted(path)} {text}")


def _quoted(text: str) -> str:
    """Quote as Go's ``%q`` does for printable text."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t") + '"'
