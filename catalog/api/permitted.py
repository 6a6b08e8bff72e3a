"""Permission for what is no plain view, change or deletion of an object: to cut a release of it, to trigger its job.

And the object itself, for operations of ours on what the caller may see.
"""

from __future__ import annotations

from django.conf import settings

from catalog import store
from catalog.kinds.base import PlatformObject
from portal.access import guard
from portal.access.endpoint import Call
from portal.access.engine import Access
from portal.access.rules import NO_ATTRIBUTES, Attributes
from portal.access.tables import hierarchy_of
from portal.wire.responses import Refusal


def visible(call: Call, model: type[PlatformObject], namespace: str, name: str) -> PlatformObject:
    """The object, if the caller may see it; else 404."""
    held = store.get_or_none(model.kind, namespace, name)
    if held is None:
        raise Refusal(404, f"{model.kind} not found")
    guard.require(call.access, "view", held)
    return held


def require_at_object(access: Access, action: str, obj: PlatformObject, attributes: Attributes = NO_ATTRIBUTES) -> None:
    """Refuse an action at the place of a stored object, as if there were none to those who may not see it.

    Raises `guard.Forbidden`. `attributes` are those that the action's conditions may look at.
    """
    hierarchy = hierarchy_of(type(obj))
    place = hierarchy.place_of(obj)
    if guard.ask(access, action, place, attributes, obj.kind, obj).allowed:
        return
    is_visible = access.allows(hierarchy.action("view"), place, hierarchy.attributes_of(obj))
    raise guard.Forbidden(action, obj.kind, place, is_hidden=settings.HIDE_FORBIDDEN and not is_visible)
