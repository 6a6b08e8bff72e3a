"""Workers die by kill -9 at random moments; the installation converges, nothing is lost and nothing done twice."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.catalog.delivery.deliveries import commits, git, is_sound, manifests
from tests.conftest import missing
from tests.real import services
from tests.real.installation import Installation, greeter

COMPONENTS = 16
KILLS = 5
OBJECTS_EACH = 6


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def start(stack: ExitStack, function, component: str) -> services.Service:
    """Start a service for the length of the test, or skip it with the reason."""
    try:
        return stack.enter_context(function())
    except services.Unavailable as reason:
        missing(component, str(reason))
        raise AssertionError("unreachable") from reason


@pytest.fixture(
    params=[
        pytest.param(("sqlite", "files"), id="SQLite, filesystem broker"),
        pytest.param(("postgresql", "redis"), id="PostgreSQL, Redis", marks=pytest.mark.real("postgresql and redis")),
    ]
)
def installation(request, stack, tmp_path) -> Installation:
    """An empty installation with the platform's defaults, on each pair of database and broker."""
    database, broker = request.param
    database_url = start(stack, services.start_postgresql, "PostgreSQL").url if database == "postgresql" else ""
    broker_url = start(stack, services.start_redis, "Redis").url if broker == "redis" else ""
    found = stack.enter_context(Installation(tmp_path / "home", database_url, broker_url))
    found.prepare()
    return found


def states_by_component(repository: Path, names: list[str]) -> dict[str, list[str]]:
    """For each component the states that the branch has shown of it, oldest first, one for each commit."""
    found: dict[str, list[str]] = {}
    for name in names:
        path = f"default/development/default/{name}"
        hashes = git(repository, "log", "--reverse", "--format=%H", "main", "--", path).split()
        found[name] = [git(repository, "rev-parse", f"{commit}:{path}") for commit in hashes]
    return found


def disturb(installation: Installation, chance: random.Random, batches: list[list[dict]], kills: int) -> int:
    """Apply the batches one by one while a worker is killed and started again at random moments.

    Returns how many of the kills left work undone: those that the test is about.
    """
    worker, hits = installation.start_worker(), 0
    for number, batch in enumerate(batches):
        installation.apply(*batch)
        if number % max(1, len(batches) // kills) == 0:
            time.sleep(chance.uniform(0.2, 1.6))
            installation.kill_worker(worker)
            hits += installation.state()["due"] > 0
            worker = installation.start_worker()
    return hits


@pytest.mark.timeout(400)
def test_workers_killed_while_components_are_applied_and_changed(installation):
    apply_and_change(installation, COMPONENTS, KILLS)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_workers_killed_a_hundred_times(installation):
    apply_and_change(installation, 150, 50)


def apply_and_change(installation: Installation, components: int, kills: int) -> None:
    """Apply the components and then change them all, with so many kills each time; look at what came of it."""
    chance = random.Random(11)  # noqa: S311 - the same moments in every run
    names = [f"greeter-{number}" for number in range(components)]
    repository = installation.repository

    hits = disturb(installation, chance, [greeter(name) for name in names], kills)
    first = installation.wait_until_settled(components)
    assert first["releases"] == dict.fromkeys(names, 1), "one release for each state, however often work began anew"
    delivered = states_by_component(repository, names)
    assert all(states for states in delivered.values()), "nothing is lost"

    hits += disturb(installation, chance, [greeter(name, "registry.example/greeter:2") for name in names], kills)
    assert hits > kills // 2, "too few of the kills came while there was work"
    second = installation.wait_until_settled(components)
    assert second["releases"] == dict.fromkeys(names, 2)
    assert second["failed"] == []

    images = {
        line.strip()
        for name in manifests(repository)
        if "/greeter-" in name and "deployment" in name
        for line in git(repository, "show", f"main:{name}").splitlines()
        if "image:" in line
    }
    assert {image.removeprefix("- ") for image in images} == {"image: registry.example/greeter:2"}
    after = states_by_component(repository, names)
    for name in names:
        assert len(after[name]) == len(set(after[name])), f"{name}: one commit for each distinct state"
        assert len(after[name]) == len(delivered[name]) + 1, f"{name}: one change, one commit"
    files = Counter(name.rpartition("/")[0] for name in manifests(repository) if "/greeter-" in name)
    assert set(files.values()) == {OBJECTS_EACH}
    subjects = Counter(subject for subject in commits(repository) if "greeter" in subject)
    assert max(subjects.values()) == 1, "no release is delivered twice"
    assert is_sound(repository)


@pytest.mark.timeout(400)
def test_two_workers_one_of_them_killed_again_and_again(installation):
    chance = random.Random(5)  # noqa: S311 - the same moments in every run
    names = [f"greeter-{number}" for number in range(COMPONENTS)]
    installation.start_worker()
    disturb(installation, chance, [greeter(name) for name in names], KILLS)
    found = installation.wait_until_settled(COMPONENTS)
    assert found["releases"] == dict.fromkeys(names, 1)
    states = states_by_component(installation.repository, names)
    assert {len(of_one) for of_one in states.values()} == {1}
    assert is_sound(installation.repository)


@pytest.mark.timeout(400)
def test_deleted_components_leave_the_plane_though_workers_die_while_they_are_deleted(installation):
    chance = random.Random(3)  # noqa: S311 - the same moments in every run
    names = [f"greeter-{number}" for number in range(8)]
    worker = installation.start_worker()
    installation.apply(*[document for name in names for document in greeter(name)])
    installation.wait_until_settled(len(names))
    for name in names[:6]:
        installation.delete("Component", "default", name)
        if chance.random() < 0.5:
            time.sleep(chance.uniform(0.0, 0.3))
            installation.kill_worker(worker)
            worker = installation.start_worker()
    installation.wait_until_settled(2)
    left = {name.split("/")[3] for name in manifests(installation.repository) if "/greeter-" in name}
    assert left == {"greeter-6", "greeter-7"}
    assert is_sound(installation.repository)


@pytest.mark.real("redis")
@pytest.mark.timeout(400)
def test_a_broker_that_loses_everything_costs_time_and_no_change(stack, tmp_path):
    redis = start(stack, services.start_redis, "Redis")
    installation = stack.enter_context(Installation(tmp_path / "home", "", redis.url))
    installation.prepare()
    installation.start_worker()
    installation.apply(*greeter("greeter-0"))
    installation.wait_until_settled(1)
    redis.kill()
    installation.apply(*greeter("greeter-1"))  # no message gets through
    redis.start()
    redis.wait_until(lambda: services.answers(redis.port))
    found = installation.wait_until_settled(2)
    assert found["releases"] == {"greeter-0": 1, "greeter-1": 1}
    assert is_sound(installation.repository)
