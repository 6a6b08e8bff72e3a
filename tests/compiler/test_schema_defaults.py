"""Defaulting: which values get which defaults."""

import copy
import threading

import pytest

from catalog.compiler.errors import CompilerError
from catalog.compiler.schema import compile_schema
from catalog.compiler.schema.compiled import _CACHE_SIZE, _compiled

ON = {"type": "object", "properties": {"on": {"type": "boolean", "default": True}}}


@pytest.mark.parametrize(
    ("title", "properties", "value", "result"),
    [
        ("absent", {"a": {"default": 1}}, {}, {"a": 1}),
        ("present", {"a": {"default": 1}}, {"a": 0}, {"a": 0}),
        ("null", {"a": {"default": 1}}, {"a": None}, {"a": 1}),
        ("null that may be null", {"a": {"default": 1, "nullable": True}}, {"a": None}, {"a": None}),
        ("null default", {"a": {"default": None}}, {}, {}),
        ("nested, parent absent", {"a": ON}, {}, {}),
        ("nested, parent present", {"a": ON}, {"a": {}}, {"a": {"on": True}}),
        ("nested, parent defaulted", {"a": {**ON, "default": {}}}, {}, {"a": {"on": True}}),
        ("nested, parent of another type", {"a": ON}, {"a": "x"}, {"a": "x"}),
        ("list", {"a": {"items": ON}}, {"a": [{}, 1, None]}, {"a": [{"on": True}, 1, None]}),
        ("null item", {"a": {"items": {**ON, "default": {}}}}, {"a": [None]}, {"a": [{"on": True}]}),
        ("default list", {"a": {"default": [{}], "items": ON}}, {}, {"a": [{"on": True}]}),
        ("map", {"a": {"additionalProperties": ON}}, {"a": {"k": {}}}, {"a": {"k": {"on": True}}}),
        ("null in map", {"a": {"additionalProperties": {"default": "d"}}}, {"a": {"k": None}}, {"a": {"k": "d"}}),
        ("inside oneOf", {"a": {"oneOf": [ON]}}, {"a": {}}, {"a": {}}),
        ("unknown property kept", {"a": {"default": 1}}, {"b": 2}, {"a": 1, "b": 2}),
        ("vendor-named property", {"x-a": {"default": 1}}, {}, {}),
        ("vendor keys in a default", {"a": {"default": {"x-b": 1, "c": 2}}}, {}, {"a": {"c": 2}}),
        ("awkward names", {"it's \"\\n": {"default": "\n'\""}}, {}, {"it's \"\\n": "\n'\""}),
    ],
)
def test_defaults(title, properties, value, result):
    before = copy.deepcopy(value)
    assert compile_schema({"type": "object", "properties": properties}).default(value) == result
    assert value == before


def test_the_default_of_the_root_has_no_effect():
    assert compile_schema({"type": "object", "default": {"a": 1}}).default({}) == {}


def test_no_values_are_empty_values():
    assert compile_schema({"properties": {"a": {"default": 1}}}).default(None) == {"a": 1}


def test_integral_defaults_are_integers_and_others_floats():
    values = compile_schema({"properties": {"a": {"default": 1.0}, "b": {"default": 0.5}}}).default({})
    assert [type(values["a"]), type(values["b"])] == [int, float]


def test_every_result_has_defaults_of_its_own():
    schema = compile_schema({"properties": {"a": {"default": {"l": []}}}})
    schema.default({})["a"]["l"].append(1)
    assert schema.default({}) == {"a": {"l": []}}


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        ({"properties": {"a": {"type": ["string"]}}}, "properties.a.type"),
        ({"properties": {"a": True}}, "properties.a"),
        ({"items": [{}]}, "items"),
        ({"exclusiveMinimum": 3}, "exclusiveMinimum"),
        ({"maxLength": 1.5}, "maxLength"),
        ({"required": "a"}, "required"),
        ({"patternProperties": {"a": {}}}, "patternProperties"),
        ({"allOf": [{"definitions": {"a": {}}}]}, "allOf[0].definitions"),
        ({"id": "x"}, "id"),
        ({"x-kubernetes-preserve-unknown-fields": False}, "x-kubernetes-preserve-unknown-fields"),
        ({"properties": {"a": {"$ref": "#/$defs/Nope"}}}, "$ref"),
    ],
)
def test_a_schema_that_is_not_structural_is_refused_with_its_place(schema, place):
    with pytest.raises(CompilerError) as caught:
        compile_schema(schema)
    assert caught.value.error_class == "schema"
    assert place in str(caught.value)


def test_no_schema_is_refused():
    with pytest.raises(CompilerError, match="schema is nil"):
        compile_schema(None)


def test_equal_schemas_are_compiled_once_and_the_cache_is_bounded():
    assert compile_schema({"a": 1, "type": "object"}) is compile_schema({"type": "object", "a": 1})
    for number in range(_CACHE_SIZE + 10):
        compile_schema({"title": f"bounded {number}"})
    assert len(_compiled) == _CACHE_SIZE


def test_threads_may_share_a_schema():
    results: list[object] = []

    def use(number: int) -> None:
        schema = compile_schema({"type": "object", "properties": {"shared": {"type": "integer", "default": 7}}})
        results.extend((schema.default({}), schema.validate({"shared": "x"})) for _ in range(50))

    threads = [threading.Thread(target=use, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [({"shared": 7}, ['shared must be of type integer: "string"'])] * 400
