"""What a surface asks before it shows or changes an object, and the refusal if the answer is no.

Whoever may not see an object is told that there is none, in the same words as if there were none; whoever may see it
but not do what was asked is told that. Every question goes to the audit with its answer.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings

from portal.access import usage
from portal.access.engine import Access
from portal.access.place import Place
from portal.access.rules import NO_ATTRIBUTES, Attributes, Decision
from portal.access.tables import hierarchy_of, tables
from portal.audit import operation as audit


class Forbidden(Exception):
    """The subject may not do that. `is_hidden` tells surfaces to answer as if the object did not exist."""

    def __init__(self, action: str, kind: str, place: Place, *, is_hidden: bool, message: str = "") -> None:
        super().__init__(message or f"{action} at {place.path} is not permitted")
        self.action, self.kind, self.place, self.is_hidden, self.message = action, kind, place, is_hidden, message


def require(access: Access, verb: str, obj: Any, attributes: Attributes | None = None) -> None:
    """Refuse what the subject may not do to a stored object. `attributes` are the object's own unless given."""
    hierarchy = hierarchy_of(type(obj))
    place, action = hierarchy.place_of(obj), hierarchy.action(verb)
    own = hierarchy.attributes_of(obj)
    decision = ask(access, action, place, own if attributes is None else attributes, type(obj).kind, obj)
    if decision.allowed:
        return
    is_visible = verb != "view" and access.allows(hierarchy.action("view"), place, own)
    raise Forbidden(action, type(obj).kind, place, is_hidden=settings.HIDE_FORBIDDEN and not is_visible)


def require_at(
    access: Access, action: str, place: Place, attributes: Attributes = NO_ATTRIBUTES, kind: str = ""
) -> None:
    """Refuse what the subject may not do at a place: to create there, or what concerns no stored object."""
    if not ask(access, action, place, attributes, kind, None).allowed:
        raise Forbidden(action, kind, place, is_hidden=False)


def require_named(access: Access, verb: str, kind: str, namespace: str, name: str) -> None:
    """As `require`, for the object of that name; where there is none, the namespace is judged."""
    found = tables().find(kind, namespace, name) if name else None
    if found is None:
        require_at(access, f"{kind.lower()}:{verb}", Place(namespace), kind=kind)
    else:
        require(access, verb, found)


def ask(access: Access, action: str, place: Place, attributes: Attributes, kind: str, obj: Any) -> Decision:
    """Decide, and tell the audit what was asked, what was decided, and by which rule."""
    decision = access.check(action, place, attributes)
    if decision.allowed and decision.rule is not None:
        usage.note(decision.rule, action)
        if access.principal is not None and (behind := access.principal.check(action, place, attributes).rule):
            usage.note(behind, action)
    audit.asked(action, kind, place.namespace, "" if obj is None else obj.name)
    reason = reason_of(decision)
    if not access.subject.needs_no_grant:
        reason["policyVersion"] = access.policy.version
    audit.decided(is_allowed=decision.allowed, reason=reason)
    return decision


def reason_of(decision: Decision) -> dict[str, Any]:
    """A decision in a few words for the audit: no further query."""
    rule = decision.rule
    if rule is None:
        return {"because": decision.because}
    return {
        "because": decision.because,
        "effect": rule.effect,
        "role": rule.role.name,
        "scope": rule.place.path,
        "via": rule.via or "own user",
        "row": f"{rule.table}:{rule.level}:{rule.row}",
    }
