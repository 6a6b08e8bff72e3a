"""What a replay came to, for people."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from tests.replay.deliberate import pending_for
from tests.replay.exchanges import Exchange
from tests.replay.player import Result


def score(results: Sequence[Result]) -> tuple[int, int, int]:
    """How many of the compared are equal, deliberately different, different."""
    compared = [result for result in results if result.exchange.is_compared]
    deliberate = sum(result.is_deliberate for result in compared)
    different = sum(result.is_different for result in compared)
    return len(compared) - deliberate - different, deliberate, different


def percentage(results: Sequence[Result]) -> float:
    """The share of equal and deliberate among those compared, in percent."""
    equal, deliberate, different = score(results)
    total = equal + deliberate + different
    return 100.0 * (equal + deliberate) / total if total else 0.0


def last_line(results: Sequence[Result]) -> str:
    equal, deliberate, different = score(results)
    total = equal + deliberate + different
    return f"{equal} equal, {deliberate} deliberate, {different} different of {total} ({percentage(results):.1f} %)"


def lines(results: Sequence[Result], *, with_deliberate: bool = True) -> Iterator[str]:
    """Every mismatch by group of the recording, then the deliberate ones by rule, then the score."""
    for group, members in groupby(results, lambda result: result.exchange.group):
        for result in (member for member in members if member.is_different):
            exchange = result.exchange
            note = f"  ({exchange.note})" if exchange.note else ""
            waits = pending_for(exchange)
            body = "" if exchange.body is None else f"  body {json.dumps(exchange.body)[:200]}"
            if waits:
                note += f"  [needs {waits.needs}]"
            yield f"{group}: #{exchange.number} {exchange.auth} {exchange.method} {exchange.path[:140]}{note}{body}"
            yield from (f"      {line}" for line in result.lines)
    if with_deliberate:
        meant = [result for result in results if result.is_deliberate]
        for rule in dict.fromkeys(rule for result in meant for rule in result.rules):
            numbers = ", ".join(str(result.exchange.number) for result in meant if rule in result.rules)
            yield f"deliberate: {rule.request}: {rule.why}  (#{numbers})"
    for needs, count in Counter(waits.needs for waits in map(pending_for, different(results)) if waits).items():
        yield f"different for want of {needs}: {count}"
    yield last_line(results)


def different(results: Sequence[Result]) -> list[Exchange]:
    return [result.exchange for result in results if result.is_different and result.exchange.is_compared]
