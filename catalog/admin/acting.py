"""Who acts in the admin, and what they may do there."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest

from portal.access.decide import Verb, may
from portal.accounts.actor import Actor, ActorKind
from portal.accounts.models import User
from portal.wire.request_ids import request_id_of


def actor_of(request: HttpRequest) -> Actor:
    """The signed-in user as the author of a change."""
    user = cast(User, request.user)
    return Actor(
        name=user.get_username(),
        kind=cast(ActorKind, user.principal_kind),
        surface="admin",
        request_id=request_id_of(request),
    )


def is_allowed(request: HttpRequest, verb: Verb, kind: str, namespace: str = "", name: str = "") -> bool:
    """Whether the signed-in user may do that; nobody may who is not staff."""
    user = request.user
    return isinstance(user, User) and user.is_staff and may(user, verb, kind, namespace=namespace, name=name)
