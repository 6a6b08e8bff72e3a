"""Validation: what is valid, and in which words the rest is refused."""

import pytest

from catalog.compiler.errors import InvalidValuesError
from catalog.compiler.schema import compile_schema
from catalog.compiler.schema.validation import check

VALID: list[str] = []


@pytest.mark.parametrize(
    ("schema", "value", "texts"),
    [
        ({"type": "string"}, "a", VALID),
        ({"type": "string"}, 1.0, ['v must be of type string: "number"']),
        ({"type": "string"}, 1, ['v must be of type string: "integer"']),
        ({"type": "object"}, None, ['v must be of type object: "null"']),
        ({"type": "object", "nullable": True}, None, VALID),
        ({}, None, VALID),
        ({"type": "boolean"}, "true", ['v must be of type boolean: "string"']),
        ({"type": "integer"}, True, ['v must be of type integer: "boolean"']),
        ({"type": "integer"}, 2.0, VALID),
        (
            {"type": "integer"},
            1.5,
            ['v must be of type integer: "number"', "Checked value must be of type integer (default format) in v"],
        ),
        ({"type": "integer"}, 2**62, VALID),
        ({"type": "number"}, 3, VALID),
        ({"type": "integer", "format": "int32"}, 3e9, ["Checked value must be of type integer with format int32 in v"]),
        ({"type": "integer", "minimum": 1}, 0.0, ["v should be greater than or equal to 1"]),
        ({"type": "integer", "maximum": 10}, 11, ["v should be less than or equal to 10"]),
        ({"type": "number", "minimum": 1, "exclusiveMinimum": True}, 1.0, ["v should be greater than 1"]),
        ({"type": "number", "maximum": 1, "exclusiveMaximum": True}, 1.0, ["v should be less than 1"]),
        ({"type": "integer", "multipleOf": 5}, 7, ["v should be a multiple of 5"]),
        ({"type": "number", "multipleOf": 0.1}, 0.3, VALID),
        ({"type": "string", "minLength": 2}, "é", ["v should be at least 2 chars long"]),
        ({"type": "string", "maxLength": 2}, "ééé", ["v should be at most 2 chars long"]),
        ({"type": "string", "pattern": "^[a-z]+$"}, "A", ["v should match '^[a-z]+$'"]),
        ({"type": "string", "pattern": "b"}, "abc", VALID),
        ({"type": "string", "pattern": "^\\d+$"}, "٣", ["v should match '^\\d+$'"]),
        ({"type": "string", "enum": ["a", "b"]}, "c", ["v should be one of [a b]"]),
        ({"type": "number", "enum": [1, 2.5]}, 1.0, VALID),
        ({"enum": [None, "a"], "nullable": True}, None, ["v should be one of [<nil> a]"]),
        ({"type": "array", "minItems": 1}, [], ["v should have at least 1 items"]),
        ({"type": "array", "maxItems": 2}, [1, 2, 3], ["v should have at most 2 items"]),
        ({"type": "array", "uniqueItems": True}, [{"a": 1}, {"a": 1.0}], ["v shouldn't contain duplicates"]),
        ({"type": "array", "uniqueItems": True}, [1, True], VALID),
        ({"type": "array", "items": {"required": ["m"]}}, [{}], ["v[0].m is required"]),
        ({"type": "object", "minProperties": 1}, {}, ["v should have at least 1 properties"]),
        ({"type": "object", "maxProperties": 0}, {"a": 1}, ["v should have at most 0 properties"]),
        ({"type": "object", "additionalProperties": False}, {"b": 1}, ["v.b is a forbidden property"]),
        (
            {"type": "object", "additionalProperties": {"type": "string"}},
            {"b": True},
            ['v.b must be of type string: "boolean"'],
        ),
        ({"type": "object", "properties": {"a": {}}}, {"b": 1}, VALID),
        ({"x-kubernetes-int-or-string": True}, "50%", VALID),
        ({"x-kubernetes-int-or-string": True}, 5.0, VALID),
        ({"x-kubernetes-int-or-string": True}, True, ['v must be of type integer,string: "boolean"']),
        ({"not": {"type": "string"}}, "a", ['"v" must not validate the schema (not)']),
        (
            {"anyOf": [{"type": "integer"}, {"type": "string", "maxLength": 1}]},
            "abc",
            ['"v" must validate at least one schema (anyOf)', "v should be at most 1 chars long"],
        ),
        (
            {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
            {"a": 1, "b": 1},
            ['"v" must validate one and only one schema (oneOf). Found 2 valid alternatives'],
        ),
        (
            {"oneOf": [{"type": "string"}, {"type": "object", "required": ["b"]}]},
            {},
            ['"v" must validate one and only one schema (oneOf). Found none valid', "v.b is required"],
        ),
        (
            {"allOf": [{"minimum": 1}, {"maximum": 4}]},
            5,
            ["v should be less than or equal to 4", '"v" must validate all the schemas (allOf)'],
        ),
        ({"type": "string", "format": "date"}, "2024-02-30", ['v must be of type date: "2024-02-30"']),
        ({"type": "string", "format": "nonsense"}, "x", VALID),
    ],
)
def test_texts(schema, value, texts):
    whole = {"type": "object", "properties": {"v": schema}}
    assert compile_schema(whole).validate({"v": value}) == texts


def test_all_errors_come_at_once_in_sorted_order():
    schema = compile_schema(
        {"type": "object", "required": ["z", "y"], "properties": {"b": {"type": "string"}, "a": {"minimum": 3}}}
    )
    expected = [
        "a should be greater than or equal to 3",
        'b must be of type string: "integer"',
        ".y is required",
        ".z is required",
    ]
    assert schema.validate({"b": 1, "a": 1}) == expected
    with pytest.raises(InvalidValuesError) as caught:
        schema.require_valid({"b": 1, "a": 1})
    assert caught.value.error_class == "invalid"
    assert list(caught.value.reasons) == expected
    schema.require_valid({"y": 1, "z": 1})


FORMATS = {
    "uri": (["http://a/b", "/p", "mailto:x"], ["", "a b", "://", "/%zz"]),
    "email": (["a@b.c", "Ann <a@b.c>"], ["a", "a@", "@b", "a b@c"]),
    "hostname": (["a.b.test", "a", "1a.example.com"], ["-a.test", "a_b.test", ""]),
    "ipv4": (["10.0.0.1", "010.0.0.1"], ["10.0.0", "10.0.0.256", "::1"]),
    "ipv6": (["::1", "2001:db8::8"], ["10.0.0.1", "::g"]),
    "cidr": (["10.0.0.0/8", "fd00::/8"], ["10.0.0.0", "10.0.0.0/33"]),
    "mac": (["00:11:22:33:44:55", "0011.2233.4455"], ["00:11:22"]),
    "uuid": (["7d444840-9dc0-11d1-b245-5ffdce74fad2", "7D4448409DC011D1B2455FFDCE74FAD2"], ["7d444840"]),
    "uuid4": (["9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d"], ["7d444840-9dc0-11d1-b245-5ffdce74fad2"]),
    "byte": (["aGk="], ["aGk", "", "a-b="]),
    "date": (["2024-02-29", "0000-01-01"], ["2023-02-29", "24-1-1"]),
    "date-time": (
        ["2024-01-01T10:00:00Z", "2024-01-01t10:00:00.5+02:00"],
        ["2024-01-01 10:00:00Z", "2024-01-01T25:00:00Z"],
    ),
    "duration": (["1h30m", "22 ns", "3 days", "0"], ["x", "5", "5 parsecs"]),
    "hexcolor": (["#fff", "ABCDEF"], ["#ffff"]),
    "rgbcolor": (["rgb(1, 2,255)"], ["rgb(1,2,256)"]),
    "isbn": (["0321751043", "978-0321751041"], ["0321751044"]),
    "creditcard": (["4111 1111 1111 1111"], ["4111 1111 1111 1112"]),
    "ssn": (["123-45-6789"], ["123456789"]),
    "k8s-short-name": (["a-b"], ["A", "a.b", "a" * 64]),
    "k8s-long-name": (["a-b.c"], ["a..b", "A"]),
    "bsonobjectid": (["507f1f77bcf86cd799439011"], ["507f"]),
}


@pytest.mark.parametrize("name", FORMATS)
def test_formats(name):
    schema = compile_schema({"type": "string", "format": name})
    good, bad = FORMATS[name]
    assert {text: schema.validate(text) for text in good} == {text: [] for text in good}
    for text in bad:
        assert schema.validate(text) == [f' must be of type {name}: "{text}"'], text


def test_the_quick_answer_never_hides_an_error():
    """Whatever jsonschema-rs lets pass, the full check must let pass too."""
    for name, (good, bad) in FORMATS.items():
        schema = compile_schema({"type": "string", "format": name, "pattern": "^[^x]*$", "maxLength": 60})
        for text in [*good, *bad]:
            assert bool(schema.validate(text)) == bool(check(schema._checked, text))
