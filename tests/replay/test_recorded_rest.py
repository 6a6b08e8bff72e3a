"""The recorded REST exchanges against a real server with its worker: equal, or different on purpose."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import missing
from tests.contract import evidence
from tests.contract.document import read
from tests.real import services
from tests.real.cluster.cluster import start_cluster
from tests.replay import report
from tests.replay.deliberate import pending, pending_for, rules
from tests.replay.exchanges import Exchange, read_exchanges
from tests.replay.player import Played, play
from tests.replay.stand_ins import CUSTOM_RESOURCES

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
"""Percent that must be equal or deliberately different."""


@pytest.fixture(scope="module")
def played(conformance: Path, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """On Git planes, as the quickstart has them."""
    return play(tmp_path_factory.mktemp("replay"), conformance, recorded(conformance))


@pytest.fixture(scope="module")
def played_on_cluster(conformance: Path, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """With a real Kubernetes behind the planes, as the recording had one."""
    try:
        started = start_cluster(crds=CUSTOM_RESOURCES)
    except services.Unavailable as reason:
        missing("Kubernetes", str(reason))
        raise AssertionError("unreachable") from reason
    with started as cluster:
        return play(tmp_path_factory.mktemp("replay"), conformance, recorded(conformance), cluster=cluster)


def recorded(conformance: Path) -> list[Exchange]:
    return read_exchanges(conformance / "live" / "rest.jsonl")


def show(played: Played, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\n{report.last_line(played.results)}")


@pytest.mark.timeout(300)
def test_on_git_planes_what_a_git_plane_can_know_is_answered_as_recorded(
    played: Played, capsys: pytest.CaptureFixture[str]
) -> None:
    show(played, capsys)
    possible = [result for result in played.results if not (result.is_different and pending_for(result.exchange))]

    assert report.percentage(possible) >= ENOUGH, "\n".join(report.lines(possible, with_deliberate=False))


@pytest.mark.timeout(600)
@pytest.mark.real("kubernetes")
@pytest.mark.xdist_group("kubernetes")
def test_with_a_cluster_the_recorded_exchanges_are_answered_as_recorded(
    played_on_cluster: Played, capsys: pytest.CaptureFixture[str]
) -> None:
    show(played_on_cluster, capsys)
    results = played_on_cluster.results

    assert report.percentage(results) >= ENOUGH, "\n".join(report.lines(results, with_deliberate=False))


def test_the_server_logs_no_unexpected_error(played: Played) -> None:
    assert list(played.errors) == []


@pytest.mark.timeout(600)
@pytest.mark.real("kubernetes")
@pytest.mark.xdist_group("kubernetes")
def test_every_entry_of_the_table_is_needed(played: Played, played_on_cluster: Played) -> None:
    """An entry that no exchange needs any more, on either sort of planes, is out of date."""
    results = [*played.results, *played_on_cluster.results]
    used = {rule for result in results for rule in result.rules}
    waiting = {pending_for(exchange) for exchange in report.different(results)}

    assert [rule.request for rule in rules() if rule not in used] == []
    assert [entry.request for entry in pending() if entry not in waiting] == []


def test_the_table_of_operations_names_the_recorded_ones(played: Played, conformance: Path) -> None:
    """How many exchanges were recorded of each, where at least one is answered alike."""
    operations = read(conformance).operations.values()
    recorded, alike = Counter[str](), set()
    for result in played.results:
        exchange = result.exchange
        path = exchange.path.partition("?")[0]
        operation = next((item for item in operations if item.is_at(exchange.method, path)), None)
        if operation and exchange.is_compared:
            recorded[operation.name] += 1
            if not result.is_different:
                alike.add(operation.name)
    evidence.check("recordings", {name: number for name, number in recorded.items() if name in alike})


def test_every_recorded_decision_about_access_is_equal_or_meant_to_differ(played: Played) -> None:
    about = [result for result in played.results if result.exchange.group in ABOUT_ACCESS]
    compared = Counter(result.exchange.group for result in about if result.exchange.is_compared)

    assert compared == ABOUT_ACCESS
    assert [str(exchange) for exchange in report.different(about)] == []
