"""What the attacks share: the two tenants of the tests of permissions, and an outside issuer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.catalog.access.conftest import tenants  # noqa: F401 - a fixture, by its name
from tests.portal.accounts.outside_issuer import OutsideIssuer, running_issuer


@pytest.fixture
def issuer(settings: Any) -> Iterator[OutsideIssuer]:
    """A real OpenID issuer on loopback, trusted by the settings."""
    with running_issuer(settings) as running:
        yield running
