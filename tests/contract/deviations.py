"""Answers that are meant to be others than the document says, as rules: never a list of requests.

Most are those of OpenChoreo's own server, which its document does not tell; clients know them. `ours` are improvements
that are listed in docs/compatibility.md, which is made from this table.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from tests.contract.document import Operation
from tests.contract.plan import Reply

UNDECODABLE = (b"can't decode JSON body: ", b"Invalid format for parameter ", b"Query argument ")

NO_SUCH_PATH = (b"404 page not found\n", b"a path may not contain the NUL character\n")


@dataclass(frozen=True)
class Rule:
    """`is_ours`: not the reference's answer, but better than it."""

    answer: str
    why: str
    fits: Callable[[Operation, Reply], bool]
    is_ours: bool = False


RULES = (
    Rule(
        "401 with `error` and `message` instead of `code` and `error`, also where no 401 is documented",
        "the layer in front of the operations has its own shape, and guards all that are not public",
        lambda operation, reply: (
            reply.status == 401 and not operation.is_public and set(shape(reply)) == {"error", "message"}
        ),
    ),
    Rule(
        "400 in plain text for a body or a query that cannot be read, also where no 400 is documented",
        "the decoder in front of the operations writes text",
        lambda operation, reply: reply.status == 400 and is_text(reply) and reply.body.startswith(UNDECODABLE),
    ),
    Rule(
        "400 or 404 in plain text for a path that leads nowhere: a slash or NUL in a name",
        "the router in front of the operations writes text; the reference fails with 500 at some of them",
        lambda operation, reply: is_text(reply) and reply.body in NO_SUCH_PATH,
        is_ours=True,
    ),
    Rule(
        "307 for a path with `..` or a doubled slash",
        "as the router of the reference does",
        lambda operation, reply: reply.status == 307,
    ),
    Rule(
        "501 with the reason, where a plane cannot be looked into (Git)",
        "the document knows planes with a cluster only",
        lambda operation, reply: reply.status == 501 and shape(reply).get("code") == "NOT_IMPLEMENTED",
        is_ours=True,
    ),
    Rule(
        "409 to a create under a name that is taken, where the document has no 409",
        "the reference answers 500",
        lambda operation, reply: operation.method == "POST" and reply.status == 409,
        is_ours=True,
    ),
    Rule(
        "409 to a replacement of what is being deleted, where the document has no 409",
        "the reference takes the new spec, which goes with the object",
        lambda operation, reply: (
            operation.method == "PUT" and reply.status == 409 and b"is being deleted" in reply.body
        ),
        is_ours=True,
    ),
    Rule(
        "404 to a create in a namespace that does not exist",
        "the document has no status for it, and the reference answers 500",
        lambda operation, reply: (
            operation.method == "POST" and reply.status == 404 and b"Namespace not found" in reply.body
        ),
        is_ours=True,
    ),
)

EXTENSIONS = "/api/stagecraft/"
"""What our own document describes; its replies may hold more than it says."""
MORE_FIELDS = {
    "handleAutoBuild": {".startedRuns", ".refusedComponents"},
}
"""Fields beside the documented ones, by operation: what a webhook started, and what it did not and why."""


def unexplained(operation: Operation, reply: Reply) -> list[str]:
    """What of a reply is neither as documented nor meant to differ."""
    faults = operation.faults(reply.status, reply.content_type, reply.body)
    if faults:
        return [] if rule_for(operation, reply) else faults
    schema = operation.content_types(reply.status).get("application/json")
    if schema is None or not reply.body or operation.path.startswith(EXTENSIONS):
        return []
    more = set(operation.document.undocumented(schema, reply.json)) - MORE_FIELDS.get(operation.name, set())
    return [f"{place} is not documented" for place in sorted(more)]


def failures(operation: Operation, reply: Reply) -> list[str]:
    """The same for a request that somebody made up: and never a failure, whatever the document says."""
    if reply.status >= 500 and reply.status != 501:
        return [f"{reply.status} {reply.body[:500]!r}"]
    return unexplained(operation, reply)


def rule_for(operation: Operation, reply: Reply) -> Rule | None:
    """The rule that names this answer."""
    return next((rule for rule in RULES if rule.fits(operation, reply)), None)


def is_text(reply: Reply) -> bool:
    return reply.content_type.startswith("text/plain")


def shape(reply: Reply) -> dict[str, object]:
    """The reply's object, {} if it is none."""
    if "json" not in reply.content_type:
        return {}
    found = json.loads(reply.body)
    return found if isinstance(found, dict) else {}
