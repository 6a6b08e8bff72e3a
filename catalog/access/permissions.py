"""Permissions as guardian knows them: one for each level and action, and one for each level and role.

`project|component:view` is a single action given by hand on a project; `project|clusterauthzrole#12` is everything that
the role gives there. Editing a role rewrites no grant: what a permission means is looked up (`portal.access.policy`).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db.models import F

from catalog.access import policy_version
from catalog.access.models import GRANTS, Cluster, PolicyException, PolicyState
from catalog.access.origins import origins_of
from catalog.kinds.authz_role import AuthzRole
from catalog.kinds.base import PlatformObject
from catalog.kinds.cluster_authz_role import ClusterAuthzRole
from catalog.kinds.component import Component
from catalog.kinds.namespace import Namespace
from catalog.kinds.project import Project
from catalog.kinds.resource import Resource
from catalog.store.read import get_or_none
from portal.access.actions import LEVELS, WITHIN, Level, all_actions
from portal.access.past import Past
from portal.access.rules import Role
from portal.access.tables import LevelTables, Tables, use
from portal.accounts.models import User

SCOPES = {"cluster": Cluster, "namespace": Namespace, "project": Project, "component": Component, "resource": Resource}
ROLES: dict[str, type[PlatformObject]] = {"AuthzRole": AuthzRole, "ClusterAuthzRole": ClusterAuthzRole}


def use_tables(as_of: Callable[[User, datetime], Past]) -> None:
    """Tell the engine where grants are kept, and how to know those of the past."""
    levels = tuple(LevelTables(level, SCOPES[level], *GRANTS[level]) for level in LEVELS)  # type: ignore[arg-type]
    counted = policy_version.is_counted
    use(Tables(levels, PolicyException, PolicyState, roles_by_key, get_or_none, origins_of, as_of, counted))


def roles_by_key() -> Mapping[str, Role]:
    """Every role by the key that its permissions end with."""
    found = {}
    for kind, model in ROLES.items():
        namespaced = ["namespace_id"] if model.namespaced else []
        for identity, name, spec, *namespace in model.objects.system("the meaning of grants").values_list(
            "pk", "name", "spec", *namespaced
        ):
            shown = f"{namespace[0]}/{name}" if namespace else name
            found[f"{kind.lower()}#{identity}"] = Role(shown, tuple(spec.get("actions") or ()), kind)
    return found


def key_of(role: PlatformObject) -> str:
    return f"{role.kind.lower()}#{role.pk}"


def ensure_permissions() -> None:
    """The cluster's row, the state's row, and a permission for every level and action that can be given there."""
    cluster()
    PolicyState.objects.get_or_create(id=PolicyState.THE_ROW)
    for level in LEVELS:
        content_type = ContentType.objects.get_for_model(SCOPES[level])
        held = set(Permission.objects.filter(content_type=content_type).values_list("codename", flat=True))
        Permission.objects.bulk_create(
            Permission(content_type=content_type, codename=codename, name=f"{action.description} ({level})"[:255])
            for action in all_actions()
            if action.lowest_scope in WITHIN[level] and (codename := f"{level}|{action.name}") not in held
        )
    touch_roles()


def cluster() -> Cluster:
    return Cluster.objects.get_or_create(name="cluster")[0]


def ensure_role_permissions(role: PlatformObject) -> None:
    """The permissions of a new role: a namespace's role has none for the cluster."""
    for level in LEVELS[1:] if role.namespaced else LEVELS:
        Permission.objects.get_or_create(
            content_type=ContentType.objects.get_for_model(SCOPES[level]),
            codename=f"{level}|{key_of(role)}",
            defaults={"name": f"Role {role} ({level})"[:255]},
        )


def drop_role_permissions(role: PlatformObject) -> None:
    """Forget a role's permissions and with them every grant of it."""
    Permission.objects.filter(codename__in=[f"{level}|{key_of(role)}" for level in LEVELS]).delete()


def role_permission(role: PlatformObject, level: Level) -> Permission:
    return Permission.objects.get(
        content_type=ContentType.objects.get_for_model(SCOPES[level]), codename=f"{level}|{key_of(role)}"
    )


def touch_policy() -> None:
    """Note that what somebody may do has changed."""
    PolicyState.objects.filter(id=PolicyState.THE_ROW).update(version=F("version") + 1)


def touch_roles() -> None:
    """Note that the meaning of permissions has changed: every process reads the roles anew."""
    state, _ = PolicyState.objects.get_or_create(id=PolicyState.THE_ROW)
    PolicyState.objects.filter(id=state.pk).update(version=F("version") + 1, roles=uuid.uuid4())
