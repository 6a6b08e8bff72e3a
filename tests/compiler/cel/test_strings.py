"""Functions of texts, formats and encoders."""

from __future__ import annotations

import pytest

from catalog.compiler.cel.values import StringList
from tests.compiler.cel.expressions import evaluate, failure

VALUES = [
    ("'héllo'.size()", 5),
    ("'héllo'.charAt(1)", "é"),
    ("'abc'.charAt(3)", ""),
    ("'abcabc'.indexOf('c')", 2),
    ("'abcabc'.indexOf('c', 3)", 5),
    ("'abc'.indexOf('')", 0),
    ("'abc'.indexOf('', 9)", 3),
    ("'abc'.indexOf('z')", -1),
    ("'abcabc'.lastIndexOf('a')", 3),
    ("'abcabc'.lastIndexOf('a', 2)", 0),
    ("'abc'.lastIndexOf('')", 3),
    ("'TacoCÆt'.lowerAscii()", "tacocÆt"),
    ("'tacocæt'.upperAscii()", "TACOCæT"),
    ("'aaa'.replace('a', 'b')", "bbb"),
    ("'aaa'.replace('a', 'b', 2)", "bba"),
    ("'aaa'.replace('a', 'b', -1)", "bbb"),
    ("'ab'.replace('', '-')", "-a-b-"),
    ("'a,b,,c'.split(',')", ["a", "b", "", "c"]),
    ("'a,b,c'.split(',', 2)", ["a", "b,c"]),
    ("'abc'.split('')", ["a", "b", "c"]),
    ("'abc'.split('', 2)", ["a", "bc"]),
    ("'abc'.split(',', 0)", []),
    ("''.split(',')", [""]),
    ("'abc'.substring(1)", "bc"),
    ("'abc'.substring(1, 2)", "b"),
    ("'\\u2003 a\\t'.trim()", "a"),
    ("['a', 'b'].join()", "ab"),
    ("['a', 'b'].join('-')", "a-b"),
    ("[].join('-')", ""),
    ("'abc'.reverse()", "cba"),
    ("strings.quote('a\"b\\n')", '"a\\"b\\n"'),
    ("'abc'.contains('b') && 'abc'.startsWith('a') && 'abc'.endsWith('c')", True),
    ("'abc123'.matches('[a-c]+[0-9]')", True),
    ("matches('abc', '^b')", False),
    ("string(1000000.0)", "1e+06"),
    ("string(123456.0)", "123456"),
    ("string(0.00001)", "1e-05"),
    ("string(-0.0)", "-0"),
    ("string(1e23)", "1e+23"),
    ("string(b'a')", "a"),
    ("string(true) + string(1) + string(2u) + string('x')", "true12x"),
    ("string(duration('1h30m'))", "5400s"),
    ("int('-42') + int('+7')", -35),
    ("int(2.9) + int(-2.9)", 0),
    ("double('1.5') + double('1e1')", 11.5),
    ("bool('true') && !bool('F')", True),
    ("bytes('é') == b'\\xc3\\xa9'", True),
    ("base64.encode(b'hello')", "aGVsbG8="),
    ("base64.decode('aGVsbG8') == base64.decode('aGVsbG8=')", True),
    ("json.encode({'b': [1, 2.5, null], 'a': '<é>'})", '{"a":"\\u003cé\\u003e","b":[1,2.5,null]}'),
    ("json.encode(9007199254740993)", '"9007199254740993"'),
]
FORMATS = [
    ("'%s'.format([1000000.0])", "1000000"),
    ("'%s'.format([{'b': [1, null], 'a': true}])", "{a: true, b: [1, null]}"),
    ("'%s'.format([duration('90s')])", "90s"),
    ("'%s'.format([timestamp('2020-01-02T03:04:05.5Z')])", "2020-01-02T03:04:05.5Z"),
    ("'%s %s'.format([type(1), b'x'])", "int x"),
    ("'%d %d'.format([1, 8080.0])", "1 8080"),
    ("'%d'.format([0.0 / 0.0])", "NaN"),
    ("'%.2f %f'.format([1.005, 2])", "1.00 2.000000"),
    ("'%.3e'.format([1234.5678])", "1.235e+03"),
    ("'%b %b'.format([5, true])", "101 1"),
    ("'%x %X %x'.format([255, 'hi', b'\\xff'])", "ff 6869 ff"),
    ("'%o'.format([8])", "10"),
    ("'100%%'.format([])", "100%"),
]


@pytest.mark.parametrize(("expression", "value"), VALUES + FORMATS)
def test_it_gives(expression: str, value: object) -> None:
    assert evaluate(expression) == value


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("'abc'.charAt(4)", "index out of range: 4"),
        ("'abc'.substring(4)", "index out of range: 4"),
        ("'abc'.substring(2, 1)", "invalid substring range. start: 2, end: 1"),
        ("'abc'.indexOf('a', -1)", "index out of range: -1"),
        ("p.l.join(',')", "no such overload: join(list, string)"),
        ("['a', p.n].join(',')", "join: invalid input: 1"),
        ("p.n.split(',')", "no such overload: split(double, string)"),
        ("p.n.startsWith('a')", "no such overload"),
        ("p.n.size()", "no such overload: size"),
        ("'a'.matches(p.open)", "error parsing regexp: missing closing ]: `[`"),
        ("int('12a')", "type conversion error from 'string' to 'int'"),
        ("int(1e30)", "integer overflow"),
        ("uint(-1)", "unsigned integer overflow"),
        ("double('x')", "type conversion error from 'string' to 'double'"),
        ("bool('yes')", "type conversion error from 'string' to 'bool'"),
        ("string(b'\\xff')", "invalid UTF-8 in bytes, cannot convert to string"),
        ("string(p.l)", "no such overload: string(list)"),
        ("base64.decode('***')", "illegal base64 data at input byte 0"),
        ("'%d'.format([p.l])", "error during formatting: decimal clause can only be used on ints, uints, and doubles, "
         "was given list"),
        ("'%.200f'.format(p.l)", "could not parse formatting clause: error while parsing precision: precision 200 "
         "exceeds maximum allowed precision 100"),
    ],
)  # fmt: skip
def test_it_fails(expression: str, message: str) -> None:
    assert failure(expression, p={"l": [1], "n": 1, "open": "["}) == message


def test_regular_expressions_are_those_of_re2() -> None:
    assert "invalid or unsupported Perl syntax" in failure("'a'.matches('(?=a)')")


def test_the_result_of_split_is_known_by_its_type() -> None:
    assert type(evaluate("'a,b'.split(',')")) is StringList
    assert type(evaluate("'a,b'.split(',') + []")) is StringList
    assert type(evaluate("'a,b'.split(',').map(x, x)")) is not StringList
