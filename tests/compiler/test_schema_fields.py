"""Pruning and field errors, by which the kinds admit what they are sent."""

import copy
import json

import pytest

from catalog.compiler.schema import compile_schema
from catalog.compiler.yaml import load_documents


@pytest.mark.parametrize(
    ("schema", "value", "error"),
    [
        ({"required": ["x"]}, {}, "spec.x: Required value"),
        (
            {"properties": {"x": {"enum": ["a", "b", 1]}}},
            {"x": "v"},
            'spec.x: Unsupported value: "v": supported values: "a", "b", "1"',
        ),
        (
            {"properties": {"x": {"pattern": "^a"}}},
            {"x": "v"},
            "spec.x: Invalid value: \"v\": spec.x in body should match '^a'",
        ),
        (
            {"properties": {"x": {"type": "string"}}},
            {"x": 5},
            'spec.x: Invalid value: "integer": spec.x in body must be of type string: "integer"',
        ),
        (
            {"properties": {"x": {"maxItems": 2}}},
            {"x": [1, 2, 3]},
            "spec.x: Too many: 3: must have at most 2 items",
        ),
        ({"properties": {"x": {"maxLength": 1}}}, {"x": "ab"}, "spec.x: Too long: may not be more than 1 byte"),
        (
            {"properties": {"x": {"minLength": 1}}},
            {"x": ""},
            'spec.x: Invalid value: "": spec.x in body should be at least 1 chars long',
        ),
        (
            {"properties": {"x": {"minItems": 1}}},
            {"x": []},
            "spec.x: Invalid value: 0: spec.x in body should have at least 1 items",
        ),
        (
            {"properties": {"x": {"items": {"properties": {"port": {"maximum": 65535}}}}}},
            {"x": [{"port": 70000}]},
            "spec.x[0].port: Invalid value: 70000: spec.x[0].port in body should be less than or equal to 65535",
        ),
        (
            {"additionalProperties": False},
            {"x": 1},
            'spec: Invalid value: "x": spec.x in body is a forbidden property',
        ),
        (
            {"not": {"required": ["a"]}},
            {"a": 1},
            '<nil>: Invalid value: "": "spec" must not validate the schema (not)',
        ),
        (
            {"properties": {"x": {"x-kubernetes-list-type": "set"}}},
            {"x": ["a", "b", "a", "a"]},
            'spec.x[2]: Duplicate value: "a"',
        ),
        (
            {"properties": {"x": {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["id"]}}},
            {"x": [{"id": "a"}, {"id": "b"}, {"id": "a", "v": 1}]},
            'spec.x[2]: Duplicate value: {"id":"a"}',
        ),
    ],
)
def test_errors_read_as_the_api_server_writes_them(schema, value, error):
    assert [str(e) for e in compile_schema(schema).field_errors(value, "spec")] == [error]


def test_a_combined_error_still_knows_its_field():
    (error,) = compile_schema({"not": {"type": "object"}}).field_errors({}, "spec")
    assert (error.path, error.reason) == ("spec", "FieldValueInvalid")


def test_at_the_root_paths_begin_with_the_field():
    (error,) = compile_schema({"required": ["spec"]}).field_errors({})
    assert (error.path, str(error)) == ("spec", "spec: Required value")


SPEC = {
    "type": "object",
    "properties": {
        "known": {"type": "object", "properties": {"a": {"type": "string"}}},
        "free": {
            "type": "object",
            "x-kubernetes-preserve-unknown-fields": True,
            "properties": {"a": {"type": "object", "properties": {}}},
        },
        "map": {"type": "object", "additionalProperties": {"type": "object", "properties": {"a": {}}}},
        "any": {"type": "object", "additionalProperties": True},
        "list": {"type": "array", "items": {"type": "object", "properties": {"a": {}}}},
        "resource": {"type": "object", "x-kubernetes-embedded-resource": True, "properties": {"spec": {}}},
    },
}


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ({"unknown": 1, "known": {"a": "x", "b": 1}}, {"known": {"a": "x"}}),
        ({"free": {"b": {"c": 1}, "a": {"d": 1}}}, {"free": {"b": {"c": 1}, "a": {}}}),
        ({"map": {"k": {"a": 1, "b": 2}}}, {"map": {"k": {"a": 1}}}),
        ({"any": {"k": {"a": 1}, "s": 1}}, {"any": {"k": {}, "s": 1}}),
        ({"list": [{"a": 1, "b": 2}, 3]}, {"list": [{"a": 1}, 3]}),
        ({"resource": {"kind": "X", "metadata": {"z": 1}, "y": 1}}, {"resource": {"kind": "X", "metadata": {"z": 1}}}),
        ({"known": "not an object"}, {"known": "not an object"}),
    ],
)
def test_unknown_fields_are_pruned(value, kept):
    before = copy.deepcopy(value)
    assert compile_schema(SPEC).prune(value) == kept
    assert value == before


def test_nulls_without_meaning_are_dropped():
    schema = compile_schema(
        {
            "properties": {
                "a": {},
                "b": {"nullable": True},
                "c": {"default": 1},
                "l": {"items": {"properties": {"a": {}}}},
            },
            "additionalProperties": {"type": "string"},
        }
    )
    value = {"a": None, "b": None, "c": None, "other": None, "l": [{"a": None}, None]}
    assert schema.drop_nulls(value) == {"b": None, "c": None, "l": [{}, None]}


def test_what_a_running_platform_stored_is_valid_and_needs_no_pruning(conformance):
    """Every recorded object is unchanged by pruning and free of errors under its CustomResourceDefinition."""
    schemas = {}
    for path in (conformance / "crds").glob("*.yaml"):
        (document,) = load_documents(path.read_bytes(), path.name)
        spec = document.value["spec"]
        schemas[spec["names"]["kind"]] = compile_schema(spec["versions"][0]["schema"]["openAPIV3Schema"])
    checked = set()
    for line in (conformance / "live" / "objects.jsonl").read_text().splitlines():
        for value in _objects(json.loads(line)):
            if value.get("kind") in schemas and str(value.get("apiVersion")).startswith("openchoreo.dev/"):
                schema = schemas[value["kind"]]
                body = {key: value[key] for key in ("apiVersion", "kind", "spec", "status") if key in value}
                assert schema.prune(body) == body
                assert [str(error) for error in schema.field_errors(body)] == []
                checked.add(value["kind"])
    assert len(checked) > 15


def _objects(node):
    if isinstance(node, dict):
        if "apiVersion" in node and "kind" in node:
            yield node
        else:
            for child in node.values():
                yield from _objects(child)
    elif isinstance(node, list):
        for child in node:
            yield from _objects(child)
