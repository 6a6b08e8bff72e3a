"""Roles and bindings → grants, in the transaction of the change that makes it necessary.

The documents are the truth; the rows say the same in a form that a query can use. What is done when:

* a binding is written: its mappings are compiled, each to one guardian row, or to one `PolicyException` if it denies or
  has conditions; a mapping whose role or scope object does not exist waits;
* a role is made or goes: its permissions come or go, and the bindings that name it are compiled again;
* a scope object is made: bindings that have been waiting for one of its name are compiled;
* a scope object goes: the database takes its grants along, and the mappings have ended.

`rebuild` does it all again and must change nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from django.contrib.auth.models import Group
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from catalog.access.conditions import BadCondition, tree_of
from catalog.access.grant_rows import latest_end
from catalog.access.models import GRANTS, CompiledMapping, GrantUse, PolicyException
from catalog.access.permissions import (
    ROLES,
    cluster,
    drop_role_permissions,
    ensure_role_permissions,
    role_permission,
    touch_policy,
    touch_roles,
)
from catalog.kinds.authz_role_binding import EXPIRES, AuthzRoleBinding
from catalog.kinds.base import PlatformObject
from catalog.kinds.cluster_authz_role_binding import ClusterAuthzRoleBinding
from catalog.store.changes import Change
from catalog.store.models import Revision
from catalog.store.read import get_or_none
from catalog.store.references import referrers
from portal.access.actions import Level
from portal.access.place import Place
from portal.access.subject import entitlement
from portal.prepared import Statement, statement

BINDINGS: dict[str, type[PlatformObject]] = {
    "AuthzRoleBinding": AuthzRoleBinding,
    "ClusterAuthzRoleBinding": ClusterAuthzRoleBinding,
}
SCOPE_KINDS = frozenset({"Namespace", "Project", "Component", "Resource"})
UNREADABLE = "unreadable condition"
"""An attribute that no object has."""
State = CompiledMapping.State
Action = Revision.Action


class Target(NamedTuple):
    """What a mapping is to become: a row for this group and permission on this scope object."""

    state: str
    level: Level
    scope_uid: Any = None
    scope_key: int | None = None
    permission_id: int | None = None
    conditions: Any = None


def on_change(change: Change) -> None:
    """Listens to the store, inside its transactions."""
    obj, action = change.obj, change.action
    if obj.kind in BINDINGS:
        if action == Action.DELETED:
            drop(obj)
        elif action in (Action.CREATED, Action.CHANGED):
            compile_binding(obj, anew=change.before is None or change.before.get("spec") != obj.spec)
    elif obj.kind in ROLES:
        on_role_change(obj, action)
    elif obj.kind in SCOPE_KINDS:
        if action == Action.CREATED:
            compile_referrers(obj)
        elif action == Action.DELETED and CompiledMapping.objects.system("compile grants").filter(
            scope_uid=obj.uid
        ).update(state=State.ENDED, grant_row=None):
            touch_policy()


def on_role_change(role: PlatformObject, action: str) -> None:
    """A role's permissions follow it; a change of its actions rewrites nothing."""
    if action == Action.CREATED:
        ensure_role_permissions(role)
    elif action == Action.DELETED:
        drop_role_permissions(role)
    elif action != Action.CHANGED:
        return
    touch_roles()
    if action != Action.CHANGED:
        compile_referrers(role)


def compile_referrers(obj: PlatformObject) -> None:
    """Compile the bindings that name an object, keeping what their mappings are bound to."""
    for kind, identity in bindings_that_name().rows(kind=obj.kind, namespace=obj.namespace_name, name=obj.name):
        binding = BINDINGS[kind].objects.system("compile grants").filter(pk=identity).first()
        if binding is not None:
            compile_binding(binding, anew=False)


@cache
def bindings_that_name() -> Statement:
    """Kind and key of the bindings that name an object, each once."""
    return statement(
        lambda *target: (
            referrers(*target).filter(source_kind__in=list(BINDINGS)).values_list("source_kind", "source_id").distinct()
        ),
        "kind", "namespace", "name",
    )  # fmt: skip


