"""Tools about permissions: roles, bindings, and why something is allowed or not.

Whoever writes roles or bindings is judged as everywhere: nobody gives what they do not hold, an agent gives nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from catalog.mcp.declare import one
from catalog.mcp.types import TypeKind, authoring, getting, listing
from portal.access import guard
from portal.access.actions import contract_actions
from portal.access.endpoint import Call
from portal.access.place import Place
from portal.access.subject import is_unchecked
from portal.access.views import answers_to, wire_action
from portal.mcp.arguments import ITEMS, described
from portal.mcp.reach import reaches
from portal.mcp.registry import Arguments, Document, Tool
from portal.wire import responses
from portal.wire.responses import Refusal

POWERS = (
    TypeKind("AuthzRole", "authz_role", "sets of actions"),
    TypeKind("AuthzRoleBinding", "authz_role_binding", "who has which role where, allowed or denied"),
)


def list_authz_actions(call: Call, given: Arguments) -> Document:
    """Every action that a role can name."""
    require_anywhere(call, "authzrole:view", "AuthzRole")
    if is_unchecked():
        raise Refusal(500, responses.INTERNAL_ERROR)
    shown = (wire_action(action) for action in contract_actions())
    return {"actions": [{"name": item["name"], "lowest_scope": item["lowestScope"], **more(item)} for item in shown]}


def more(action: Document) -> Document:
    return {"conditions": action["conditions"]} if "conditions" in action else {}


def evaluate_authz(call: Call, given: Arguments) -> Document:
    """The answers, in order. Asking about somebody else is a right of its own."""
    require_anywhere(call, "authzrolebinding:view", "AuthzRoleBinding")
    return {"decisions": [flat(answer) for answer in answers_to(call, given["requests"])]}


def flat(answer: Document) -> Document:
    reason = answer["context"].get("reason")
    return {"decision": answer["decision"], **({"reason": reason} if reason else {})}


def require_anywhere(call: Call, action: str, kind: str) -> None:
    """Refuse who has the action nowhere: what is shown is the same everywhere. Raises `guard.Forbidden`."""
    if not reaches(call.access, action):
        guard.require_at(call.access, action, Place(), kind=kind)


def tools() -> Iterator[Tool]:
    for of in POWERS:
        yield listing(of)
        yield getting(of)
        yield from authoring(of, verb="view")
    yield Tool(
        "list_authz_actions",
        "List actions",
        "Every action that roles can name, where it is judged, and what its conditions may use.",
        list_authz_actions,
        one("authzrole:view"),
        ("pe",),
        result={"actions": ITEMS},
        always=("actions",),
        untrusted=False,
    )
    yield Tool(
        "evaluate_authz",
        "Ask whether something is allowed",
        "Whether actions are allowed, and why: for yourself, or for another subject if you may ask.",
        evaluate_authz,
        one("authzrolebinding:view"),
        ("pe",),
        arguments={
            "requests": described(
                {**ITEMS, "minItems": 1},
                "{action, resource: {type, id?, hierarchy?: {namespace, project, component, resource}}, "
                "subject_context?: {type, entitlement_claim, entitlement_values}, context?}",
            )
        },
        required=("requests",),
        result={"decisions": ITEMS},
        always=("decisions",),
    )


TOOLS = tuple(tools())
