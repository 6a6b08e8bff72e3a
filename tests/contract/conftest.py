"""The contract's document, an installation that can do what it describes, and clients that send steps of the plan."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from catalog.controllers import runtime
from catalog.delivery import drivers
from portal.accounts.models import User, issue_token
from tests.catalog.api.cluster import Cluster
from tests.catalog.api.conftest import ApiClient
from tests.contract.document import Document, read
from tests.contract.plan import WEBHOOK_SECRET, Reply, Step

ON_A_CLUSTER = {"stagecraft.dev/driver": "kubernetes"}
Send = Callable[[Step], Reply]


@pytest.fixture
def contract(conformance: Path) -> Document:
    return read(conformance)


@pytest.fixture
def installation(db: None, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planes are clusters if they say so, else Git; secrets may be handed over; webhooks are known by a signature."""
    settings.SECRET_MANAGEMENT_ENABLED = True
    settings.HOME = tmp_path
    settings.GIT_PLANE_REPOSITORY = str(tmp_path / "planes" / "default.git")
    settings.WEBHOOK_SECRETS = dict.fromkeys(settings.WEBHOOK_SECRETS, WEBHOOK_SECRET)
    found = Cluster()
    monkeypatch.setitem(drivers.DRIVERS, "kubernetes", drivers.Driver(Cluster.capabilities, lambda location: found))


def sender(token: str) -> Send:
    """Sends steps with that token; "" for none."""
    api = ApiClient(Client(), token)

    def send(step: Step) -> Reply:
        if step.is_settled:
            runtime.drain()
        query = f"?{urlencode(step.query)}" if step.query else ""
        reply = api.send(step.operation.method, step.path + query, step.body, **step.headers)
        return Reply(reply.status_code, reply.headers.get("Content-Type", ""), reply.content)

    return send


@pytest.fixture
def as_admin(installation: None) -> Send:
    return sender(issue_token(User.objects.create_superuser("admin", password="x"), "tests"))
