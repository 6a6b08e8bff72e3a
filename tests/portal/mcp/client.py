"""A client of the MCP endpoint that speaks plain JSON-RPC, as the tests need it to look at every byte."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.test import Client

from portal.accounts.models import User, issue_token

INTERNAL = "internal error"


class CallFailed(AssertionError):
    """A tool answered with `isError`, or JSON-RPC refused the call."""


@dataclass
class McpClient:
    """Sends messages with a token. `query` is what stands behind the path."""

    token: str = ""
    path: str = "/mcp"
    query: str = ""
    client: Client = field(default_factory=Client)
    ids: Any = field(default_factory=lambda: itertools.count(1))

    def post(self, body: Any, **headers: str) -> Any:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"Accept": "application/json, text/event-stream", **headers}
        if self.token:
            given.setdefault("Authorization", f"Bearer {self.token}")
        address = f"{self.path}?{self.query}" if self.query else self.path
        return self.client.post(address, content, content_type="application/json", headers=given)

    def request(self, method: str, params: Any = None, **headers: str) -> Any:
        """The whole JSON-RPC answer."""
        message = {"jsonrpc": "2.0", "id": next(self.ids), "method": method}
        reply = self.post(message if params is None else {**message, "params": params}, **headers)
        assert reply.status_code == 200, (reply.status_code, reply.content[:500])
        answer = orjson.loads(reply.content)
        assert answer["jsonrpc"] == "2.0" and answer["id"] == message["id"]
        return answer

    def result(self, method: str, params: Any = None) -> Any:
        answer = self.request(method, params)
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def tool_names(self) -> list[str]:
        return [tool["name"] for tool in self.result("tools/list")["tools"]]

    def attempt(self, name: str, /, **arguments: Any) -> Any:
        """The whole answer to a call, whatever it is. An answer is never a failure of the server."""
        answer = self.request("tools/call", {"name": name, "arguments": arguments})
        if "result" in answer and answer["result"].get("isError"):
            assert INTERNAL not in answer["result"]["content"][0]["text"], answer
        return answer

    def call(self, name: str, /, **arguments: Any) -> Any:
        """The structured content of a call that succeeds; the text beside it says the same."""
        answer = self.attempt(name, **arguments)
        if "error" in answer or answer["result"].get("isError"):
            raise CallFailed(f"{name}: {answer.get('error') or answer['result']['content'][0]['text']}")
        result = answer["result"]
        assert orjson.loads(result["content"][0]["text"]) == result["structuredContent"]
        return result["structuredContent"]

    def refused(self, name: str, /, **arguments: Any) -> str:
        """The text of a call that is not carried out."""
        answer = self.attempt(name, **arguments)
        if "error" in answer:
            return str(answer["error"]["message"])
        assert answer["result"].get("isError"), answer
        return str(answer["result"]["content"][0]["text"])


def client_of(user: User, **fields: Any) -> McpClient:
    """A client signed in as a user by a token of ours."""
    return McpClient(issue_token(user, "mcp tests"), **fields)
