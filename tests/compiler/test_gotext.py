"""Values as Go writes them."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.compiler.gotext import float_text, json_text, value_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (8080.0, "8080"),
        (123456.0, "123456"),
        (999999.0, "999999"),
        (1000000.0, "1e+06"),
        (12345678.0, "1.2345678e+07"),
        (123456.5, "123456.5"),
        (1234567.5, "1.2345675e+06"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (1e21, "1e+21"),
        (1e100, "1e+100"),
        (-3.0, "-3"),
        (0.0, "0"),
        (-0.0, "-0"),
        (math.inf, "+Inf"),
        (math.nan, "NaN"),
        (2.5e-7, "2.5e-07"),
    ],
)
def test_floats_in_text_have_six_places_before_an_exponent(value, text):
    assert float_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1000000.0, "1000000"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (1.5e-10, "1.5e-10"),
        (12.5, "12.5"),
        ('<a&b>\u2028\x01\n"\\', '"\\u003ca\\u0026b\\u003e\\u2028\\u0001\\n\\"\\\\"'),
        ({"b": [1, None, True], "a": {}}, '{"a":{},"b":[1,null,true]}'),
        ("größe", '"größe"'),
    ],
)
def test_json_has_sorted_keys_and_escapes_html(value, text):
    assert json_text(value) == text


# Integral floats print without a point; beyond 2^53 their shortest digits, read as an integer, are another number.
FLOATS = st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: not 2**53 <= abs(x) < 1e21)
SCALARS = st.none() | st.booleans() | st.integers() | FLOATS | st.text()


@given(st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8))
def test_its_json_reads_back(value):
    assert json.loads(json_text(value)) == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_its_float_text_keeps_every_bit(value):
    assert float(float_text(value)) == value


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_single_precision_text_keeps_every_bit_of_single_precision(value):
    assert float_text(float(float_text(value, bits=32)), bits=32) == float_text(value, bits=32)


def test_values_print_as_go_prints_them():
    assert value_text({"b": [None, 1.0, "x"], "a": True}) == "map[a:true b:[<nil> 1 x]]"


@pytest.mark.parametrize("value", [math.inf, math.nan])
def test_numbers_without_json_form_are_refused(value):
    with pytest.raises(ValueError, match="no JSON form"):
        json_text([value])
