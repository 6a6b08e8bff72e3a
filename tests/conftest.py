"""What all tests share: the conformance data, and the rule that a real component is never missed silently."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
REAL = os.environ.get("REAL") == "1"
KUBERNETES_SECONDS = 1800
"""What a test on a cluster may take where the program has to be built first; a whole run builds it before."""


def conformance_directory() -> Path:
    """Where the conformance data lies: `STAGECRAFT_CONFORMANCE`, by default beside the repository."""
    return Path(os.environ.get("STAGECRAFT_CONFORMANCE", REPOSITORY.parent / "shared" / "conformance"))


def missing(component: str, reason: str) -> None:
    """Skip a test for want of a real component or data; with `REAL=1`, as in CI, that is a failure."""
    text = f"{component} is not to be had here: {reason}"
    if REAL:
        pytest.fail(f"REAL=1 and {text}", pytrace=False)
    pytest.skip(text)


@pytest.fixture(scope="session")
def conformance() -> Path:
    """The conformance data, or a skip with the reason."""
    directory = conformance_directory()
    if not (directory / "README.md").is_file():
        missing("conformance data", f"{directory} does not exist; set STAGECRAFT_CONFORMANCE")
    return directory


@pytest.fixture(autouse=True)
def strangers_are_counted_anew() -> None:
    """Refusals of earlier tests do not count against the limit of this one."""
    from portal.audit import flood

    flood.forget()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that uses the database, so that PostgreSQL's run can select them, and give those that may have
    to build Kubernetes first the time for it."""
    for item in items:
        if any("kubernetes" in mark.args for mark in item.iter_markers("real")):
            item.add_marker(pytest.mark.timeout(KUBERNETES_SECONDS), append=False)
        fixtures = getattr(item, "fixturenames", ())
        if item.get_closest_marker("django_db") or "db" in fixtures or "transactional_db" in fixtures:
            item.add_marker(pytest.mark.database)
