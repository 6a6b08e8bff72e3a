"""Label selectors follow Kubernetes' grammar, errors included."""

from __future__ import annotations

import pytest

from portal.wire.selectors import BadSelector, Requirement, parse_selector


@pytest.mark.parametrize(
    ("text", "requirements"),
    [
        ("", ()),
        ("  ", ()),
        ("a", (Requirement("a", "exists"),)),
        ("!a", (Requirement("a", "absent"),)),
        ("a=b", (Requirement("a", "in", ("b",)),)),
        ("a==b,c != d", (Requirement("a", "in", ("b",)), Requirement("c", "notin", ("d",)))),
        ("a=", (Requirement("a", "in", ("",)),)),
        ("a=,b", (Requirement("a", "in", ("",)), Requirement("b", "exists"))),
        ("a in (x, y,x)", (Requirement("a", "in", ("x", "y")),)),
        ("a notin (,x)", (Requirement("a", "notin", ("", "x")),)),
        ("a in (x,)", (Requirement("a", "in", ("x", "")),)),
        ("in in (in)", (Requirement("in", "in", ("in",)),)),
        ("a>5, b<7", (Requirement("a", "gt", ("5",)), Requirement("b", "lt", ("7",)))),
        ("app.kubernetes.io/name=web", (Requirement("app.kubernetes.io/name", "in", ("web",)),)),
    ],
)
def test_selectors_are_read(text: str, requirements: tuple[Requirement, ...]) -> None:
    assert parse_selector(text) == requirements


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("row=a=b", "found '=', expected: ',' or 'end of string'"),
        ("row in", "unable to parse requirement: found '' expected: '('"),
        ("a b c", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("a,", "found '', expected: identifier after ','"),
        ("=a", "found '=', expected: !, identifier, or 'end of string'"),
        ("a in (b", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("a in ()", "values set can't be empty"),
        ("a>x", "the value must be an integer"),
        ("-a", "name part must consist of"),
        ("A_/b", "prefix part"),
        ("a=" + "x" * 64, "must be no more than 63 bytes"),
        ("a=-x", "a valid label must be an empty string or consist of"),
        ("a/b/c", "with an optional DNS subdomain prefix"),
        ("/b", "prefix part must be non-empty"),
        ("a/", "name part must be non-empty"),
    ],
)
def test_bad_selectors_are_refused_in_kubernetes_words(text: str, reason: str) -> None:
    with pytest.raises(BadSelector) as refused:
        parse_selector(text)

    assert reason in str(refused.value)


@pytest.mark.parametrize(
    ("selector", "matches"),
    [("a=1", True), ("a!=1", False), ("b!=1", True), ("!b", True), ("a>0", True), ("a<1", False), ("b>0", False)],
)
def test_a_set_of_labels_is_matched(selector: str, matches: bool) -> None:
    assert all(item.matches({"a": "1"}) for item in parse_selector(selector)) is matches
