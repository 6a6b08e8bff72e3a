"""Running tests: each type that they are about is judged and completed, each case rendered and compared.

While the cases of a type run, what they reach of it is recorded, over all files that test the type.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from catalog.compiler.coverage import Coverage
from catalog.type_tests.cases import BadTest, Case, TypeTest, entries_in, is_test, read_test
from catalog.type_tests.definitions import Definition, Definitions
from catalog.type_tests.expecting import failures
from catalog.type_tests.rendering import render
from catalog.type_tests.snapshots import compare_snapshot, write_snapshot

ADMISSION = "passes admission"


@dataclass(frozen=True)
class Result:
    """How a case went: what failed (nothing if it passed), where the case stands, and how long it took."""

    name: str
    location: str
    failures: tuple[str, ...]
    seconds: float = 0.0
    accepted: bool = False

    @property
    def passed(self) -> bool:
        return not self.failures


@dataclass
class Suite:
    """The results of one test document, and the type that it is about."""

    test: TypeTest
    target: Definition | None
    results: list[Result] = field(default_factory=list)


@dataclass
class Report:
    """Everything that came of a run. ``problems`` are files and documents that could not be used."""

    suites: list[Suite] = field(default_factory=list)
    coverage: list[tuple[Definition, Coverage]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def results(self) -> Iterator[Result]:
        return (result for suite in self.suites for result in suite.results)

    @property
    def passed(self) -> bool:
        return not self.problems and all(result.passed for result in self.results)


def run_tests(
    paths: Iterable[Path], types: Iterable[Path] = (), *, only: str = "", accept: bool = False, cover: bool = True
) -> Report:
    """Run all tests in files and folders.

    Types are looked for there too, in ``types``, and where each test says. ``only`` runs the cases whose test or name
    has that text; ``accept`` writes snapshots instead of comparing them; without ``cover`` nothing is recorded.
    """
    report = Report()
    tests: list[TypeTest] = []
    definitions = Definitions()
    definitions.read(types)
    for entry in entries_in(paths):
        if entry.error:
            report.problems.append(f"{entry.source}: {entry.error}")
        elif is_test(entry):
            try:
                tests.append(read_test(entry))
            except BadTest as error:
                report.problems.append(str(error))
        else:
            definitions.add(entry)
    for test in tests:
        definitions.read(test.types)
    report.problems += [f"{entry.source}: {entry.error}" for entry in definitions.unreadable]
    by_target: dict[tuple[str, str], list[TypeTest]] = {}
    for test in tests:
        by_target.setdefault((test.kind, test.target), []).append(test)
    for key, about in by_target.items():
        _run_type(definitions.get(*key), about, definitions, report, _Options(only, accept, cover))
    return report


@dataclass(frozen=True)
class _Options:
    only: str
    accept: bool
    cover: bool


def _run_type(
    target: Definition | None, tests: list[TypeTest], definitions: Definitions, report: Report, options: _Options
) -> None:
    coverage = (
        Coverage(target.kind, target.spec) if target is not None and not target.errors and options.cover else None
    )
    for test in tests:
        suite = Suite(test, target)
        report.suites.append(suite)
        if target is None:
            missing = (
                f"no {test.kind} {test.target!r} is defined in these files; name its file in spec.types or --types"
            )
            suite.results.append(Result(ADMISSION, str(test.path), (missing,)))
            continue
        refusals = tuple(f"{target.location(error.path)}: {error}" for error in target.errors)
        suite.results.append(Result(ADMISSION, target.location(), refusals))
        if refusals:
            continue
        for case in test.cases:
            if options.only in f"{test.name} {case.name}":
                suite.results.append(run_case(case, test, target, definitions, options.accept))
                if coverage is not None:
                    with coverage.recording():
                        render(case.given, replace(target, spec=coverage.spec), definitions)
    if target is not None and coverage is not None:
        report.coverage.append((target, coverage))


def run_case(case: Case, test: TypeTest, target: Definition, definitions: Definitions, accept: bool = False) -> Result:
    """Render a case and compare; ``accept`` writes its snapshot instead."""
    start = time.perf_counter()
    rendered = render(case.given, target, definitions)
    failed = list(failures(case.expect, rendered))
    accepted = False
    if "snapshot" in case.expect and rendered.error is None:
        path = test.path.parent / case.expect["snapshot"]
        if accept:
            write_snapshot(path, rendered)
            accepted = True
        else:
            failed += compare_snapshot(path, rendered)
    seconds = time.perf_counter() - start
    return Result(case.name, f"{test.path}:{case.line}", tuple(failed), seconds, accepted)
