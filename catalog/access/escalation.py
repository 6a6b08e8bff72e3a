"""Nobody gives what they do not hold: the guard of roles and bindings, as Kubernetes' `escalate` and `bind`.

Whoever writes a role must hold each action that it gains, at the role's scope and without conditions, or hold
`authz:escalate`. Whoever writes a binding must hold every action of its roles where they are given, or hold
`authz:bind`. Nobody writes a binding of their own name or takes away a deny that counts for them. What bears
the system's label, and the last way to everything, superusers alone may change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from catalog.access.compile import BINDINGS
from catalog.access.models import CompiledMapping
from catalog.access.permissions import ROLES
from catalog.kinds.base import Document, PlatformObject
from catalog.store.read import get_or_none
from portal.access.actions import covers, expand
from portal.access.engine import Access
from portal.access.guard import Forbidden
from portal.access.place import Place
from portal.access.subject import entitlement
from portal.accounts.models import User

SYSTEM_LABEL = "openchoreo.io/system"


def forbid_escalation(
    access: Access, model: type[PlatformObject], namespace: str, held: PlatformObject | None, new: Document | None
) -> None:
    """Refuse to write (`new`) or delete (`new` is None) a role or binding that would widen anybody's rights beyond the
    writer's own. Other kinds pass. Raises `Forbidden`."""
    if model.kind not in BINDINGS and model.kind not in ROLES:
        return
    forbid_removing_the_last_admin(model, held, new)
    if access.subject.breaks_glass:
        return
    where = Place(namespace)
    if is_system(None if held is None else held.labels) or is_system(labels_of(new)):
        raise refusal(model, where, f"{model.kind} bears the label {SYSTEM_LABEL}: it is the platform's own")
    spec = spec_of(new)
    if model.kind in ROLES:
        before = [] if held is None else list(held.spec.get("actions") or ())
        gained = [item for item in texts(spec.get("actions")) if not any(covers(old, item) for old in before)]
        if missing := lacking(access, gained, where, "authz:escalate"):
            raise refusal(model, where, f"you do not hold {missing} yourself")
        return
    forbid_own(access, model, where, None if held is None else held.spec, spec)
    if spec.get("effect") == "deny":
        return
    for place, role in given_by(namespace, spec):
        actions = [] if role is None else list(role.spec.get("actions") or ())
        if role is None and not access.allows("authz:bind", place):
            raise refusal(model, place, "the role does not exist, so nobody knows what it will give")
        if missing := lacking(access, actions, place, "authz:bind"):
            raise refusal(model, place, f"you do not hold {missing} there yourself")


def forbid_own(
    access: Access, model: type[PlatformObject], where: Place, held: Mapping[str, Any] | None, new: Mapping[str, Any]
) -> None:
    """Refuse a binding that is about the writer, and the end of a deny that counts for the writer."""
    for spec in (held, new):
        if spec and subject_name(spec) in access.subject.entitlements:
            raise refusal(model, where, "the binding is about yourself")
    counting = access.subject.entitlements | access.policy.groups
    if held and held.get("effect") == "deny" and subject_name(held) in counting:
        raise refusal(model, where, "the binding denies something to yourself")


def lacking(access: Access, patterns: Iterable[str], place: Place, instead: str) -> str:
    """The first action that the subject does not hold without conditions; "" if none, or if it holds `instead`."""
    if access.allows(instead, place):
        return ""
    for pattern in patterns:
        for action in (pattern, *expand(pattern)):
            # No attributes: what is given under conditions does not count, and what is denied under any does.
            if not access.allows(action, place):
                return action
    return ""


def given_by(namespace: str, spec: Mapping[str, Any]) -> Iterable[tuple[Place, PlatformObject | None]]:
    """Where a binding gives which role."""
    mappings = spec.get("roleMappings")
    for mapping in mappings if isinstance(mappings, list) else ():
        if not isinstance(mapping, Mapping):
            continue
        reference, scope = mapping.get("roleRef"), mapping.get("scope")
        reference = reference if isinstance(reference, Mapping) else {}
        scope = scope if isinstance(scope, Mapping) else {}
        names = [scope.get(name) for name in ("project", "component", "resource")]
        within = namespace or scope.get("namespace")
        place = Place(*(name if isinstance(name, str) else "" for name in (within, *names)))
        kind = reference.get("kind")
        role = None
        if kind in ROLES and isinstance(reference.get("name"), str):
            role = get_or_none(kind, namespace, reference["name"])
        yield place, role


def forbid_removing_the_last_admin(
    model: type[PlatformObject], held: PlatformObject | None, new: Document | None
) -> None:
    """Refuse to end the last binding that gives everything everywhere while no superuser is left to mend it."""
    if held is None or not gives_everything(model, held.spec) or gives_everything(model, spec_of(new)):
        return
    if User.objects.filter(is_superuser=True, is_active=True).exists():
        return
    others = (
        CompiledMapping.objects.system("escalation guard")
        .filter(state="granted", level="cluster")
        .exclude(binding_uid=held.uid)
    )
    for name in others.values_list("binding_name", flat=True):
        binding = get_or_none("ClusterAuthzRoleBinding", "", name)
        if binding is not None and model.kind in BINDINGS and gives_everything(type(binding), binding.spec):
            return
    raise refusal(model, Place(), "it is the last way to everything, and there is no superuser")


def gives_everything(model: type[PlatformObject], spec: Mapping[str, Any]) -> bool:
    """Whether a cluster role, or a cluster binding by one of its roles, gives every action everywhere."""
    if model.kind == "ClusterAuthzRole":
        return "*" in texts(spec.get("actions"))
    if model.kind != "ClusterAuthzRoleBinding" or spec.get("effect") == "deny":
        return False
    return any(
        role is not None and place == Place() and "*" in role.spec.get("actions", ())
        for place, role in given_by("", spec)
    )


def subject_name(spec: Mapping[str, Any]) -> str:
    """The name of the group that a binding is for."""
    found = spec.get("entitlement")
    found = found if isinstance(found, Mapping) else {}
    return entitlement(str(found.get("claim") or ""), str(found.get("value") or ""))


def spec_of(document: Document | None) -> Mapping[str, Any]:
    spec = (document or {}).get("spec")
    return spec if isinstance(spec, Mapping) else {}


def labels_of(document: Document | None) -> Any:
    metadata = (document or {}).get("metadata")
    return metadata.get("labels") if isinstance(metadata, Mapping) else None


def is_system(labels: Any) -> bool:
    return isinstance(labels, Mapping) and labels.get(SYSTEM_LABEL) == "true"


def texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def refusal(model: type[PlatformObject], place: Place, message: str) -> Forbidden:
    return Forbidden(f"{model.kind.lower()}:update", model.kind, place, is_hidden=False, message=message)
