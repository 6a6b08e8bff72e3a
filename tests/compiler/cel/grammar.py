"""Expressions made at random, for tests that compare two ways of evaluating them.

A grammar maps a kind of value to the forms that give it. ``<INT>`` in a form stands for any form of that kind,
``<INT x=TEXT>`` for one that may use the variable ``x`` of kind TEXT. Most expressions compile and succeed; ``DYN``
brings in values whose types fit nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

DOCUMENT: dict[str, Any] = {
    "s": "héllo",
    "n": 3,
    "b": True,
    "z": None,
    "l": [1, 2, 3],
    "ls": ["b", "a"],
    "m": {"x": "one", "y": "two"},
    "lm": [{"k": "v1", "n": 2}, {"k": "v2", "z": None}],
    "e": {},
}
Grammar = Mapping[str, list[str]]

CORE: Grammar = {
    "INT": [
        "1", "-3", "7", "0", "(<INT> + <INT>)", "(<INT> - <INT>)", "(<INT> * <INT>)", "(<INT> / <INT>)",
        "(<INT> % <INT>)", "size(<TEXT>)", "size(<INTS>)", "<TEXT>.size()", "int(<DOUBLE>)", "(<BOOL> ? <INT> : <INT>)",
        "<INTS>[<INT>]", "-<INT>", "<TEXT>.indexOf(<TEXT>)",
    ],
    "DOUBLE": [
        "2.5", "0.0", "p.n", "(<DOUBLE> + <DOUBLE>)", "(<DOUBLE> * 0.5)", "(p.n - <DOUBLE>)", "double(<INT>)",
        "(<DOUBLE> / <DOUBLE>)", "p.l[1]",
    ],
    "TEXT": [
        "''", "'a'", "'abc'", "p.s", "p.m.x", "p['s']", "(<TEXT> + <TEXT>)", "string(<INT>)", "string(<BOOL>)",
        "(<BOOL> ? <TEXT> : <TEXT>)", "<TEXT>.upperAscii()", "<TEXT>.replace(<TEXT>, <TEXT>)",
        "<TEXT>.substring(<INT>)",
        "<TEXT>.charAt(<INT>)", "<TEXTS>.join(<TEXT>)", "<TEXT>.trim()",
    ],
    "BOOL": [
        "true", "p.b", "(<INT> < <INT>)", "(<INT> == <INT>)", "(<TEXT> == <TEXT>)", "(<TEXT> >= <TEXT>)",
        "(<DOUBLE> <= <DOUBLE>)", "(<BOOL> && <BOOL>)", "(<BOOL> || <BOOL>)", "!<BOOL>", "has(p.m.x)", "has(p.nope)",
        "(<INT> in <INTS>)", "(<TEXT> in p.m)", "(<DYN> == <DYN>)", "(<DYN> != <INT>)", "<TEXT>.contains(<TEXT>)",
        "<TEXT>.startsWith(<TEXT>)", "<INTS>.all(x, <BOOL x=INT>)", "<INTS>.exists(x, <BOOL x=INT>)",
        "<INTS>.exists_one(x, <BOOL x=INT>)", "p.ls.exists(t, <BOOL t=TEXT>)", "<TEXT>.matches('^[a-c]+$')",
    ],
    "INTS": [
        "[]", "[1, 2]", "[<INT>, <INT>]", "(<INTS> + <INTS>)", "<INTS>.map(x, <INT x=INT>)",
        "<INTS>.filter(x, <BOOL x=INT>)", "<TEXTS>.map(t, <INT t=TEXT>)", "<INTS>.map(x, <BOOL x=INT>, <INT x=INT>)",
    ],
    "TEXTS": [
        "p.ls", "['a', <TEXT>]", "<TEXT>.split('b')", "<INTS>.map(x, <TEXT x=INT>)", "p.ls.map(t, <TEXT t=TEXT>)",
    ],
    "DYN": [
        "p.l", "p.z", "p.lm", "p.nope", "dyn(<INT>)", "dyn(<TEXT>)", "dyn(<DOUBLE>)", "dyn(<INTS>)", "dyn(<BOOL>)",
        "p.e", "p.l.map(x, <DOUBLE x=DOUBLE>)", "dyn(<MAP>)",
    ],
    "MAP": ["{}", "{'a': <INT>, 'b': <DYN>}", "p.m", "{'a': <MAP>}"],
    "ANY": ["<INT>", "<DOUBLE>", "<TEXT>", "<BOOL>", "<INTS>", "<TEXTS>", "<MAP>", "[<DYN>, <MAP>]", "<DYN>"],
}  # fmt: skip
_MORE: Grammar = {
    "INT": [
        "<OPTIONAL>.optMap(o, size(string(o) + 'x')).orValue(<INT>)", "math.greatest(<INT>, <INT>)",
        "<INTS>.first().value()",
    ],
    "TEXT": [
        "p.?s.orValue(<TEXT>)", "oc_dns_label(<TEXT>, <TEXT>)", "'%s-%d'.format([<DYN>, <INT>])", "oc_hash(<TEXT>)",
    ],
    "BOOL": [
        "<OPTIONAL>.hasValue()", "<MAP>.exists(k, v, <BOOL k=TEXT v=DYN>)", "<INTS>.all(i, v, <BOOL i=INT v=INT>)",
        "p.lm.exists(i, e, has(e.n) && <BOOL i=INT e=DYN>)", "has(p.?m.x)",
    ],
    "INTS": ["<INTS>.sort()", "<INTS>.distinct()", "<INTS>.reverse()", "[<INTS>, <INTS>].flatten()",
             "<INTS>.sortBy(x, -x)", "<MAP>.transformList(k, v, <INT k=TEXT v=DYN>)"],
    "OPTIONAL": [
        "p.?s", "p.?nope", "p.?m.?x", "p.?m.x", "optional.of(<INT>)", "optional.none()", "<INTS>[?<INT>]",
        "<OPTIONAL>.or(<OPTIONAL>)", "p.?m.optMap(o, o.x)", "p.?m.optFlatMap(o, o.?nope)", "<MAP>.?a", "<DYN>.?k",
    ],
    "MAP": [
        "{'a': <INT>, ?'b': <OPTIONAL>, 'c': <DYN>}", "{<TEXT>: <INT>, 'a': 1}", "oc_merge(<MAP>, <MAP>)",
        "<MAP>.transformMap(k, v, <ANY k=TEXT v=DYN>)", "<MAP>.transformMap(k, v, <BOOL k=TEXT v=DYN>, v)",
        "p.lm.transformMapEntry(i, e, {e.k: <ANY i=INT e=DYN>})", "<INTS>.transformMap(i, v, <INT i=INT v=INT>)",
    ],
    "DYN": [
        "<OPTIONAL>.orValue(<DYN>)", "p.lm.map(e, e.k)", "p.lm.map(e, <ANY e=DYN>)", "p.lm.filter(e, has(e.n))",
        "[<ANY>, ?<OPTIONAL>, oc_omit()]", "(<BOOL> ? <DYN> : oc_omit())",
        "[<OPTIONAL>, <OPTIONAL>].filter(o, o.hasValue())", "p.lm.sortBy(e, e.k)", "<DYN>[0]", "<DYN>.k",
    ],
    "ANY": ["<OPTIONAL>", "oc_omit()", "null", "[<OPTIONAL>, null]", "{'a': <DYN>, 'b': [<ANY>], 'c': oc_omit()}"],
}  # fmt: skip
FULL: Grammar = {kind: CORE.get(kind, []) + _MORE.get(kind, []) for kind in {*CORE, *_MORE}}

_PLACE = re.compile(r"<([A-Z]+)((?: \w+=[A-Z]+)*)>")


@st.composite
def expressions(
    draw: st.DrawFn, grammar: Grammar, kind: str = "ANY", depth: int = 4, names: tuple[tuple[str, str], ...] = ()
) -> str:
    """An expression of a kind over the variable ``p`` (``DOCUMENT``) and the names of the loops around it."""
    forms = [name for name, name_kind in names if name_kind == kind] * 4 + grammar[kind]
    if depth <= 0:
        forms = [form for form in forms if not _PLACE.search(form)] or ["p.z"]
    form = draw(st.sampled_from(forms))

    def fill(place: re.Match[str]) -> str:
        bound = tuple(tuple(pair.split("=")) for pair in place[2].split())
        kept = tuple(pair for pair in names if pair[0] not in dict(bound))  # type: ignore[arg-type]
        return draw(expressions(grammar, place[1], depth - 1, kept + bound))  # type: ignore[arg-type]

    return _PLACE.sub(fill, form)
