"""Generated code gives what the exact evaluator gives, or gives up."""

from __future__ import annotations

import warnings

import pytest
from hypothesis import given, settings

from catalog.compiler.cel import CelCompileError, CelError, Environment, from_json, to_native
from catalog.compiler.cel.fast_path import FAILURES, compile_function, function_source
from tests.compiler.cel.expressions import described
from tests.compiler.cel.grammar import DOCUMENT, FULL, expressions

ENVIRONMENT = Environment(frozenset({"p"}))
GAVE_UP = object()


def fast(expression: str, native: bool) -> object:
    """Run the generated code of an expression; ``GAVE_UP`` when it raises."""
    program = ENVIRONMENT.compile(expression)
    function = compile_function(program._node, program._library, native=native)
    assert function is not None, function_source(program.inline(native=native))
    try:
        return described(function(from_json({"p": DOCUMENT})))
    except FAILURES:
        return GAVE_UP


@settings(max_examples=800, derandomize=True, deadline=None, database=None)
@given(expressions(FULL))
def test_it_never_succeeds_wrongly(expression: str) -> None:
    try:
        program = ENVIRONMENT.compile(expression)
    except CelCompileError:
        return
    bindings = from_json({"p": DOCUMENT})
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Python warns of code that cannot be meant
        raw, native = fast(expression, False), fast(expression, True)
    try:
        value = program.evaluate_exactly(bindings)
    except CelError:
        assert raw is GAVE_UP
        assert native is GAVE_UP
        return
    assert raw in (GAVE_UP, described(value))
    assert native in (GAVE_UP, described(to_native(value)))
    assert described(program.evaluate_native(bindings)) == described(to_native(value))


@pytest.mark.parametrize(
    "expression",
    [
        "p.s",
        "p.m.x",
        "has(p.m) ? p.m : oc_omit()",
        "p.?m.?x.orValue('x')",
        "p.lm.map(i, {'k': i.k, ?'n': i.?n})",
        "p.lm.filter(i, has(i.n)).map(i, i.n)",
        "p.m.transformMap(k, v, k != 'z', v + '!')",
        "p.m.transformMapEntry(k, v, {k + '!': v})",
        "p.m.transformList(k, v, k).join(',')",
        "oc_merge({'a': p.s}, p.m)",
        "'a' in p.ls && !('x' in p.m) || p.b",
        "oc_dns_label(p.s, 'x') + '.' + p.s",
        "p.l.exists(x, x > 2) ? size(p.l) : 0",
        "{'a': p.z, 'b': [p.z, oc_omit()], 'c': p.n == 3 ? 'x' : oc_omit()}",
        "[p.?m, p.?nope].filter(o, o.hasValue()).map(o, o.value().x)",
        "p.lm.sortBy(i, i.k).map(i, i.k)",
        "string(p.n) + '/' + p.s + '/' + string(p.b)",
    ],
)
def test_what_templates_use_does_not_give_up(expression: str) -> None:
    assert fast(expression, True) is not GAVE_UP


@pytest.mark.parametrize(
    ("expression", "trap"),
    [
        ("'l' in p.s", "Python looks for text inside of text"),
        ("p.s[0]", "Python has places in texts"),
        ("p.l[p.n - 4.0]", "Python counts negative places from the end"),
        ("p.b + 1.0", "Python holds True for 1"),
        ("p.b < 2", "Python orders booleans with numbers"),
        ("p.s.map(c, c)", "Python loops over the characters of a text"),
        ("p.s * p.n", "Python repeats texts"),
        ("p.s % p.n", "Python formats texts"),
        ("p.m.transformMapEntry(k, v, {'k': v})", "Python takes the last of equal keys"),
        ("p.z ? 1 : 2", "Python takes anything for a condition"),
        ("p.e && true", "Python takes anything for a condition"),
        ("duration('1h')[0]", "a duration is a tuple here"),
        ("size(duration('1h'))", "a duration is a tuple here"),
    ],
)
def test_it_does_not_fall_into_the_traps_of_python(expression: str, trap: str) -> None:
    try:
        ENVIRONMENT.compile(expression)
    except CelCompileError:
        return  # the checker is in front of it
    assert fast(expression, False) is GAVE_UP, trap
    assert fast(expression, True) is GAVE_UP, trap


def test_what_python_cannot_compile_is_evaluated_exactly() -> None:
    nested = "[1].map(x0, " * 25 + "1" + ")" * 25  # Python nests at most 20 loops
    assert ENVIRONMENT.compile(nested).evaluate_native({"p": 0.0}) != []


def test_interrupts_pass_through() -> None:
    class Interrupted(BaseException):
        pass

    class Bindings(dict[str, object]):
        def __getitem__(self, key: str) -> object:
            raise Interrupted

    with pytest.raises(Interrupted):
        ENVIRONMENT.compile("p.x").evaluate(Bindings())


def test_expressions_can_share_a_function() -> None:
    first = ENVIRONMENT.compile("p.l.map(x, x + 1.0)").inline(bindings="context", prefix="a_")
    second = ENVIRONMENT.compile("{'m': p.?m.?q.orValue(1.0), 'n': [p.z]}").inline(bindings="context", prefix="b_")
    lines = ["def render(context):", "    spent = 0"]
    lines += ["    " + statement for statement in (*first.statements, *second.statements)]
    lines.append(f"    return {first.result}, {second.result}")
    names: dict[str, object] = {**first.globals, **second.globals}
    exec("\n".join(lines), names)  # noqa: S102 - what the test is about
    rendered = names["render"](from_json({"p": DOCUMENT}))  # type: ignore[operator]
    assert rendered == ([2.0, 3.0, 4.0], {"m": 1.0, "n": [0]})
