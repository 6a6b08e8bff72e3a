"""Attack 19: patterns, and texts for patterns, that cost more than they are long."""

from __future__ import annotations

import ast
import importlib
import json
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
import re2
from django.test import Client

from catalog.api.secret_reference import normal_duration
from catalog.compiler.cel import CelError, Environment
from catalog.compiler.cel.time_text import parse_duration
from catalog.compiler.errors import CompilerError
from catalog.compiler.patch_path import parse_path
from catalog.compiler.schema import compile_schema
from catalog.compiler.schema.formats import format_check
from catalog.compiler.schema.patterns import PatternError, matcher
from catalog.controllers.rendered_release import duration
from catalog.delivery.git.permitted import parse_remote
from catalog.secrets.repository_hosts import host_of
from portal.accounts.models import User
from portal.audit.redaction import redact_text
from portal.wire.selectors import BadSelector, parse_selector
from tests.conftest import REPOSITORY
from workflows.runs.time_to_live import expiry_of

pytestmark = pytest.mark.timeout(120)
EVIL = [
    (r"^(a+)+$", "a" * 50_000 + "!"),
    (r"^([a-zA-Z]+)*$", "a" * 50_000 + "!"),
    (r"^(a|aa)+$", "a" * 50_000 + "!"),
    (r"^(a|a?)+$", "a" * 50_000 + "!"),
    (r"^(.*a){20}$", "a" * 2_000 + "!"),
    (r"^(\w+\s?)*$", "word " * 10_000 + "!"),
    (r"^(([a-z])+.)+[A-Z]([a-z])+$", "a" * 50_000),
    (r"(x+x+)+y", "x" * 50_000),
    (r"^([0-9]+)+@", "0" * 50_000),
    (r"^(?:.*,)*$", "a," * 20_000 + "b"),
]
NOT_RE2 = [r"(?=a)b", r"(?<!a)b", r"(a)\1", r"(?>a+)b", r"a++", r"((a{1,1000}){1,1000}){1,1000}", r"(a", r"[z-a]"]
"""What only an engine that backtracks can do, and what would make a huge automaton."""


@pytest.mark.parametrize(("pattern", "text"), EVIL)
def test_attack_19_a_schemas_pattern_takes_linear_time(pattern: str, text: str) -> None:
    assert matcher(pattern)(text) in (True, False)  # with Python's own engine none of these would end


@pytest.mark.parametrize("pattern", NOT_RE2)
def test_attack_19_a_pattern_that_needs_more_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        matcher(pattern)


@pytest.mark.parametrize(("pattern", "text"), EVIL)
def test_attack_19_so_does_a_pattern_in_an_expression(pattern: str, text: str) -> None:
    program = Environment(frozenset({"p"})).compile(f"p.text.matches({json.dumps(pattern)})")
    assert program.evaluate_native({"p": {"text": text}}) in (True, False)


def test_attack_19_a_pattern_made_of_a_users_text_is_limited_too() -> None:
    program = Environment(frozenset({"p"})).compile("p.text.matches(p.pattern)")
    for pattern in NOT_RE2:
        with pytest.raises(CelError):
            program.evaluate_native({"p": {"text": "a", "pattern": pattern}})


@pytest.mark.parametrize("pattern", NOT_RE2)
def test_attack_19_a_value_under_a_pattern_that_is_none_is_invalid_and_no_failure(pattern: str) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": pattern}}}
    problems = compile_schema(schema).validate({"a": "b"})
    assert "pattern is invalid" in str(problems)


@pytest.mark.parametrize(
    "selector",
    [
        "a" * 100_000,
        "," * 50_000,
        "a in (" + "b," * 50_000,
        "(" * 50_000,
        "a=" * 50_000,
        " " * 100_000 + "a",
        "!" * 50_000,
    ],
    ids=lambda text: text[:8],
)
def test_attack_19_a_selector_costs_what_it_is_long(selector: str) -> None:
    began = time.process_time()
    try:
        parse_selector(selector)
    except BadSelector as refused:
        assert len(str(refused)) < 200_000
    assert time.process_time() - began < 5


