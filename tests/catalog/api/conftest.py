"""Fixtures of the API's tests: an API client that is signed in, and a namespace to work in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from django.test import Client

from portal.access.actions import contract_actions
from portal.accounts.models import User, issue_token
from tests.catalog.access.conftest import bind, role


@dataclass
class ApiClient:
    """Sends requests with a token and shows replies as (status, JSON)."""

    client: Client
    token: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        content = body if isinstance(body, bytes) else (b"" if body is None else orjson.dumps(body))
        given = {**self.headers, **headers}
        if self.token:
            given.setdefault("Authorization", f"Bearer {self.token}")
        return self.client.generic(method, path, content, content_type="application/json", headers=given)

    def get(self, path: str, **headers: str) -> Any:
        return self.send("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.send("POST", path, body, **headers)

    def put(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.send("PUT", path, body, **headers)

    def delete(self, path: str, **headers: str) -> Any:
        return self.send("DELETE", path, **headers)

    def create(self, path: str, body: Any) -> Any:
        """Create and return the object; fails the test if it is refused."""
        reply = self.post(path, body)
        assert reply.status_code == 201, reply.content
        return reply.json()


@pytest.fixture
def admin(db: None) -> User:
    return User.objects.create_superuser("admin", "admin@example.com", "x")


@pytest.fixture
def api(client: Client, admin: User) -> ApiClient:
    """The API as an administrator."""
    return ApiClient(client, issue_token(admin, "tests"))


@pytest.fixture
def reader_api(db: None) -> ApiClient:
    """The API as somebody who may read everything, and nothing else."""
    reader = User.objects.create_user("reader", "reader@example.com", "x")
    role("reader", *(action.name for action in contract_actions() if action.only_reads))
    bind("readers", "sub:reader", "reader")
    return ApiClient(Client(), issue_token(reader, "tests"))


@pytest.fixture
def stranger_api(db: None) -> ApiClient:
    """The API without a token."""
    return ApiClient(Client())


@pytest.fixture
def namespace(api: ApiClient) -> str:
    """An empty namespace."""
    api.create("/api/v1/namespaces", {"metadata": {"name": "acme"}})
    return "acme"
