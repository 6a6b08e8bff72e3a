"""Hashes of resources: the text of every type, and the vectors of the contract."""

import pytest

from catalog.compiler.cel.values import NULL, StringList, UInt
from catalog.compiler.gohash import compute_hash, value_text

CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap"}


@pytest.mark.parametrize(
    ("resources", "digest"),
    [
        ([{"data": {"k": "v"}}], "69df8cf4b"),
        ([{"l": [None, True, "s", {"z": 1.0, "a": []}, [1]]}, {}], "6cf6fff666"),
        ([{**CONFIG_MAP, "data": {"a": 1.0}}], "5c6546c97f"),
        ([{**CONFIG_MAP, "data": {"a": 1}}], "7c4ccffb8"),
        ([{**CONFIG_MAP, "data": {"a": StringList(["a", "b"])}}], "dfb8c76f6"),
        ([{**CONFIG_MAP, "data": {"a": NULL, "b": None}}], "cd7f96c5b"),
    ],
)
def test_vectors(resources, digest):
    assert compute_hash(resources) == digest


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1000000.0, "(float64)1e+06"),
        (-3.0, "(float64)-3"),
        (UInt(7), "(uint64)7"),
        (False, "(bool)false"),
        ([], "([]interface {})[]"),
        ({}, "(map[string]interface {})map[]"),
        (
            {"b": "x y", "a": [1.5, "s"]},
            "(map[string]interface {})map[a:([]interface {})[(float64)1.5 (string)s] b:(string)x y]",
        ),
        (StringList(["a", "b"]), "([]string)[a b]"),
        (NULL, "(structpb.NullValue)0"),
    ],
)
def test_text_of_values(value, text):
    assert value_text(value) == text


def test_values_that_no_manifest_holds_are_refused():
    with pytest.raises(TypeError):
        value_text(object())
