"""10,000 random policies, each with all its questions, against the slow second opinion."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.catalog.access.conftest import tenants  # noqa: F401
from tests.catalog.access.reference import Asker
from tests.catalog.access.test_against_reference import askers, bindings, compare, roles, world  # noqa: F401


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.django_db
@settings(
    max_examples=10_000,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(policy_roles=roles, policy_bindings=st.lists(bindings(), min_size=1, max_size=8), asker=askers)
def test_engine_and_reference_agree(
    world: None,  # noqa: F811
    policy_roles: Any,
    policy_bindings: Any,
    asker: Asker,
) -> None:
    compare(policy_roles, policy_bindings, asker)
