"""Who acts in the admin, and what they may do there."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest

from portal.access.engine import Access
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


def access_of(request: HttpRequest) -> Access | None:
    """What the signed-in user may do, read once for a request; None for whoever has no business in the admin."""
    user = request.user
    if not isinstance(user, User) or not user.is_staff or user.principal_kind != User.PrincipalKind.HUMAN:
        return None
    held: Access | None = getattr(request, "access", None)
    if held is None:
        held = request.access = Access.of(user)  # type: ignore[attr-defined]
    return held