def compile_binding(binding: PlatformObject, *, anew: bool) -> None:
    """Bring the rows of a binding in step with its document.

    `anew` binds every mapping to the objects that bear the names now; else those that were bound stay bound.
    """
    spec = binding.spec
    held = {
        mapping.position: mapping
        for mapping in CompiledMapping.objects.system("compile grants").filter(binding_uid=binding.uid)
    }
    name = entitlement(spec["entitlement"]["claim"], spec["entitlement"]["value"])
    group, _ = Group.objects.get_or_create(name=name)
    expires_at = expiry_of(binding)
    left = [mapping for mapping in held.values() if mapping.grant_row is not None]
    wanted = []
    for position, mapping in enumerate(spec["roleMappings"]):
        known = None if anew or position not in held else held[position].scope_uid
        target = target_of(binding, mapping, spec.get("effect", "allow"), known)
        wanted.append(
            CompiledMapping(
                binding_kind=binding.kind,
                binding_uid=binding.uid,
                binding_namespace=binding.namespace_name,
                binding_name=binding.name,
                position=position,
                state=target.state,
                level=target.level,
                scope_uid=target.scope_uid,
                grant_row=write_row(target, group, spec.get("effect", "allow"), expires_at),
                expires_at=expires_at,
            )
        )
    CompiledMapping.objects.system("compile grants").filter(binding_uid=binding.uid).delete()
    CompiledMapping.objects.system("compile grants").bulk_create(wanted)
    carry_over(held, wanted)
    release(left)
    settle(wanted)
    touch_policy()


def drop(binding: PlatformObject) -> None:
    """A binding has gone: so does what only it has given."""
    left = list(CompiledMapping.objects.system("compile grants").filter(binding_uid=binding.uid))
    CompiledMapping.objects.system("compile grants").filter(binding_uid=binding.uid).delete()
    release(left)
    touch_policy()


def target_of(binding: PlatformObject, mapping: Mapping[str, Any], effect: str, known: Any) -> Target:
    """What a mapping is to become. `known` is the uid of the object that it has been bound to."""
    place = scope_of(binding, mapping)
    level = place.level
    scope = scope_object(place)
    if known is not None and (scope is None or getattr(scope, "uid", known) != known):
        return Target(State.ENDED, level, known)
    if scope is None:
        return Target(State.WAITING, level)
    uid = getattr(scope, "uid", None)
    reference = mapping["roleRef"]
    namespace = binding.namespace_name if reference["kind"] == "AuthzRole" else ""
    role = get_or_none(reference["kind"], namespace, reference["name"])
    if role is None:
        return Target(State.WAITING, level, uid)
    permission = role_permission(role, level)
    conditions = compiled_conditions(mapping.get("conditions") or ())
    state = State.EXCEPTION if conditions or effect == "deny" else State.GRANTED
    return Target(state, level, uid, scope.pk, permission.pk, conditions)


def scope_of(binding: PlatformObject, mapping: Mapping[str, Any]) -> Place:
    """The place that a mapping is for; a namespace's binding never leaves its namespace."""
    scope = mapping.get("scope") or {}
    return Place(
        binding.namespace_name or scope.get("namespace") or "",
        scope.get("project") or "",
        scope.get("component") or "",
        scope.get("resource") or "",
    )


def scope_object(place: Place) -> Any:
    """The row that a place means; None if there is none, or if the component belongs to another project."""
    if place.level == "cluster":
        return cluster()
    if place.level == "namespace":
        return get_or_none("Namespace", "", place.namespace)
    if place.level == "project":
        return get_or_none("Project", place.namespace, place.project)
    kind = place.level.capitalize()
    found = get_or_none(kind, place.namespace, place.component or place.resource)
    if found is None or found.spec["owner"]["projectName"] != place.project:
        return None
    return found


