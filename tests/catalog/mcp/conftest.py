"""The fixtures of MCP, for the tests of the tools themselves."""

from tests.portal.mcp.conftest import mcp, platform, root  # noqa: F401
