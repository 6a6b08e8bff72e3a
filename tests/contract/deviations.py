"""Answers that are meant to be others than the document says, as rules: never a list of requests.

Most are those of OpenChoreo's own server, which its document does not tell; clients know them. `ours` are improvements
that are listed in docs/compatibility.md, which is made from this table.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from tests.contract.plan import Reply, Step

UNDECODABLE = (b"can't decode JSON body: ", b"Invalid format for parameter ", b"Query argument ")


@dataclass(frozen=True)
class Rule:
    """`is_ours`: not the reference's answer, but better than it."""

    answer: str
    why: str
    fits: Callable[[Step, Reply], bool]
    is_ours: bool = False


RULES = (
    Rule(
        "401 with `error` and `message` instead of `code` and `error`, also where no 401 is documented",
        "the layer in front of the operations has its own shape, and guards all that are not public",
        lambda step, reply: (
            reply.status == 401 and not step.operation.is_public and set(shape(reply)) == {"error", "message"}
        ),
    ),
    Rule(
        "400 in plain text for a body or a query that cannot be read, also where no 400 is documented",
        "the decoder in front of the operations writes text",
        lambda step, reply: reply.status == 400 and is_text(reply) and reply.body.startswith(UNDECODABLE),
    ),
    Rule(
        "404 to a create in a namespace that does not exist",
        "the document has no status for it, and the reference answers 500",
        lambda step, reply: (
            step.operation.method == "POST" and reply.status == 404 and b"Namespace not found" in reply.body
        ),
        is_ours=True,
    ),
)

MORE_FIELDS = {
    "handleAutoBuild": {".startedRuns", ".refusedComponents"},
}
"""Fields beside the documented ones, by operation: what a webhook started, and what it did not and why."""


def unexplained(step: Step, reply: Reply) -> list[str]:
    """What of a reply is neither as documented nor meant to differ."""
    operation = step.operation
    faults = operation.faults(reply.status, reply.content_type, reply.body)
    if faults:
        return [] if rule_for(step, reply) else faults
    schema = operation.content_types(reply.status).get("application/json")
    if schema is None or not reply.body:
        return []
    more = set(operation.document.undocumented(schema, reply.json)) - MORE_FIELDS.get(operation.name, set())
    return [f"{place} is not documented" for place in sorted(more)]


def rule_for(step: Step, reply: Reply) -> Rule | None:
    """The rule that names this answer."""
    return next((rule for rule in RULES if rule.fits(step, reply)), None)


def is_text(reply: Reply) -> bool:
    return reply.content_type.startswith("text/plain")


def shape(reply: Reply) -> dict[str, object]:
    """The reply's object, {} if it is none."""
    if "json" not in reply.content_type:
        return {}
    found = json.loads(reply.body)
    return found if isinstance(found, dict) else {}