def compiled_conditions(conditions: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Conditions with their trees. One that cannot be read (admission refuses them, older rows may have some) depends
    on an attribute that nothing has, and so fails closed whatever is beside it: an allow never holds, a deny always."""
    found = []
    for item in conditions:
        try:
            tree: Any = tree_of(item["expression"])
        except BadCondition:
            tree = ["==", UNREADABLE, ""]
        found.append({"actions": item["actions"], "expression": item["expression"], "tree": tree})
    return found


def expiry_of(binding: PlatformObject) -> datetime | None:
    """When the binding ends by itself, None for never. Admission has checked the annotation."""
    return parse_datetime(binding.annotations.get(EXPIRES) or "")


# Rows -----------------------------------------------------------------------------------------------------------------


def write_row(target: Target, group: Group, effect: str, expires_at: datetime | None) -> int | None:
    """The row of a mapping: a shared guardian row, or an exception of its own."""
    if target.permission_id is None:
        return None
    if target.state == State.EXCEPTION:
        row = PolicyException.objects.system("compile grants").create(
            group=group,
            permission_id=target.permission_id,
            effect=effect,
            level=target.level,
            conditions=target.conditions,
            expires_at=expires_at,
            **{f"{target.level}_id": target.scope_key},
        )
        return int(row.pk)
    _, model = GRANTS[target.level]
    held, _ = model.objects.get_or_create(
        group=group,
        permission_id=target.permission_id,
        content_object_id=target.scope_key,
        defaults={"is_manual": False, "expires_at": expires_at},
    )
    return int(held.pk)


def release(mappings: Iterable[CompiledMapping]) -> None:
    """Delete the rows that no mapping justifies any more. What was given by hand stays."""
    for mapping in mappings:
        if mapping.grant_row is None:
            continue
        if mapping.state == State.EXCEPTION:
            PolicyException.objects.system("compile grants").filter(pk=mapping.grant_row).delete()
            continue
        if not justifying(mapping).exists():
            _, model = GRANTS[mapping.level]
            model.objects.filter(pk=mapping.grant_row, is_manual=False).delete()
        settle([mapping])


def justifying(mapping: CompiledMapping) -> Any:
    """The mappings that share this one's row."""
    return CompiledMapping.objects.system("compile grants").filter(
        level=mapping.level, state=State.GRANTED, grant_row=mapping.grant_row
    )


def settle(mappings: Iterable[CompiledMapping]) -> None:
    """A shared row lasts as long as the longest of what it stands for: mappings, and a grant by hand."""
    for mapping in mappings:
        if mapping.state != State.GRANTED or mapping.grant_row is None:
            continue
        _, model = GRANTS[mapping.level]
        row = model.objects.filter(pk=mapping.grant_row).first()
        if row is not None and row.expires_at != (last := latest_end(row)):
            model.objects.filter(pk=row.pk).update(expires_at=last)


def carry_over(held: Mapping[int, CompiledMapping], wanted: Iterable[CompiledMapping]) -> None:
    """What is compiled anew keeps its age and its use, if it still speaks of the same object."""
    for mapping in wanted:
        old = held.get(mapping.position)
        if old is None or old.grant_row is None or mapping.state != State.EXCEPTION or old.state != State.EXCEPTION:
            continue
        if old.scope_uid == mapping.scope_uid and old.level == mapping.level:
            rows = PolicyException.objects.system("compile grants")
            since = rows.filter(pk=old.grant_row).values_list("granted_at", flat=True).first()
            rows.filter(pk=mapping.grant_row).update(granted_at=since or timezone.now())
            uses = GrantUse.objects.filter(table="exception", level=mapping.level)
            uses.filter(row=old.grant_row).update(row=mapping.grant_row)


def snapshot() -> set[tuple[Any, ...]]:
    """What is given by bindings, in a form that can be compared."""
    found: set[tuple[Any, ...]] = set()
    for level, (_, model) in GRANTS.items():
        rows = model.objects.filter(is_manual=False)
        columns = ("group__name", "permission__codename", "content_object_id", "expires_at")
        found |= {(level, "allow", *row, "") for row in rows.values_list(*columns)}
    for row in PolicyException.objects.system("compile grants").select_related("group", "permission"):
        key = getattr(row, f"{row.level}_id")
        shown = (row.group.name, row.permission.codename, key, row.expires_at, repr(row.conditions))
        found.add((row.level, row.effect, *shown))
    return found


def rebuild() -> None:
    """Compile every role and binding again, and drop the rows that nothing justifies."""
    for model in ROLES.values():
        for role in model.objects.system("compile grants"):
            ensure_role_permissions(role)
    for model in BINDINGS.values():
        for binding in model.objects.system("compile grants"):
            compile_binding(binding, anew=False)
    mappings = CompiledMapping.objects.system("compile grants").filter(grant_row__isnull=False)
    for level, (_, grants) in GRANTS.items():
        used = mappings.filter(level=level, state=State.GRANTED).values("grant_row")
        grants.objects.filter(is_manual=False).exclude(pk__in=used).delete()
    PolicyException.objects.system("compile grants").exclude(
        pk__in=mappings.filter(state=State.EXCEPTION).values("grant_row")
    ).delete()
    touch_roles()