@pytest.mark.django_db
@pytest.mark.parametrize("search", ["(a+)+$", "%" * 1_000, "_" * 1_000, "a" * 5_000, "\\", "'; --", "[", "(" * 500])
def test_attack_19_a_search_is_text_and_no_pattern(client: Client, search: str) -> None:
    client.force_login(User.objects.create_superuser("root", password="x"))
    assert client.get("/admin/catalog/project/", {"q": search}).status_code == 200


# Our own patterns: every one in the code, against texts that make engines that backtrack suffer -----------------------

UNITS = (
    *(
        "a",
        "A",
        "0",
        " ",
        "-",
        ".",
        "/",
        "@",
        ":",
        "_",
        "{",
        "}",
        "$",
        "\\",
        "'",
        '"',
        "=",
        ",",
        "(",
        ")",
        "!",
        "\n",
        "\t",
    ),
    *("a-", "a.", "a/", "a:", "a@", "a,", "a=", "a ", "0.", "-a", "${", "eyJ", "eyJa.", "://a", "a://", "%a", "\\U"),
    *("-----BEGIN ", "-----END ", "PRIVATE KEY-----", "stg_", "earer ", "asic ", "ghp_", "AKIA", "glpat-", "%Y-", "1h"),
    *("\u00e9", "--- ", "<<: ", "&a ", "password", "a[0].", "[0]"),
)
FORMATS = (
    *("uri", "email", "hostname", "ipv4", "ipv6", "cidr", "mac", "uuid", "isbn", "creditcard", "ssn", "rgbcolor"),
    *("byte", "date", "datetime", "duration", "k8s-short-name", "k8s-long-name"),
)
LENGTH = 8_000
LONGEST_SECONDS = 0.5
"""Of processor time for one pattern and one text: linear ones take a thousandth of it, quadratic ones all."""
GUARDED = {
    "catalog/compiler/cel/time_text.py": "matched at one place after the other, never searched for",
    "catalog/api/secret_reference.py": "on texts of 64 characters at most",
    "catalog/delivery/git/permitted.py": "matched from the beginning, never searched for",
    "catalog/secrets/repository_hosts.py": "matched from the beginning, never searched for",
    "workflows/webhooks/repositories.py": "matched from the beginning, never searched for",
    "workflows/runs/time_to_live.py": "on texts that the kind's schema has matched",
    "catalog/compiler/schema/formats.py": "tried below, each format with each text",
    "catalog/controllers/rendered_release.py": "on texts of 64 characters at most",
}


def patterns_in_the_code() -> Iterator[tuple[str, str, re.Pattern[str]]]:
    """Every `re.compile` of a constant at the top of a module, as the module holds it."""
    for layer in ("portal", "catalog", "workflows"):
        for path in sorted((REPOSITORY / layer).rglob("*.py")):
            if "re.compile(" not in path.read_text() or "migrations" in path.parts:
                continue
            module = importlib.import_module(".".join(path.relative_to(REPOSITORY).with_suffix("").parts))
            for name, value in vars(module).items():
                for number, pattern in enumerate(compiled_in(value)):
                    yield str(path.relative_to(REPOSITORY)), f"{name}[{number}]", pattern


