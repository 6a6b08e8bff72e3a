"""Inlining of ``$ref``: what is accepted, what overlays what, and which references are refused."""

import pytest

from catalog.compiler.errors import CompilerError
from catalog.compiler.schema import resolve_refs


def test_what_stands_beside_a_reference_overlays_the_definition():
    schema = {
        "$defs": {"Port": {"type": "integer", "default": 80, "maximum": 9}},
        "properties": {"p": {"$ref": "#/$defs/Port", "default": 8080, "x-ui": "picker"}},
    }
    resolved = {"properties": {"p": {"type": "integer", "default": 8080, "maximum": 9, "x-ui": "picker"}}}
    assert resolve_refs(schema) == resolved
    assert "$defs" in schema


def test_references_are_followed_through_every_keyword_that_holds_schemas():
    definition = {"A": {"type": "string"}}
    reference, inlined = {"$ref": "#/$defs/A"}, {"type": "string"}
    for keyword in ("items", "additionalProperties", "not", "if", "then", "else"):
        assert resolve_refs({"$defs": definition, keyword: reference}) == {keyword: inlined}
    for keyword in ("allOf", "oneOf", "anyOf"):
        assert resolve_refs({"$defs": definition, keyword: [reference]}) == {keyword: [inlined]}
    for keyword in ("properties", "patternProperties"):
        assert resolve_refs({"$defs": definition, keyword: {"x": reference}}) == {keyword: {"x": inlined}}


def test_an_empty_defs_stays():
    assert resolve_refs({"$defs": {}, "type": "object"}) == {"$defs": {}, "type": "object"}


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("https://example.com/a.json", "only local $ref supported"),
        ("A", "must start with #/"),
        ("#/definitions/A", "expected #/$defs/Name"),
        ("#/$defs/A/B", "expected #/$defs/Name"),
        ("#/$defs", "expected #/$defs/Name"),
        ("#/$defs/", "empty definition name"),
        ("#/$defs/Nope", "not found in definitions"),
        ("#/$defs/Text", "no object"),
        ("#/$defs/A", "circular $ref: A → B → A"),
        (7, "must be a string"),
    ],
)
def test_other_references_are_refused(reference, reason):
    definitions = {"A": {"items": {"$ref": "#/$defs/B"}}, "B": {"not": {"$ref": "#/$defs/A"}}, "Text": "x"}
    with pytest.raises(CompilerError) as caught:
        resolve_refs({"$defs": definitions, "properties": {"a": {"$ref": reference}}})
    assert caught.value.error_class == "ref"
    assert reason in str(caught.value)


def test_a_reference_without_definitions_and_endless_nesting_are_refused():
    with pytest.raises(CompilerError, match="no definitions available"):
        resolve_refs({"properties": {"a": {"$ref": "#/$defs/A"}}})
    deep: dict[str, object] = {"type": "string"}
    for _ in range(80):
        deep = {"items": deep}
    with pytest.raises(CompilerError, match="maximum depth of 64"):
        resolve_refs(deep)
