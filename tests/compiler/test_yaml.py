"""Reading and writing YAML: the rules of the contract's reader, positions for messages, and limits on hostile input."""

import json
import math

import pytest
import yaml as pyyaml
from hypothesis import given
from hypothesis import strategies as st

from catalog.compiler.errors import YamlError
from catalog.compiler.yaml import Limits, dump, load, load_documents


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("y", True),
        ("N", False),
        ("oN", "oN"),
        ("Off", False),
        ("~", None),
        ("nUll", "nUll"),
        ("017", 15),
        ("0o17", 15),
        ("08", 8),
        ("0b11", 3),
        ("-0b11", -3),
        ("0x1F", 31),
        ("1_000", 1000),
        ("+1", 1),
        ("1e3", 1000),
        (".5", 0.5),
        ("._5", "._5"),
        ("1.", 1),
        ("1.5", 1.5),
        ("12:30", "12:30"),
        ("12:30:45", "12:30:45"),
        ("2024-01-01", "2024-01-01"),
        ("2001-01-01T00:00:00Z", "2001-01-01T00:00:00Z"),
        ("1e1000", "1e1000"),
        ("123456789012345678901234567890", 1.2345678901234568e29),
        ("18446744073709551615", 18446744073709551615),
        ("=", "="),
        ("<<", "<<"),
        ("'5'", "5"),
        ("!!str 5", "5"),
        ("!!int '5'", 5),
        ("!foo 5", "5"),
        ("!!binary aGVsbG8=", "hello"),
    ],
)
def test_a_scalar_means_what_go_yaml_reads(text, value):
    read = load(f"a: {text}")["a"]
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("key", "text"),
    [("n", "false"), ("1", "1"), ("1e6", "1e+06"), ("0.1", "0.1"), ("16777217.0", "1.6777216e+07"), ("'n'", "n")],
)
def test_map_keys_become_text(key, text):
    assert load(f"{key}: x") == {text: "x"}


def test_a_merge_is_overwritten_only_by_keys_after_it():
    text = "base: &b {a: 1, b: 1}\nbefore: {a: 2, <<: *b}\nafter: {<<: [*b, {c: 3, a: 9}], b: 2}\n"
    assert load(text)["before"] == {"a": 1, "b": 1}
    assert load(text)["after"] == {"a": 1, "b": 2, "c": 3}


def test_what_aliases_stand_for_is_not_shared():
    value = load("a: &x {k: []}\nb: *x\n")
    value["a"]["k"].append(1)
    assert value["b"] == {"k": []}


@pytest.mark.parametrize(
    ("text", "line", "column", "reason"),
    [
        ("a: 1\nb: {x: 1,\n  x: 2}\n", 3, 3, 'duplicate key "x" (first at line 2)'),
        ("1: a\n'1': b\n", 2, 1, 'duplicate key "1" (first at line 1)'),
        ("a:\n  null: 1\n", 2, 3, "must not be null"),
        ("a: .inf\n", 1, 4, "unsupported value: +Inf"),
        ("a:\n- .nan\n", 2, 3, "unsupported value: NaN"),
        ("a: 'x\nb: 2\n", 3, 1, "end of stream"),
        ("a: 1\n- b\n", 2, 1, "did not find expected key"),
        ("[1]: x\n", 1, 1, "map key must be a scalar"),
        ("a: *nope\n", 1, 4, "unknown anchor 'nope'"),
        ("a: &a [*a]\n", 1, 8, "contains itself"),
        ("a: 1\nb: \x00\n", 2, 4, "control characters are not allowed"),
        (b"a: 1\nb: caf\xe9\n", 2, 7, "invalid UTF-8: byte 0xe9"),
        ("a: !!int x\n", 1, 4, "cannot decode"),
        ("<<: 5\n", 1, 5, "map merge requires"),
        ("\ta: 1\n", 1, 1, "cannot start any token"),
    ],
)
def test_an_error_says_file_line_column_and_reason(text, line, column, reason):
    with pytest.raises(YamlError) as caught:
        load(text, "app.yaml")
    error = caught.value
    assert (error.name, error.line, error.column) == ("app.yaml", line, column)
    assert reason in error.reason
    assert str(error).startswith(f"app.yaml:{line}:{column}: ")


def test_one_broken_document_does_not_hide_the_others():
    text = "a: 1\n---\nb: [\n---\nc: 3\nc: 4\n---\n# only a comment\n--- # also\nd: \x01\n...\ne: 5\n"
    documents = list(load_documents(text, "all.yaml"))
    assert [(d.index, d.line) for d in documents] == [(0, 1), (1, 2), (2, 4), (3, 9), (4, 11)]
    assert [d.error and d.error.line for d in documents] == [None, 4, 6, 10, None]
    assert [d.content for d in documents if d.error is None] == [{"a": 1}, {"e": 5}]
    with pytest.raises(YamlError):
        documents[1].value  # noqa: B018


def test_a_marker_inside_a_block_scalar_is_text_only_when_indented():
    assert load("a: |\n  x\n  ---\n  y\n") == {"a": "x\n---\ny\n"}
    assert [d.value for d in load_documents("--- |\n x\n---\nb: 1\n")] == ["x\n", {"b": 1}]


