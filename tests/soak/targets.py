"""What is fuzzed: functions that take any bytes, and may let nothing out but the compiler's own errors.

Each has seeds, from which the fuzzer starts, and words that it puts in (`tests.soak.fuzz` runs them, `test_fuzz` runs
that). A crash is any other exception, an input that takes longer than a few seconds, or two ways of evaluating that
disagree.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from catalog.compiler.cel import CelError, Environment, from_json, to_native
from catalog.compiler.cel.lexer import tokenize
from catalog.compiler.cel.source import Faults
from catalog.compiler.errors import CompilerError
from catalog.compiler.patch import Operation, apply_operations
from catalog.compiler.template import compile_template
from catalog.compiler.yaml import Limits, dump, load_documents
from tests.compiler.cel.expressions import described
from tests.compiler.cel.grammar import DOCUMENT

BINDINGS = from_json({"p": DOCUMENT, "derived": {"configVolumes": []}})
BUDGET = 20_000
ENVIRONMENTS = (
    Environment(frozenset({"p", "derived"}), component_macros=True, budget=BUDGET),
    Environment(frozenset({"p"}), bare=True, budget=BUDGET),
)
YAML_LIMITS = Limits(bytes=100_000, depth=50, aliased_nodes=1000)


class Target(NamedTuple):
    """A function to fuzz, inputs to start from, and words of its language."""

    run: Callable[[bytes], None]
    seeds: tuple[str, ...]
    words: tuple[str, ...]


def compile_expression(data: bytes) -> None:
    """Lexer, parser and checker, in both environments."""
    text = as_text(data)
    tokenize(text, Faults(text))
    for environment in ENVIRONMENTS:
        try:
            environment.compile(text)
        except CelError as error:
            assert str(error)


def evaluate_expression(data: bytes) -> None:
    """Generated code and the exact evaluator give the same, with a budget that a few loops spend."""
    try:
        program = ENVIRONMENTS[0].compile(as_text(data))
    except CelError:
        return
    exact = outcome(lambda: program.evaluate_exactly(BINDINGS))
    native = outcome(lambda: to_native(program.evaluate_exactly(BINDINGS)))
    for expected, found in (
        (exact, outcome(lambda: program.evaluate(BINDINGS))),
        (native, outcome(lambda: program.evaluate_native(BINDINGS))),
    ):
        # The two count loops in their own way: only one of them may have spent the budget.
        assert expected == found or "steps" in f"{expected[0]} {found[0]}", (program.source, expected, found)


def render_template(data: bytes) -> None:
    """The template scanner and the engine behind it, with the text as key and as value."""
    text = as_text(data)
    for document in (text, {text: text, "list": [text, "x"]}):
        try:
            compile_template(document, frozenset({"p"}), False).render(BINDINGS)
        except CompilerError as error:
            assert error.error_class in {"scan", "compile", "evaluate", "key"}, error


def read_yaml(data: bytes) -> None:
    """The YAML reader; what it accepts is written and read again as the same values."""
    try:
        documents = list(load_documents(data, "fuzz.yaml", YAML_LIMITS))
    except CompilerError:
        return
    for document in documents:
        try:
            value = document.value
        except CompilerError:
            continue
        document.line_of("a.b[0]")
        (again,) = load_documents(dump(value), "again.yaml", Limits())
        assert document_described(again.value) == document_described(value), (value, again.value)


def apply_patch(data: bytes) -> None:
    """Paths of patches: the first line names the operation, the others are paths."""
    name, *paths = as_text(data).split("\n")
    document: dict[str, Any] = {
        "a": {"b": [{"name": "x", "v": 1.0}, {"name": "y"}], "c/d": {"~": None}},
        "l": [1.0, [2.0], {}],
        "s": "t",
    }
    before = repr(document)
    for operation in {name, "add", "remove", "mergeShallow"}:
        with suppress(CompilerError):
            apply_operations(document, [Operation(operation, path, {"k": 1.0}) for path in paths])
        assert repr(document) == before


def document_described(value: object) -> Any:
    """A document's value with its types, except that integers and doubles of one value are the same, as in JSON."""
    if isinstance(value, dict):
        return {key: document_described(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [document_described(item) for item in value]
    return float(value) if type(value) is int else (type(value).__name__, value) if type(value) is not float else value


def as_text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def outcome(evaluate: Callable[[], object]) -> tuple[str, object]:
    """What an evaluation gives, comparable: an error's text, or a value with the types of everything in it."""
    try:
        return "", described(evaluate())
    except CelError as error:
        return str(error), None


_EXPRESSIONS = (
    "p.m.x == 'one' && has(p.nope) ? p.l[0] + 1.0 : -p.n",
    "p.lm.map(e, {'k': e.k, ?'n': e.?n}).filter(x, 'n' in x)",
    "p.m.transformMapEntry(k, v, {v: [k, ?optional.none()]}) == {}",
    "oc_merge({'a': 1u}, {'a': 0x1F}, p.e).a.optMap(x, x)",
    '''b"\\x00\\377" + r'\\' != """a
b""" || 1.5e-3 / 0.0 > .5''',
    "'%s %d %.2f'.format(['a', 1, 2.0]).split(' ', 2).join('-').matches('^[a-z]+(x|y){2,3}$')",
    "duration('1h30m') + timestamp('2024-02-29T23:59:60Z') < timestamp(0) // end",
    "[3, 1, 2].sortBy(x, -x).slice(0, 2).distinct() + lists.range(3).flatten()",
    "math.greatest(1, 2.0, 3u) in sets.contains([1], [1]) ? base64.encode(b'x') : `a b`.c",
    "configurations.toVolumes().exists(i, v, i > 0) && type(p) == map",
)  # fmt: skip
_WORDS_OF_EXPRESSIONS = (
    "p p.l p.m p.s p.lm p.e p.z true false null in && || == != <= >= ? : .? [? { } ( ) [ ] , + - * / % ! . "
    "has( .map( .filter( .all( .exists( .exists_one( .transformList( .transformMap( .transformMapEntry( .sortBy( "
    ".optMap( .optFlatMap( .orValue( .value() .hasValue() optional.of( optional.none() optional.ofNonZeroValue( "
    "oc_omit() oc_merge( oc_hash( oc_dns_label( oc_generate_name( size( int( uint( double( string( bytes( bool( dyn( "
    "type( duration( timestamp( .format( .matches( .split( .join( .replace( .substring( .charAt( .indexOf( .trim() "
    ".lowerAscii() .quote( .getHours( .distinct() .flatten( .slice( .first() .last() .reverse() lists.range( "
    "math.greatest( math.least( math.bitShiftLeft( math.abs( math.round( sets.contains( base64.encode( "
    "base64.decode( '%s' '%b' '%x' 0x 1u 9223372036854775807 -9223372036854775808 1e309 .5 \\u \\U0001F600 \\x \\377 "
    "''' r' b' // ` x, k, v,"
)

TARGETS = {
    "compile": Target(compile_expression, _EXPRESSIONS, (*_WORDS_OF_EXPRESSIONS.split(), '"""', 'strings.quote(')),
    "evaluate": Target(evaluate_expression, _EXPRESSIONS, (*_WORDS_OF_EXPRESSIONS.split(), '"""', 'strings.quote(')),
    "template": Target(
        render_template,
        (
            "${p.s}",
            "a ${p.n} b ${{'a': '}'}['a']} ${p.l}",
            "${'${'} ${\"}\"} ${p.lm} ${",
            " ${oc_omit()} ",
            "${b'x'}${null}${1u}${duration('1s')}${p.?nope}",
        ),
        ("${", "}", "{", "'", '"', "\\", "${p.s}", "oc_omit()", "null", "p.lm", "\u0085", "${${"),
    ),
    "yaml": Target(
        read_yaml,
        (
            "a: 1\nb: [x, 'y', \"z\\n\"]\n---\n- k: |\n    text\n  m: >-\n    folded\n",
            "x: &a {b: 0x1f, c: .inf, d: ~, e: 1_000, f: 2001-01-01}\ny: *a\n<<: *a\n",
            "? [a, b]\n: !!binary aGk=\n? 1.5\n: !!str 1\n%TAG ! x\n...\n# end",
            '{"a": [1e400, -0, 0o17, 017, yes, No, null], "\\u00e9": true}',
        ),
        (
            "---", "...", "- ", ": ", "&a", "*a", "<<: ", "!!str ", "!!int ", "!!map ", "!x ", "|\n", ">-\n", "? ",
            "%YAML 1.2\n", "%TAG ", "#", ".nan", "0x", "0o", "0b", "1e3", "~", "null", "yes", "off", "\t", "\r\n",
            "\ufeff", "\u0085", "\u2028", "2001-01-01", "'", '"', "\\u", "{", "}", "[", "]", ",",
        ),
    ),
    "patch": Target(
        apply_patch,
        (
            "add\n/a/b/0/v\n/a/b/-\n/a/b[-]\n/new/path/0/x",
            "replace\n/a/b[?(@.name=='x')]/v\n/a/c~1d/~0\n/l/0",
            "mergeShallow\n/a/b[*]\n/a\n",
            "remove\n/a/b/1\n/l[0]\n/s\na/b[?(@.v==\"1\")]\n/a/b[0][1]",
        ),
        (
            "add\n", "replace\n", "remove\n", "mergeShallow\n", "/", "~0", "~1", "[*]", "[-]", "/-", "[?(@.name=='x')]",
            "[?(@.", "=='", "')]", "[0]", "[-1]", "99999999", "[", "]", "/a", "/b", "/l", "/s", "name", "\n",
        ),
    ),
}  # fmt: skip
