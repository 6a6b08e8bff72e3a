"""The result of a run as a person reads it: cases, what failed, and what of each type no case has reached."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from catalog.compiler.coverage import Coverage, Item
from catalog.compiler.explain import path_text
from catalog.type_tests.definitions import Definition
from catalog.type_tests.running import Report, Suite


def lines(report: Report, *, missing: bool, quiet: bool) -> Iterator[str]:
    """Yield the report line by line. ``missing`` lists what was not reached; ``quiet`` leaves out what passed."""
    for suite in report.suites:
        yield from _suite_lines(suite, quiet)
    for definition, coverage in report.coverage:
        yield from _coverage_lines(definition, coverage, missing)
    for problem in report.problems:
        yield f"error: {problem}"
    results = list(report.results)
    failed = sum(not result.passed for result in results)
    accepted = sum(result.accepted for result in results)
    yield (
        f"{len(results) - failed} passed, {failed} failed"
        + (f", {accepted} snapshots written" if accepted else "")
        + (f", {len(report.problems)} errors" if report.problems else "")
        + (f"; {percent(report)} covered" if report.coverage else "")
    )


def percent(report: Report) -> str:
    """How much of all types is covered, leaves and branches together."""
    # Rounded down: 100 % is said of nothing less.
    return f"{math.floor(covered(report))} %"


def covered(report: Report) -> float:
    """The share of leaves and branches reached, in percent; 100 when there is nothing to reach."""
    reached = [hit for _, coverage in report.coverage for hit in coverage.items.values()]
    return 100 * sum(reached) / len(reached) if reached else 100.0


def _suite_lines(suite: Suite, quiet: bool) -> Iterator[str]:
    test = suite.test
    if quiet and all(result.passed for result in suite.results):
        return
    yield f"{_short(test.path)}: {test.kind} {test.target}"
    for result in suite.results:
        if result.passed and quiet:
            continue
        yield f"  {'ok  ' if result.passed else 'FAIL'}  {result.name}"
        for failure in result.failures:
            yield from (f"        {line}" for line in failure.splitlines())


def _coverage_lines(definition: Definition, coverage: Coverage, missing: bool) -> Iterator[str]:
    leaves, all_leaves, branches, all_branches = coverage.counts()
    yield (
        f"{definition.kind} {definition.name}: {leaves} of {all_leaves} leaves, "
        f"{branches} of {all_branches} branches covered"
    )
    if missing:
        for path, texts in _by_line(definition, coverage).items():
            yield f"  {path}: {'; '.join(texts)}"


def _by_line(definition: Definition, coverage: Coverage) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    unrendered = coverage.unrendered()
    for item in coverage.missed():
        # One line for a template that is not rendered at all, instead of one for each of its fields.
        whole = next((path for path in unrendered if item.path[: len(path)] == path), None)
        path = path_text(item.path if whole is None else whole)
        texts = found[f"{_short(Path(definition.location(path)))} {path}"]
        text = _missed(item) if whole is None else "never rendered"
        if text not in texts:
            texts.append(text)
    return found


def _missed(item: Item) -> str:
    if not item.is_branch:
        return "never rendered"
    if not item.source:
        words = {"true": "never true", "false": "never false", "some": "never has items", "none": "never empty"}
        return words[item.way]
    line = item.source.count("\n", 0, item.offset)
    start = item.source.rfind("\n", 0, item.offset) + 1
    end = item.source.find("\n", item.offset)
    shown = item.source[start : end if end >= 0 else None]
    place = f"column {item.offset - start + 1}" + (f" of line {line + 1}" if line else "")
    return f"never {item.way} at {place} of `{shown.strip()}`"


def _short(path: Path) -> str:
    """A path from where the reader stands, if it lies below."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
