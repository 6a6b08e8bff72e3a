"""Requests made from the contract's document succeed, and every answer is as the document says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

import pytest

from portal.accounts.models import issue_token
from tests.catalog.access.conftest import person
from tests.contract import deviations, evidence
from tests.contract.conftest import ON_A_CLUSTER, Send, sender
from tests.contract.document import Document
from tests.contract.plan import Plan, Step, walk

pytestmark = pytest.mark.django_db


def test_every_operation_succeeds_with_a_documented_request_and_answers_as_documented(
    contract: Document, as_admin: Send
) -> None:
    wrong, seen = [], defaultdict(set)
    for step, reply in walk(Plan(contract, ON_A_CLUSTER).steps(), as_admin):
        faults = [*undocumented_parts(step), *deviations.unexplained(step.operation, reply)]
        if not 200 <= reply.status < 300:
            faults.append(f"refused: {reply.status} {reply.body[:500]!r}")
        wrong += [f"{step} {dict(step.query)}: {fault}" for fault in faults]
        seen[step.operation.name].add(reply.status)

    assert not wrong, "\n".join(wrong)
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
    for step, reply in walk(Plan(contract).steps(), as_admin):  # on Git planes, which have some refusals of their own
        wrong += [f"{step}: {fault}" for fault in deviations.unexplained(step.operation, reply)]
        used.add(deviations.rule_for(step.operation, reply))
        if step.operation.name in asked or step.operation.is_public:
            continue
        asked.add(step.operation.name)
        for words, send, refused in refusals(step, as_admin, stranger, nobody):
            reply = send(refused)
            wrong += [f"{words}: {refused}: {fault}" for fault in deviations.unexplained(refused.operation, reply)]
            used.add(deviations.rule_for(refused.operation, reply))

    assert not wrong, "\n".join(wrong)
    assert [rule.answer for rule in deviations.RULES if rule not in used] == []


def refusals(step: Step, admin: Send, stranger: Send, nobody: Send) -> Iterator[tuple[str, Send, Step]]:
    """The step in ways that are refused."""
    yield "without a token", nobody, step
    yield "without a right", stranger, step
    names = [name for name in step.parameters if name != "namespaceName" or len(step.parameters) == 1]
    if names and step.operation.path.rstrip("}").count("{") == len(step.parameters):
        for words, name in (
            ("of what is not there", "absent"),
            ("of what cannot be there", "a%2Fb"),
            ("beyond a doubled slash", "/x"),
        ):
            yield words, admin, replace(step, parameters={**step.parameters, names[-1]: name})
    replaced = f"update{step.operation.name.removeprefix('delete')}"
    if step.operation.name.startswith("delete") and replaced in step.operation.document.operations:
        yield "while it is being deleted", admin, Plan(step.operation.document).replacement(replaced, step.parameters)
    if step.operation.name.startswith("create"):
        yield "a second time", admin, step
    if step.body is not None:
        yield "with a body that is no JSON", admin, replace(step, body=b"{")
        yield "with an empty object", admin, replace(step, body={})
        yield "with a body of another type", admin, replace(step, body=5)
    if "limit" in {item["name"] for item in step.operation.parameters}:
        yield "with a limit that is no number", admin, replace(step, query={"limit": "x"})
        yield "with a selector that is none", admin, replace(step, query={"labelSelector": "a b c"})
        yield "with a cursor of nobody's", admin, replace(step, query={"cursor": "x"})
