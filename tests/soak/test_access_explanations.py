"""10,000 random decisions, each explained: what is named is taken away or given, and the decision must turn."""

from __future__ import annotations

import pytest

from tests.catalog.access.conftest import tenants  # noqa: F401
from tests.catalog.access.policies import world  # noqa: F401
from tests.catalog.access.test_explanations import run

COUNT = 10_000


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.django_db
def test_explanations_of_10_000_decisions_hold(
    world: None,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    tally = run(COUNT)

    with capsys.disabled():
        print(f"\n{tally}")
    assert tally.decisions >= COUNT