def compiled_in(value: Any) -> Iterator[re.Pattern[str]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, tuple | list | set | frozenset):
        for item in value:
            yield from compiled_in(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from compiled_in(item)


def test_attack_19_no_pattern_of_ours_costs_more_than_a_text_is_long() -> None:
    found = {pattern.pattern: (path, name, pattern) for path, name, pattern in patterns_in_the_code()}
    assert len(found) >= 30
    slow = set()
    for path, name, pattern in found.values():
        if isinstance(pattern.pattern, bytes) or path in GUARDED:
            continue
        for unit in UNITS:
            text = (unit * (LENGTH // len(unit) + 1))[:LENGTH] + "!"
            began = time.process_time()
            pattern.fullmatch(text)
            pattern.search(text)
            if time.process_time() - began > LONGEST_SECONDS:
                slow.add(f"{path} {name}: {unit!r}")
                break
    assert slow == set()


@pytest.mark.parametrize(
    "work",
    [
        pytest.param(lambda: normal_duration("0" * 200_000), id="a reference's interval"),
        pytest.param(lambda: duration("0" * 200_000, timedelta(1)), id="a release's interval"),
        pytest.param(lambda: parse_duration("0" * 200_000), id="a duration without a unit"),
        pytest.param(lambda: parse_duration("9" * 200_000 + "s"), id="a duration of many digits"),
        pytest.param(lambda: parse_duration("1s" * 20_000), id="a duration of many parts"),
        pytest.param(
            lambda: expiry_of("9" * 100_000 + "d", "2026-01-01T00:00:00Z"), id="a time to live of many digits"
        ),
        pytest.param(lambda: expiry_of("9999999d", "2026-01-01T00:00:00Z"), id="a time to live beyond the calendar"),
        pytest.param(lambda: host_of("a" * 200_000), id="an address without a host"),
        pytest.param(lambda: host_of("AKIA" * 50_000 + ":"), id="an address of one host"),
        pytest.param(lambda: parse_remote("a." * 100_000 + ":x"), id="a remote of a long host"),
        pytest.param(lambda: parse_remote("a@" * 100_000), id="a remote of many users"),
        pytest.param(lambda: parse_path("/a/" + "[?(" * 100_000), id="filters that never end"),
        pytest.param(lambda: parse_path("/a" + "[?(@.a=='b')]" * 10_000), id="many filters"),
        pytest.param(lambda: parse_path("/" * 200_000), id="many steps"),
        *(
            pytest.param(
                lambda name=name, unit=unit: format_check(name)(unit * 100_000), id=f"format {name} of {unit!r}"
            )
            for name in FORMATS
            for unit in ("a", "0", "a.", "-", "/", "@", ":", "[", "%", " ")
        ),
    ],
)
def test_attack_19_what_reads_texts_of_users_costs_what_they_are_long(work: Any) -> None:
    began = time.process_time()
    with suppress(CompilerError, ValueError):
        work()
    assert time.process_time() - began < 3


def test_attack_19_patterns_are_compiled_where_the_sweep_sees_them() -> None:
    """A pattern inside a function, or made of parts, would be missed."""
    known = {
        "catalog/delivery/git/remote.py",  # takes the user out of a URL of the settings
        "catalog/delivery/git/permitted.py",  # classes of characters, on what urlsplit has left
        "catalog/delivery/drivers.py",  # makes a readable name of a permitted URL
        "catalog/compiler/cel/lexer.py",  # the end of a line
        "catalog/compiler/component/protobuf_methods.py",  # spaces within a name
        "catalog/compiler/schema/formats.py",  # tried above, each format with each text
        "catalog/kinds/refs.py",  # names of kinds
        "catalog/api/openapi_document.py",  # our own paths
        "portal/accounts/outside_people.py",  # classes of characters
        "portal/secrets/keys.py",  # a setting
    }
    unseen = set()
    for layer in ("portal", "catalog", "workflows"):
        for path in sorted((REPOSITORY / layer).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.FunctionDef):
                    for inner in ast.walk(node):
                        if (
                            isinstance(inner, ast.Call)
                            and isinstance(inner.func, ast.Attribute)
                            and isinstance(inner.func.value, ast.Name)
                            and inner.func.value.id == "re"
                            and inner.func.attr != "escape"
                        ):
                            unseen.add(str(path.relative_to(REPOSITORY)))
    assert unseen <= known, "compile the pattern at the top of its module"


def test_attack_19_redaction_of_a_large_text_is_linear() -> None:
    for unit in (
        "eyJ",
        "eyJa",
        "://a",
        "stg_aaaaaaaa",
        "earer ",
        "-----BEGIN ",
        "-----BEGIN PRIVATE KEY-----",
        "ghp_a",
    ):
        began = time.process_time()
        redact_text(unit * (200_000 // len(unit)))
        assert time.process_time() - began < 5, unit


def test_attack_19_the_engine_is_the_linear_one() -> None:
    assert re2.compile("a").__class__.__module__ == "re2"