def test_directives_belong_to_the_document_after_them():
    text = "%YAML 1.1\n---\na: 1\n...\n%TAG !e! tag:example.org,2000:\n---\nb: !e!x 5\n"
    assert [(d.line, d.value) for d in load_documents(text)] == [(1, {"a": 1}), (4, {"b": "5"})]


def test_byte_order_mark_and_windows_line_ends_are_accepted():
    assert [d.value for d in load_documents(b"\xef\xbb\xbfa: 1\r\n---\r\nb: 2\r\n")] == [{"a": 1}, {"b": 2}]


def test_it_finds_the_line_of_a_field():
    ports = "  ports:\n  - name: a\n    port: 1\n  - {name: b,\n     port: 2}\n"
    text = "x: 1\n---\nspec:\n" + ports + "  labels:\n    a.b/c: v\n    n: w\n"
    document = list(load_documents(text, "f.yaml"))[1]
    assert document.line_of("spec.ports[0].port") == 6
    assert document.line_of("spec.ports[1].port") == 8
    assert document.line_of("spec.labels[a.b/c]") == 10
    assert document.line_of(("spec", "labels", "false")) == 11
    assert document.line_of("spec.ports[1].protocol") == 7
    assert document.line_of("kind") == 3
    assert document.location("spec.ports[0]") == "f.yaml:5"


def test_input_larger_than_the_limit_is_refused_at_once():
    with pytest.raises(YamlError, match="larger than the limit of 10 bytes"):
        load_documents("a: " + "x" * 10, limits=Limits(bytes=10))
    with pytest.raises(YamlError, match="limit of 10485760 bytes"):
        load_documents(b"#" * (10 * 1024 * 1024 + 1))


@pytest.mark.parametrize(
    "text", ["[" * 5000, "{a: " * 5000, "- " * 5000, "".join(" " * i + "a:\n" for i in range(400))]
)
def test_deep_nesting_is_refused(text):
    with pytest.raises(YamlError, match="nested deeper than the limit of 200 levels"):
        load(text)


def test_an_alias_bomb_is_refused():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [" + ", ".join([f"*a{i - 1}"] * 9) + "]" for i in range(1, 10)]
    with pytest.raises(YamlError, match="aliases expand to more than the limit of 100000 nodes"):
        load("\n".join(lines))


def test_aliases_do_not_get_around_the_depth_limit():
    deep = "[" * 150 + "{}" + "]" * 150
    nested = "[" * 60 + "*a" + "]" * 60
    with pytest.raises(YamlError, match="nested deeper"):
        load(f"a: &a {deep}\nb: {nested}\n")


SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=20)
AWKWARD = st.text(alphabet=st.sampled_from("0123456789+-._eExoby:~ \n#'\"|>&*!%@`{}[],?\t\\=<"), max_size=12)
# Between 2^53 and 2^64 the shortest digits of a float, read as an integer, are not exactly that float.
FLOATS = st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: not 2**53 <= abs(x) < 2**64)
VALUES = st.recursive(
    SCALARS | AWKWARD | FLOATS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(AWKWARD | st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_what_it_writes_it_reads_back(value):
    assert load(dump(value)) == value


@given(AWKWARD)
def test_other_readers_take_text_for_text(text):
    assert pyyaml.safe_load(dump({"a": text})) == {"a": text}


def test_it_writes_sorted_blocks_and_quotes_what_would_be_misread():
    value = {
        "z": ["on", "1e3", "12:30", "0o17", "plain", "2024-01-01", "1e1000"],
        "script": "#!/bin/sh\necho hi\n",
        "a": {"replicas": 3.0, "ratio": 0.5, "none": None, "big": 1e21, "yes": True},
        "empty": {"l": [], "m": {}, "s": ""},
    }
    assert dump(value) == (
        'a:\n  big: 1.0e+21\n  none: null\n  ratio: 0.5\n  replicas: 3\n  "yes": true\n'
        'empty:\n  l: []\n  m: {}\n  s: ""\n'
        "script: |\n  #!/bin/sh\n  echo hi\n"
        'z:\n- "on"\n- "1e3"\n- "12:30"\n- "0o17"\n- plain\n- "2024-01-01"\n- "1e1000"\n'
    )


def test_text_of_several_lines_stays_readable():
    assert dump({"a": "x\ny"}) == "a: |-\n  x\n  y\n"


@pytest.mark.parametrize(("value", "error"), [(math.inf, ValueError), (math.nan, ValueError), (object(), TypeError)])
def test_it_refuses_to_write_what_json_cannot_hold(value, error):
    with pytest.raises(error):
        dump({"a": value})


def test_sample_documents_survive_reading_and_writing(conformance):
    count = 0
    for path in sorted((conformance / "samples").rglob("*.yaml")):
        for document in load_documents(path.read_bytes(), path.name):
            assert load(dump(document.value)) == document.value
            assert json.loads(json.dumps(document.value)) == document.value
            count += 1
    assert count > 50
