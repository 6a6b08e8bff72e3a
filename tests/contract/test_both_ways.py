"""Requests made from the contract's document succeed, and every answer is as the document says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from catalog.controllers import runtime
from catalog.delivery import drivers
from portal.accounts.models import User, issue_token
from tests.catalog.access.conftest import person
from tests.catalog.api.cluster import Cluster
from tests.catalog.api.conftest import ApiClient
from tests.contract import deviations, evidence
from tests.contract.document import Document, read
from tests.contract.plan import WEBHOOK_SECRET, Plan, Reply, Step, walk

pytestmark = pytest.mark.django_db
ON_A_CLUSTER = {"stagecraft.dev/driver": "kubernetes"}
Send = Callable[[Step], Reply]


@pytest.fixture
def contract(conformance: Path) -> Document:
    return read(conformance)


@pytest.fixture
def installation(db: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planes are clusters, secrets may be handed over, and GitHub's deliveries are known by their signature."""
    settings.SECRET_MANAGEMENT_ENABLED = True
    settings.WEBHOOK_SECRETS = {**settings.WEBHOOK_SECRETS, "github": WEBHOOK_SECRET}
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


def test_every_operation_succeeds_with_a_documented_request_and_answers_as_documented(
    contract: Document, as_admin: Send
) -> None:
    wrong, seen = [], defaultdict(set)
    for step, reply in walk(Plan(contract, ON_A_CLUSTER).steps(), as_admin):
        faults = [*undocumented_parts(step), *deviations.unexplained(step, reply)]
        if not 200 <= reply.status < 300:
            faults.append(f"refused: {reply.status} {reply.body[:500]!r}")
        wrong += [f"{step} {dict(step.query)}: {fault}" for fault in faults]
        seen[step.operation.name].add(reply.status)

    assert wrong == []
    assert set(seen) == set(contract.operations)
    evidence.check("contract", {name: sorted(statuses) for name, statuses in seen.items()})


def undocumented_parts(step: Step) -> Iterator[str]:
    """What of a request the document does not allow."""
    operation = step.operation
    if operation.body_schema is not None:
        yield from operation.document.faults_of(operation.body_schema, step.body)
    asked = {item["name"]: item for item in operation.parameters if item["in"] == "query"}
    required = {name for name, item in asked.items() if item.get("required")}
    yield from (f"parameter {name} is missing" for name in required - step.query.keys())
    yield from (f"parameter {name} is not documented" for name in step.query.keys() - asked.keys())


def test_every_refusal_is_documented(contract: Document, as_admin: Send) -> None:
    stranger, nobody = sender(issue_token(person("ann", "strangers"), "tests")), sender("")
    wrong, asked, used = [], set(), set()
    for step, _ in walk(Plan(contract, ON_A_CLUSTER).steps(), as_admin):
        if step.operation.name in asked or step.operation.is_public:
            continue
        asked.add(step.operation.name)
        for words, send, refused in refusals(step, as_admin, stranger, nobody):
            reply = send(refused)
            wrong += [f"{words}: {refused}: {fault}" for fault in deviations.unexplained(refused, reply)]
            used.add(deviations.rule_for(refused, reply))

    assert wrong == []
    assert [rule.answer for rule in deviations.RULES if rule not in used] == []


def refusals(step: Step, admin: Send, stranger: Send, nobody: Send) -> Iterator[tuple[str, Send, Step]]:
    """The step in ways that are refused."""
    yield "without a token", nobody, step
    yield "without a right", stranger, step
    names = [name for name in step.parameters if name != "namespaceName" or len(step.parameters) == 1]
    if names and step.operation.path.rstrip("}").count("{") == len(step.parameters):
        yield "of what is not there", admin, replace(step, parameters={**step.parameters, names[-1]: "absent"})
    if step.body is not None:
        yield "with a body that is no JSON", admin, replace(step, body=b"{")
        yield "with an empty object", admin, replace(step, body={})
        yield "with a body of another type", admin, replace(step, body=5)
    if "limit" in {item["name"] for item in step.operation.parameters}:
        yield "with a limit that is no number", admin, replace(step, query={"limit": "x"})
        yield "with a selector that is none", admin, replace(step, query={"labelSelector": "a b c"})
        yield "with a cursor of nobody's", admin, replace(step, query={"cursor": "x"})
