"""What the attacks share: the two tenants of the tests of permissions."""

from tests.catalog.access.conftest import tenants  # noqa: F401 - a fixture, by its name
