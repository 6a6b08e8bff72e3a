"""The outside issuer, for the tests of keys and of who its tokens speak of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.portal.accounts.outside_issuer import OutsideIssuer, running_issuer


@pytest.fixture
def issuer(settings: Any) -> Iterator[OutsideIssuer]:
    """A real OpenID issuer on loopback, trusted by the settings."""
    with running_issuer(settings) as running:
        yield running
