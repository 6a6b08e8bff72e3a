"""With hiding switched off, the reference server's decisions about other users are ours, one for one.

With hiding, the default, `tests/replay` compares them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from catalog import store
from catalog.kinds.registry import UnknownKind
from portal.accounts.actor import system
from portal.accounts.models import issue_token
from tests.catalog.access.conftest import person
from tests.catalog.api.conftest import ApiClient
from tests.replay.exchanges import Exchange, read_exchanges
from tests.replay.identities import CALLERS
from tests.replay.stage import start_documents

pytestmark = pytest.mark.django_db
GROUP = "what others may do"
# Deleted just before: it is gone once its controller has cleaned up, and controllers do not run here.
NEEDS_A_CONTROLLER = {955}


@pytest.fixture
def clients(api: ApiClient, conformance: Path) -> dict[str, ApiClient]:
    """The recorded callers, in the state that the recording had when it came to them."""
    for document in start_documents(conformance):
        try:
            store.apply(document, system("tests"))
        except UnknownKind:
            continue
    for exchange in exchanges(conformance):
        if exchange.group == "authz":
            break
        if exchange.auth == "admin" and exchange.method in ("POST", "PUT"):
            api.send(exchange.method, exchange.path, exchange.content)
    found = {"none": ApiClient(Client())}
    for who, claims in CALLERS.items():
        kind = "human" if "groups" in claims else "service_account"
        user = person(claims["sub"], *claims.get("groups", ()), kind=kind)
        found[who] = ApiClient(Client(), issue_token(user, "tests"))
    return found


def exchanges(conformance: Path) -> list[Exchange]:
    return read_exchanges(conformance / "live" / "rest.jsonl")


def test_with_hiding_switched_off_every_decision_is_the_recorded_one(
    clients: dict[str, ApiClient], conformance: Path, settings: Any
) -> None:
    settings.HIDE_FORBIDDEN = False
    different, compared = [], 0
    for exchange in exchanges(conformance):
        if exchange.group not in ("authz", GROUP) or exchange.number in NEEDS_A_CONTROLLER:
            continue
        reply = clients[exchange.auth].send(exchange.method, exchange.path, exchange.content)
        if exchange.is_compared and exchange.group == GROUP:
            compared += 1
            if reply.status_code != exchange.status:
                different.append(f"{exchange}: {reply.status_code} {reply.content[:100]!r}, recorded {exchange.status}")

    assert different == []
    assert compared == 47
