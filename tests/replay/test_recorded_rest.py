"""The recorded REST exchanges against a real server with its worker: equal, or different on purpose."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.replay import report
from tests.replay.deliberate import pending, pending_for, rules
from tests.replay.exchanges import read_exchanges
from tests.replay.player import Played, play

ABOUT_ACCESS = {
    "authz": 21,
    "what others may do": 48,
    "authzroles": 12,
    "clusterauthzroles": 11,
    "authzrolebindings": 12,
    "clusterauthzrolebindings": 12,
    "delete authzroles": 2,
    "delete clusterauthzroles": 2,
    "delete authzrolebindings": 2,
    "delete clusterauthzrolebindings": 2,
}
"""The groups of the recording that are about permissions, and how many replies each has; none is skipped."""
ENOUGH = 99.0
"""Percent of the compared exchanges whose parts are there."""


@pytest.fixture(scope="module")
def played(conformance: Path, tmp_path_factory: pytest.TempPathFactory) -> Played:
    exchanges = read_exchanges(conformance / "live" / "rest.jsonl")
    return play(tmp_path_factory.mktemp("replay"), conformance, exchanges)


@pytest.mark.timeout(300)
def test_recorded_exchanges_are_answered_as_recorded(played: Played, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\n{report.last_line(played.results)}")
    possible = [result for result in played.results if not (result.is_different and pending_for(result.exchange))]

    assert report.percentage(possible) >= ENOUGH, "\n".join(report.lines(possible, with_deliberate=False))


def test_the_server_logs_no_unexpected_error(played: Played) -> None:
    assert list(played.errors) == []


def test_every_deliberate_difference_is_there(played: Played) -> None:
    """A rule that no exchange needs any more is out of date."""
    used = {rule for result in played.results for rule in result.rules}

    assert [rule.request for rule in rules() if rule not in used] == []


def test_everything_that_waits_for_other_parts_is_there(played: Played) -> None:
    waiting = {pending_for(exchange) for exchange in report.different(played.results)}

    assert [entry.request for entry in pending() if entry not in waiting] == []


def test_every_recorded_decision_about_access_is_equal_or_meant_to_differ(played: Played) -> None:
    about = [result for result in played.results if result.exchange.group in ABOUT_ACCESS]
    compared = Counter(result.exchange.group for result in about if result.exchange.is_compared)

    assert compared == ABOUT_ACCESS
    assert [str(exchange) for exchange in report.different(about)] == []
