"""Fixtures of the tests of MCP: an administrator and a platform to work on."""

from __future__ import annotations

import pytest

from portal.accounts.models import User
from portal.quickstart import content
from tests.portal.mcp.client import McpClient, client_of


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root")


@pytest.fixture
def mcp(root: User) -> McpClient:
    """A client that may do everything."""
    return client_of(root)


@pytest.fixture
def platform(db: None) -> None:
    """What the quickstart begins with: a namespace `default` with a project, environments, types and roles."""
    content.apply_directory(content.DEFAULTS)
