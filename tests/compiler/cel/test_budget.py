"""No expression, however hostile, can stall whoever evaluates it: it fails, and the error names it."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.compiler.cel import CelCompileError, CelError, CelEvaluationError, Environment
from catalog.compiler.cel.budget import (
    MAX_ENTRIES,
    MAX_NESTING,
    MAX_SIZE,
    default_budget,
    set_default_budget,
)
from catalog.compiler.errors import CompilerError
from catalog.compiler.template import compile_template

pytestmark = pytest.mark.timeout(60)  # without the limits they end never, or in want of memory

BUDGET = 100_000
ENVIRONMENT = Environment(frozenset({"p"}), budget=BUDGET)
BINDINGS: dict[str, Any] = {
    "p": {"text": "a" * 500_000, "list": [float(n) for n in range(5_000)], "same": [float(n) for n in range(5_000)]}
}
STEPS = f"does more than {BUDGET} steps"


def doubled(times: int, form: str, start: str) -> str:
    return f"optional.of({start})" + f".optMap(x, {form})" * times


HOSTILE = {
    "nested loops": ("lists.range(1000).map(a, lists.range(1000).map(b, lists.range(1000).map(c, a + b + c)))", STEPS),
    "long bodies": (f"lists.range(100000).map(a, [{', '.join(['a'] * 1000)}])", STEPS),
    "a long text": ("p.text + p.text + p.text", f"longer than {MAX_SIZE}"),
    "texts that double": (doubled(60, "x + x", "'ab'"), "more than"),
    "lists that double": (doubled(60, "x + x", "[1]"), "more than"),
    "lists of the same lists": (doubled(40, "[x, x]", "[1]"), f"longer than {MAX_ENTRIES}"),
    "endless nesting": (
        "optional.of([1])" + f".optMap(x, dyn({'[' * 20}x{']' * 20}))" * 20,
        f"nested more than {MAX_NESTING} times",
    ),
    "flattening": (doubled(40, "[x, x].flatten()", "[[1]]"), "more than"),
    "many long texts": (f"[{', '.join(['p.text + p.text'] * 4000)}].size()", STEPS),
    "many long lists": (f"[{', '.join(['lists.range(100000)'] * 4000)}].size()", STEPS),
    "many replacements": (f"[{', '.join(['p.text.replace(_a_, _bb_)'] * 3000)}].size()".replace("_", "'"), STEPS),
    "a long range": ("lists.range(1000001)", "exceeds maximum"),
    "comparing everything": ("p.list.all(x, p.list.exists(y, y == x + 0.5) || true)", STEPS),
    "looking everywhere": ("p.list.all(x, !(-x - 1.0 in p.list))", STEPS),
    "distinct values": ("p.list.distinct().size()", STEPS),
    "sets": ("sets.equivalent(p.list, p.same)", STEPS),
    "comparing again and again": (f"[{', '.join(['p.list == p.same'] * 3000)}].size()", STEPS),
    "comparing what doubles": (f"{doubled(40, '[x, x]', '[1]')} == {doubled(40, '[x, x]', '[1]')}", STEPS),
    "printing what doubles": ("'%s'.format([" + doubled(40, "[x, x]", "[1]") + ".value()])", STEPS),
    "a regular expression": (f"p.text.matches('{'(a?){1000}' * 20}b')", STEPS),
    "many regular expressions": (f"[{', '.join(['p.text.matches(_(a|b)*c_)'] * 3000)}]".replace("_", "'"), STEPS),
    "greatest of many": ("p.list.map(x, math.greatest(p.list) + x)", STEPS),
    "merging": ("[p.list.transformMapEntry(i, v, {string(i): v})].map(m, p.list.map(x, oc_merge(m, m)))", "more than"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_expressions_are_stopped_and_named(name: str) -> None:
    expression, said = HOSTILE[name]
    program = ENVIRONMENT.compile(expression)
    for evaluate in (program.evaluate_native, program.evaluate_exactly):
        if evaluate == program.evaluate_exactly and name in ("lists of the same lists", "endless nesting"):
            continue  # such a value takes little memory as long as nobody writes it down
        with pytest.raises(CelEvaluationError) as caught:
            evaluate(BINDINGS)
        assert said in str(caught.value)
        if said != "exceeds maximum":
            assert expression[:40] in str(caught.value)


MANY = 100_000


@pytest.mark.parametrize(
    "text",
    [
        "(" * MANY,
        "[" * (MANY // 2) + "]" * (MANY // 2),
        "{'a':" * (MANY // 6) + "1" + "}" * (MANY // 6),
        "has(" * (MANY // 5),
        "true ? 1 : " * (MANY // 11) + "1",
        "[1].map(x, " * (MANY // 12) + "x" + ")" * (MANY // 12),
        "p" + ".a" * (MANY // 2 - 1),
        "p" + "[0]" * (MANY // 3 - 1),
        "+".join(["1"] * (MANY // 2)),
        "a.b{" * (MANY // 4),
        "oc_merge(" + ", ".join(["{}"] * (MANY // 5)) + ")",
        "1" * MANY,
        "0" * (MANY - 1) + "u" + "u",
        "'\\q" * (MANY // 3),
        "'''" + "'" * (MANY - 3),
        "\\" * MANY,
        "`" * MANY,
        "\x00" * MANY,
        " " * MANY,
        "(" * (MANY + 1),
    ],
    ids=lambda text: repr(text[:12]),
)
def test_long_and_deep_texts_are_refused(text: str) -> None:
    with pytest.raises(CelCompileError):
        ENVIRONMENT.compile(text)
    with pytest.raises(CompilerError):
        compile_template("${" + text.replace("'", "(").replace("{", "(") + "} .", frozenset({"p"}), False).render(
            BINDINGS
        )


@pytest.mark.parametrize("text", ["!" * 99_990 + "true", "-" * 99_990 + "p.list[1]", "[" + "1," * 49_000 + "1]"])
def test_long_texts_that_mean_something_are_evaluated(text: str) -> None:
    assert ENVIRONMENT.compile(text).evaluate(BINDINGS) in (True, 1.0, [1] * 49_001)


@pytest.mark.parametrize("expression", ["int(p)", "uint(p)", "int('-' + p)"])
def test_numbers_with_very_many_digits_are_no_numbers(expression: str) -> None:
    with pytest.raises(CelError, match="type conversion error"):
        ENVIRONMENT.compile(expression).evaluate({"p": "1" * 10_000})


def test_leading_zeros_do_not_count() -> None:
    zeros = "0" * 10_000
    assert ENVIRONMENT.compile("[int(p), int('-' + p)]").evaluate({"p": zeros + "12"}) == [12, -12]
    assert ENVIRONMENT.compile(zeros + "12 + int(uint(p))").evaluate({"p": zeros + "30"}) == 42


def test_the_budget_can_be_set() -> None:
    before = default_budget()
    set_default_budget(1000)
    try:
        program = Environment(frozenset()).compile("lists.range(2000).map(x, x)")
    finally:
        set_default_budget(before)
    with pytest.raises(CelEvaluationError, match="more than 1000 steps"):
        program.evaluate({})
    assert len(Environment(frozenset()).compile("lists.range(2000).map(x, x)").evaluate({})) == 2000


def test_much_that_is_not_counted_at_once_is_no_fault() -> None:
    """Generated code gives up now and then, so that somebody counts; nobody notices."""
    program = ENVIRONMENT.compile("size(p.text + 'b')")
    assert {program.evaluate(BINDINGS) for _ in range(20)} == {500_001}
