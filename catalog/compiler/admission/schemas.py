"""The schemas of a type's ``parameters`` and ``environmentConfigs``: do they read, and which types do they declare?

Called by all kinds that carry schemas, before their expressions are checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from catalog.compiler.admission.variables import Variables
from catalog.compiler.cel.schema_types import schema_type
from catalog.compiler.cel.types import DYN, Type, object_of
from catalog.compiler.documents import Document
from catalog.compiler.errors import CompilerError, SchemaError
from catalog.compiler.schema import FieldError, compile_schema, resolve_refs
from catalog.compiler.schema.node import strip_vendor_extensions

_LISTS_OF_SCHEMAS = ("allOf", "oneOf", "anyOf")
_KEYWORDS = frozenset(
    {
        *("id", "$schema", "$ref", "description", "type", "format", "title", "default", "enum", "nullable", "example"),
        *("maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "multipleOf"),
        *("maxLength", "minLength", "pattern", "maxItems", "minItems", "uniqueItems", "maxProperties"),
        *("minProperties", "required", "items", "additionalItems", "additionalProperties", "dependencies"),
        *("externalDocs", "not", "properties", "patternProperties", "definitions", *_LISTS_OF_SCHEMAS),
        *("x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource", "x-kubernetes-int-or-string"),
        *("x-kubernetes-list-map-keys", "x-kubernetes-list-type", "x-kubernetes-map-type"),
        "x-kubernetes-validations",
    }
)
SECTIONS = (("parameters", "Parameters"), ("environmentConfigs", "EnvironmentConfigs"))
"""The sections of a type that hold schemas, each with the name that messages give to the type of its values."""


def schema_errors(spec: Document, path: str, *, strict: bool = True) -> Iterator[FieldError]:
    """Yield what is wrong with the schemas of ``spec``, which stands at ``path``.

    ``strict`` also refuses keywords that the contract does not know, as for types but not for releases of them.
    """
    for section, _ in SECTIONS:
        schema = _schema(spec, section)
        if schema is None:
            continue
        where = f"{path}.{section}"
        try:
            compile_schema(schema)
        except SchemaError as error:
            yield _invalid(where, f"failed to parse {section} schema: {error}")
            continue
        if strict:
            for keyword, place in _unknown_keywords(strip_vendor_extensions(resolve_refs(schema)), ""):
                unknown = f'unknown field "{keyword}"' + (f" in {place}" if place else "")
                yield _invalid(where, f"openAPIV3Schema contains unknown or invalid fields: json: {unknown}")


def schema_variables(spec: Document, *, composed: bool) -> Variables:
    """Return the types of ``parameters`` and ``environmentConfigs`` in the expressions of ``spec``.

    Without a schema, an object without fields: an expression may not read what render drops. A schema with faults
    gives ``dyn``, so that only its own faults are told and not each expression that relies on it. ``composed`` says
    whether properties without a type but with ``oneOf``, ``anyOf`` or ``allOf`` exist: so for component types and
    traits, but not for resource types.
    """
    return {section: _declared(_schema(spec, section), name, composed) for section, name in SECTIONS}


def parameter_errors(section: Document | None, values: object, path: str, owner: str) -> Iterator[FieldError]:
    """Yield how the parameters of a release break the schema of its type; defaults do not count.

    ``section`` is the type's ``parameters``, ``path`` the field of the values, ``owner`` the type in words.
    """
    schema = section.get("openAPIV3Schema") if section else None
    if not isinstance(schema, Mapping):
        return
    try:
        compiled = compile_schema(schema)
    except SchemaError as error:
        yield _invalid(path, f"{owner} snapshot has invalid schema definition: {error}")
        return
    if not isinstance(values, Mapping | None):
        yield _invalid(path, "failed to parse parameters: not an object")
    elif reasons := compiled.validate(values or {}):
        yield _invalid(path, f"parameters do not match {owner} schema: {'; '.join(reasons)}")


def _schema(spec: Document, section: str) -> Mapping[str, Any] | None:
    found = spec.get(section)
    schema = found.get("openAPIV3Schema") if isinstance(found, Mapping) else None
    return schema if isinstance(schema, Mapping) else None


def _declared(schema: Mapping[str, Any] | None, name: str, composed: bool) -> Type:
    if schema is None:
        return object_of(name, {})
    try:
        compile_schema(schema)
        stripped = strip_vendor_extensions(resolve_refs(schema))
    except CompilerError:
        return DYN
    if not isinstance(stripped, Mapping):  # for the type checker: a schema stays an object
        return DYN
    return schema_type(stripped, name, composed=composed) or object_of(name, {})


def _unknown_keywords(schema: object, place: str) -> Iterator[tuple[str, str]]:
    """Yield each unknown keyword with the place of the schema that has it, a dotted path from the root.

    As in the contract, what is below ``items``, ``additionalProperties`` and ``dependencies`` is not looked at.
    """
    if not isinstance(schema, Mapping):
        return
    prefix = f"{place}." if place else ""
    for keyword, value in schema.items():
        if keyword not in _KEYWORDS:
            yield keyword, place
        elif keyword == "not":
            yield from _unknown_keywords(value, f"{prefix}{keyword}")
        elif keyword in _LISTS_OF_SCHEMAS and isinstance(value, list):
            for index, item in enumerate(value):
                yield from _unknown_keywords(item, f"{prefix}{keyword}[{index}]")
        elif keyword == "properties" and isinstance(value, Mapping):
            for name, item in value.items():
                yield from _unknown_keywords(item, f"{prefix}{keyword}.{name}")


def _invalid(path: str, detail: str) -> FieldError:
    # The contract leaves the value out of these messages: a whole schema would hide the reason.
    return FieldError(path, "FieldValueInvalid", f"Invalid value: {detail}")
