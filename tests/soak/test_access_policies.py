"""10,000 random policies, each with all its questions, against the slow second opinion."""

from __future__ import annotations

import pytest

from tests.catalog.access.conftest import tenants  # noqa: F401
from tests.catalog.access.policies import policies, world  # noqa: F401
from tests.catalog.access.test_against_reference import run

COUNT = 10_000


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.django_db
def test_engine_and_reference_agree_on_10_000_policies(
    world: None,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    tally = run(COUNT, policies(6))

    with capsys.disabled():
        print(f"\n{tally}")
    assert tally.policies >= COUNT
