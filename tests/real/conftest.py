"""Clusters for tests: one that all tests of a session share, and one of its own for a file whose tests break it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import missing
from tests.real import services
from tests.real.agent_stage import AgentStage, agent_stage_on
from tests.real.cluster.cluster import Cluster, start_cluster

CUSTOM_RESOURCES = ("gateway-api", "external-secrets", "argo")


def started() -> Cluster:
    """A cluster with all custom resources that tests use, or a skip with the reason."""
    try:
        return start_cluster(crds=CUSTOM_RESOURCES)
    except services.Unavailable as reason:
        missing("Kubernetes", str(reason))
        raise AssertionError("unreachable") from reason


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The session's cluster. What a test leaves there others find, so every test names its objects itself."""
    with started() as found:
        yield found


@pytest.fixture(scope="module")
def own_cluster() -> Iterator[Cluster]:
    """A cluster for one file: its tests kill parts of it, or count what is written there.

    Such files are in the group `kubernetes-apart`, so that they run beside those that share the session's cluster.
    """
    with started() as found:
        yield found


@pytest.fixture(scope="session")
def agent_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentStage]:
    """An installation that reaches its cluster by an agent only. It stays, and would mend what others deliver."""
    with started() as cluster, agent_stage_on(cluster, tmp_path_factory.mktemp("agents")) as found:
        yield found
