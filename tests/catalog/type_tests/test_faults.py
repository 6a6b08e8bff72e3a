"""Seeded faults in the platform's own types: admission and the types' tests together catch nearly all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from random import Random

import pytest

from catalog.type_tests.cases import TypeTest, entries_in, is_test, read_test
from catalog.type_tests.definitions import Definition, Definitions, define
from catalog.type_tests.running import run_case
from tests.catalog.type_tests.faults import faults
from tests.conftest import REPOSITORY

CAUGHT = 0.95


@pytest.fixture(scope="module")
def tests() -> list[TypeTest]:
    return [read_test(entry) for entry in entries_in([REPOSITORY / "docs/samples/type-tests"]) if is_test(entry)]


@pytest.fixture(scope="module")
def definitions(tests: list[TypeTest]) -> Definitions:
    found = Definitions()
    for test in tests:
        found.read(test.types)
    return found


def catcher(target: Definition, test: TypeTest, definitions: Definitions) -> str | None:
    """Who catches the fault in a definition: admission, a case by its name, or nobody."""
    if target.errors:
        return "admission"
    for case in test.cases:
        if not run_case(case, test, target, definitions).passed:
            return case.name
    return None


def seeded(tests: list[TypeTest], definitions: Definitions, each: int) -> Iterator[tuple[TypeTest, str, Definition]]:
    for test in tests:
        original = definitions.get(test.kind, test.target)
        assert original is not None
        written = original.entry.value
        for what, spec in islice(faults(written["spec"], Random(f"faults of {test.target}")), each):  # noqa: S311
            faulty = define(replace(original.entry, value={**written, "spec": spec}))
            assert faulty is not None
            yield test, what, faulty


def caught(tests: list[TypeTest], definitions: Definitions, each: int) -> tuple[Counter[str], list[str]]:
    by: Counter[str] = Counter()
    missed = []
    for test, what, faulty in seeded(tests, definitions, each):
        who = catcher(faulty, test, definitions)
        by["nobody" if who is None else "admission" if who == "admission" else "tests"] += 1
        if who is None:
            missed.append(f"{test.target}: {what}")
    return by, missed


def test_the_types_as_they_are_pass(tests: list[TypeTest], definitions: Definitions) -> None:
    for test in tests:
        target = definitions.get(test.kind, test.target)
        assert target is not None
        assert catcher(target, test, definitions) is None, test.target


def test_a_sample_of_faults_is_caught(tests: list[TypeTest], definitions: Definitions) -> None:
    by, missed = caught(tests, definitions, 8)
    assert by["admission"] > 0 and by["tests"] > 0, by
    assert len(missed) <= (1 - CAUGHT) * sum(by.values()), missed


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_of_thousands_of_faults_nearly_all_are_caught(tests: list[TypeTest], definitions: Definitions) -> None:
    by, missed = caught(tests, definitions, 200)
    print(by, *missed, sep="\n")
    assert len(missed) <= (1 - CAUGHT) * sum(by.values()), missed
