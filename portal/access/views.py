"""The contract's endpoints about permissions: what there is, what I may do, may this be done, who can be meant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpResponse, QueryDict
from django.utils import timezone

from portal.access.actions import ATTRIBUTES, all_actions, contract_actions
from portal.access.endpoint import Call
from portal.access.engine import Access, Capability
from portal.access.place import Place
from portal.access.rules import Decision
from portal.access.subject import entitled, entitlement, is_unchecked
from portal.accounts.models import User
from portal.wire import responses
from portal.wire.query import text_parameter
from portal.wire.responses import Refusal, Unreadable

BATCH_MAX = 1000
IMPERSONATE = "authz:impersonate-evaluate"
EVERYTHING = {"*": Capability({"*": None}, {})}
PLACE_NAMES = ("namespace", "project", "component", "resource")
NO_GRANT = "no matching policies found"
FAILED = "failed to evaluate authorization requests: invalid request: "


def show_actions(call: Call) -> HttpResponse:
    """200 with the contract's actions, where each is judged, and what its conditions may use.

    500 while permission is switched off, as the contract's server answers.
    """
    if is_unchecked():
        raise Refusal(500, responses.INTERNAL_ERROR)
    return responses.json_body([wire_action(action) for action in contract_actions()])


def show_described_actions(call: Call) -> HttpResponse:
    """200 with all actions, ours too, each with its description."""
    return responses.json_body([{**wire_action(action), "description": action.description} for action in all_actions()])


def wire_action(action: Any) -> dict[str, Any]:
    shown: dict[str, Any] = {"name": action.name, "lowestScope": action.lowest_scope}
    if action.conditions:
        shown["conditions"] = [
            {"key": f"resource.{name}", "description": ATTRIBUTES[name]} for name in action.conditions
        ]
    return shown


def show_subject_types(call: Call) -> HttpResponse:
    """200 with the ways in which a subject is known, as OpenChoreo ships them; the claim of groups is a setting."""
    types = (
        ("user", "User", 1, settings.OIDC_GROUPS_CLAIM, "User Group"),
        ("service_account", "Service Account", 2, "sub", "Client ID"),
    )
    return responses.json_body(
        [
            {
                "type": kind,
                "displayName": shown,
                "priority": priority,
                "authMechanisms": [{"type": "jwt", "entitlement": {"claim": claim, "displayName": claim_shown}}],
            }
            for kind, shown, priority, claim, claim_shown in types
        ]
    )


def bind_place(query: QueryDict) -> Place:
    """The asked scope, from four parameters."""
    return place_of_names({name: text_parameter(query, name) for name in PLACE_NAMES})


def place_of_names(names: Mapping[str, Any]) -> Place:
    """A place as the contract names it: of a component and a resource the component counts."""
    namespace, project, component, resource = (str(names.get(name) or "") for name in PLACE_NAMES)
    return Place(namespace, project, component, "" if component else resource)


def show_profile(call: Call) -> HttpResponse:
    """200 with what the caller may do at the asked scope, around it and within it. 403 for nobody: security is off."""
    if not call.identity.is_authenticated:
        raise Refusal(403, responses.FORBIDDEN)
    capabilities = EVERYTHING if is_unchecked() else call.access.profile(call.query)
    return responses.json_body(
        {
            "user": wire_subject(call.access, call.user),
            "capabilities": {action: wire_capability(found) for action, found in sorted(capabilities.items())},
            "evaluatedAt": timezone.now().isoformat().replace("+00:00", "Z"),
        }
    )


def wire_subject(access: Access, user: User) -> dict[str, Any]:
    """The caller as the contract has it: by its groups; without any a machine, or whoever comes from an outside issuer,
    by its own name."""
    claim = settings.OIDC_GROUPS_CLAIM
    groups = sorted(name.partition(":")[2] for name in groups_of(access) if name.startswith(f"{claim}:"))
    if groups or (access.subject.kind == "human" and not user.issuer):
        return {"type": "user", "entitlement_claim": claim, "entitlement_values": groups}
    return {
        "type": "service_account",
        "entitlement_claim": "sub",
        "entitlement_values": [user.subject or user.get_username()],
    }


def groups_of(access: Access) -> frozenset[str]:
    return access.policy.groups | access.subject.entitlements


def wire_capability(capability: Capability) -> dict[str, Any]:
    def listed(paths: Mapping[str, list[str] | None]) -> list[dict[str, Any]]:
        return [
            {"path": path, **({"constraints": {"expressions": expressions}} if expressions else {})}
            for path, expressions in sorted(paths.items())
        ]

    return {"allowed": listed(capability.allowed), "denied": listed(capability.denied)}


def evaluate(call: Call) -> HttpResponse:
    """200 with an answer to each question, in order. Asking about somebody else is a right of its own."""
    return responses.json_body(answers_to(call, call.json()))


def answers_to(call: Call, asked: Any) -> list[dict[str, Any]]:
    """The answers to a list of questions. Raises `Refusal` and `Unreadable`."""
    if not isinstance(asked, list):
        found = {dict: "object", str: "string", bool: "bool"}.get(type(asked), "number")
        raise Unreadable(
            f"can't decode JSON body: json: cannot unmarshal {found} into Go value of type []gen.EvaluateRequest"
        )
    if not asked or len(asked) > BATCH_MAX:
        raise Refusal(400, f"{FAILED}between 1 and {BATCH_MAX} requests are evaluated at once")
    for index, item in enumerate(asked):
        check_form(item, index)
    others: dict[tuple[str, tuple[str, ...]], Access] = {}
    return [answer_of(access_for(call, item, others), item) for item in asked]


def check_form(item: Any, index: int) -> None:
    """Refuse a question without a type or an action."""
    item = item if isinstance(item, Mapping) else {}
    resource = item.get("resource")
    if not isinstance(resource, Mapping) or not resource.get("type"):
        raise Refusal(400, f"{FAILED}resource type is required at index {index}")
    if not isinstance(item.get("action"), str) or not item["action"]:
        raise Refusal(400, f"{FAILED}action is required at index {index}")


def access_for(call: Call, item: Mapping[str, Any], others: dict[tuple[str, tuple[str, ...]], Access]) -> Access:
    """The rights that a question is about: the caller's own, or those of the entitlements that it names."""
    context = item.get("subject_context")
    if not isinstance(context, Mapping):
        return call.access
    claim, values = str(context.get("entitlement_claim") or ""), context.get("entitlement_values")
    named = tuple(str(value) for value in values) if isinstance(values, list) else ()
    is_own = {entitlement(claim, value) for value in named} == {
        name for name in groups_of(call.access) if name.startswith(f"{claim}:")
    }
    if is_own:
        return call.access
    if not call.access.allows(IMPERSONATE, Place()):
        raise Refusal(403, responses.FORBIDDEN)
    if (claim, named) not in others:
        others[claim, named] = Access(entitled(claim, named))
    return others[claim, named]


