"""The limits of a credential as rights: what it may be used for is a policy of one rule, and the engine then gives what
both this policy and the user's own give."""

from __future__ import annotations

from collections.abc import Iterable

from portal.access.actions import any_covers, is_pattern_known
from portal.access.place import Place
from portal.access.policy import Policy
from portal.access.rules import Role, Rule
from portal.access.tables import tables
from portal.accounts.limits import Limits


def policy_within(limits: Limits) -> Policy:
    """What the limits leave. Nothing, if the place that they name is gone; a new one of its name is another. One query
    if they name a place, else none."""
    place = Place(limits.namespace, limits.project)
    scope = 0
    if limits.namespace:
        named = {"name": limits.project, "namespace_id": limits.namespace}
        wanted = named if limits.project else {"name": limits.namespace}
        model = tables().at(place.level).scope
        rows = model.objects.system("the place of a token's limits").filter(uid=limits.place_uid, **wanted)  # type: ignore[attr-defined]
        found = rows.values_list("pk", flat=True).first()
        if found is None:
            return Policy()
        scope = found
    role = Role("token", limits.actions or ("*",))
    return Policy((Rule("allow", place.level, place, role, "", True, "user", 0, scope),))


class BadLimits(ValueError):
    """Limits that mean nothing. `field` is `actions`, `namespace` or `project`."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def limits_for(actions: Iterable[str] = (), namespace: str = "", project: str = "") -> Limits:
    """Limits as somebody has written them, the place made sure of. Raises `BadLimits`."""
    patterns = tuple(dict.fromkeys(actions))
    for pattern in patterns:
        if not is_pattern_known(pattern):
            raise BadLimits(
                "actions", f"there is no action {pattern!r}; GET /api/stagecraft/v1/access/actions lists them"
            )
    if project and not namespace:
        raise BadLimits("namespace", "a project is in a namespace; name that too")
    if not namespace:
        return Limits(patterns)
    found = tables().find("Project" if project else "Namespace", namespace if project else "", project or namespace)
    if found is None:
        raise BadLimits("project" if project else "namespace", f"there is no {project or namespace!r}")
    return Limits(patterns, namespace, project, found.uid)


def contains(outer: Limits | None, inner: Limits | None) -> bool:
    """Whether whatever the inner limits leave is left by the outer ones too."""
    if outer is None:
        return True
    inner = inner or Limits()
    if outer.actions and not (inner.actions and all(any_covers(outer.actions, pattern) for pattern in inner.actions)):
        return False
    if not outer.namespace:
        return True
    if not Place(outer.namespace, outer.project).contains(Place(inner.namespace, inner.project)):
        return False
    # Of one name, it must be the same object; a project within is found by the namespace that it is in now.
    return outer.project != inner.project or outer.place_uid == inner.place_uid
