"""The reference server's decisions about other users, sent to ours: the same, save the listed differences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from django.test import Client

from portal.accounts.models import issue_token
from tests.catalog.access.conftest import person
from tests.catalog.api.conftest import ApiClient
from tests.catalog.api.recording import body_of, exchanges
from tests.catalog.api.test_recorded_exchanges import apply_files

pytestmark = pytest.mark.django_db
WHO = {
    "admin": ("admin-1", ["admins"], "human"),
    "developer": ("dev-1", ["developers"], "human"),
    "pe": ("pe-1", ["platform-engineers"], "human"),
    "sre": ("sre-1", ["sres"], "human"),
    "nobody": ("nobody-1", ["strangers"], "human"),
    "service": ("openchoreo-backstage-client", [], "service_account"),
    "publisher": ("openchoreo-workload-publisher-client", [], "service_account"),
}
# Routes that other work brings: the tree of a binding, releases, logs of runs.
NOT_BUILT = ("/k8sresources/", "/generate-release", "/workflowruns/run1/logs")
# What may not be seen is not there (§5.3.13): the reference says 403 to whoever asks.
HIDDEN = {904, 907, 910, 917, 920, 932, 937, 940, 950}
# Deleted just before: it is gone once its controller has cleaned up, and controllers do not run here.
NEEDS_A_CONTROLLER = {955}


def prepare(conformance: Path, api: ApiClient) -> None:
    """The state that the recording had when it came to other users: all that its administrator had made."""
    apply_files(conformance)
    for exchange in exchanges(conformance):
        if exchange["n"] >= 862:
            return
        if exchange["auth"] == "admin" and exchange["method"] in ("POST", "PUT"):
            api.send(exchange["method"], exchange["path"], body_of(exchange))


@pytest.fixture
def clients(api: ApiClient, conformance: Path) -> dict[str, ApiClient]:
    prepare(conformance, api)
    found = {"none": ApiClient(Client())}
    for who, (name, groups, kind) in WHO.items():
        found[who] = ApiClient(Client(), issue_token(person(name, *groups, kind=kind), "tests"))
    return found


def decisions(clients: dict[str, ApiClient], conformance: Path, group: str) -> dict[int, str]:
    """The exchanges whose status is not the recorded one."""
    different = {}
    for exchange in exchanges(conformance):
        if exchange["group"] != group or exchange["n"] in NEEDS_A_CONTROLLER:
            continue
        if any(part in exchange["path"] for part in NOT_BUILT):
            continue
        reply = clients[exchange["auth"]].send(exchange["method"], exchange["path"], body_of(exchange))
        if "status" in exchange and reply.status_code != exchange["status"]:
            different[exchange["n"]] = f"{exchange['auth']} {exchange['method']} {exchange['path']}: " + (
                f"{reply.status_code} {reply.content[:100]!r}, recorded {exchange['status']}"
            )
    return different


def test_others_may_do_what_they_may_there_save_that_the_hidden_is_not_there(
    clients: dict[str, ApiClient], conformance: Path
) -> None:
    different = decisions(clients, conformance, "what others may do")

    assert {number: text for number, text in different.items() if number not in HIDDEN} == {}
    assert all(": 404 " in text for text in different.values())


def test_with_hiding_switched_off_every_decision_is_the_recorded_one(
    clients: dict[str, ApiClient], conformance: Path, settings: Any
) -> None:
    settings.HIDE_FORBIDDEN = False

    assert decisions(clients, conformance, "what others may do") == {}


def test_profiles_evaluations_and_subject_types_are_the_recorded_ones(
    clients: dict[str, ApiClient], conformance: Path
) -> None:
    compared = 0
    for exchange in exchanges(conformance):
        if exchange["group"] != "authz" or "status" not in exchange:
            continue
        reply = clients[exchange["auth"]].send(exchange["method"], exchange["path"], body_of(exchange))
        assert reply.status_code == exchange["status"], (exchange["n"], reply.content)
        if "json" in exchange["headers"]["content-type"]:
            assert timeless(reply.content) == timeless(exchange["response"]), exchange["n"]
        compared += 1
    assert compared == 24 - 3


def timeless(body: Any) -> Any:
    found = orjson.loads(body)
    if isinstance(found, dict):
        found.pop("evaluatedAt", None)
    return found