def answer_of(access: Access, item: Mapping[str, Any]) -> dict[str, Any]:
    """One question answered, in the contract's words."""
    resource, context = item["resource"], item.get("context")
    hierarchy = resource.get("hierarchy")
    hierarchy = hierarchy if isinstance(hierarchy, Mapping) else {}
    place = place_of_names(hierarchy)
    given = context.get("resource") if isinstance(context, Mapping) else None
    attributes = {name: str(value) for name, value in given.items()} if isinstance(given, Mapping) else {}
    decision = access.check(item["action"], place, attributes)
    reason = reason_of(decision, item["action"], place, str(resource.get("id") or ""))
    return {"decision": decision.allowed, "context": {"reason": reason}}


def reason_of(decision: Decision, action: str, place: Place, identity: str) -> str:
    if not decision.allowed:
        return NO_GRANT
    where = f"hierarchy '{place.path}'" + (f" (id: {identity})" if identity else "")
    if decision.because == "security off":
        return "Authorization disabled - all access granted"
    if decision.rule is None:
        return f"Access granted: superuser authorized to perform '{action}' on {where}"
    who = decision.rule.via.partition(":")[2] or decision.rule.via or "own user"
    return f"Access granted: entitlement value '{who}' authorized to perform '{action}' on {where}"
