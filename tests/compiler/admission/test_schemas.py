"""Schemas of parameters: unknown keywords, references, structure; and the parameters of a release."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.compiler.admission.schemas import parameter_errors, schema_errors
from tests.compiler.admission.specs import paths, schema, texts


def found(root: dict[str, Any], **more: Any) -> list[str]:
    return texts(schema_errors({"parameters": {"openAPIV3Schema": root}}, "spec", **more))


@pytest.mark.parametrize(
    "root",
    [
        {},
        {"type": "object", "properties": {"a": {"type": "string", "default": "x", "x-ui-order": 1}}},
        {"$defs": {"Port": {"type": "integer"}}, "properties": {"p": {"$ref": "#/$defs/Port", "default": 80}}},
        {"properties": {"types": {"type": "string"}, "p": {"x-kubernetes-int-or-string": True, "nullable": True}}},
        {"allOf": [{"required": ["a"]}], "not": {"required": ["b"]}, "externalDocs": {"url": "https://a.example"}},
    ],
)
def test_a_sound_schema_passes(root: dict[str, Any]) -> None:
    assert found(root) == []


def test_a_keyword_that_does_not_exist_is_told_with_its_place() -> None:
    root = {"typ": "object", "properties": {"a": {"type": "object", "properties": {"b": {"minimun": 1}}}}}
    assert found(root) == [
        'spec.parameters: Invalid value: openAPIV3Schema contains unknown or invalid fields: json: unknown field "typ"',
        "spec.parameters: Invalid value: openAPIV3Schema contains unknown or invalid fields: json: "
        'unknown field "minimun" in properties.a.properties.b',
    ]


@pytest.mark.parametrize("where", ["allOf", "anyOf", "oneOf"])
def test_keywords_of_alternatives_are_looked_at(where: str) -> None:
    assert found({where: [{}, {"const": 1}]})[0].endswith(f'unknown field "const" in {where}[1]')
    assert found({"not": {"const": 1}})[0].endswith('unknown field "const" in not')


def test_as_in_the_contract_keywords_below_items_and_maps_are_not_looked_at() -> None:
    assert found({"properties": {"a": {"type": "array", "items": {"const": 1}}}}) == []
    assert found({"additionalProperties": {"const": 1}}) == []


def test_releases_may_hold_keywords_that_types_may_not() -> None:
    assert found({"const": 1}, strict=False) == []


@pytest.mark.parametrize(
    ("root", "reason"),
    [
        ({"$ref": "#/$defs/Absent"}, "not found"),
        ({"$ref": "https://a.example/schema"}, "only local $ref supported"),
        ({"$defs": {"A": {"$ref": "#/$defs/A"}}, "properties": {"a": {"$ref": "#/$defs/A"}}}, "circular $ref"),
        ({"type": ["string", "null"]}, "type must be a string"),
        ({"properties": {"a": {"patternProperties": {"x": {}}}}}, "patternProperties is not supported"),
        ({"properties": {"a": {"items": [{}]}}}, "properties.a.items must be a schema"),
        ({"properties": []}, "properties must be an object"),
        ({"required": "name"}, "required must be a list"),
    ],
)
def test_a_schema_that_cannot_be_read_is_told_once(root: dict[str, Any], reason: str) -> None:
    (error,) = found(root)
    assert error.startswith("spec.parameters: Invalid value: failed to parse parameters schema: ")
    assert reason in error


def test_both_sections_are_looked_at() -> None:
    spec = {"parameters": {"openAPIV3Schema": {"a": 1}}, "environmentConfigs": {"openAPIV3Schema": {"b": 1}}}
    assert paths(schema_errors(spec, "spec")) == ["spec.parameters", "spec.environmentConfigs"]


SECTION = schema(name={"type": "string"}, size={"type": "integer", "default": 1})
SECTION["openAPIV3Schema"]["required"] = ["size"]


def parameters(values: object, section: Any = SECTION) -> list[str]:
    return texts(parameter_errors(section, values, "spec.parameters", "ResourceType"))


def test_parameters_that_fit_pass() -> None:
    assert parameters({"name": "a", "size": 2, "more": True}) == []


def test_all_that_does_not_fit_is_told_and_defaults_do_not_count() -> None:
    (error,) = parameters({"name": 5})
    assert error.startswith("spec.parameters: Invalid value: parameters do not match ResourceType schema: ")
    assert ".size is required" in error
    assert "name must be of type string" in error


def test_absent_parameters_are_none_at_all() -> None:
    assert parameters(None) == [
        "spec.parameters: Invalid value: parameters do not match ResourceType schema: .size is required"
    ]


def test_without_a_schema_any_parameters_pass() -> None:
    assert parameters({"a": 1}, None) == []
    assert parameters({"a": 1}, {}) == []


def test_parameters_must_be_an_object() -> None:
    assert parameters([1])[0].endswith("failed to parse parameters: not an object")


def test_a_frozen_schema_that_cannot_be_read_is_told() -> None:
    assert "snapshot has invalid schema definition" in parameters({}, {"openAPIV3Schema": {"type": 5}})[0]
