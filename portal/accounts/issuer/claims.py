"""What our tokens say: of whom, for whom, by whom.

`sub` is the user name, for that is what a binding with `claim: sub` names. `groups` are those local groups that stand
for a provider's (`groups:shop-team` is said as `shop-team`); other groups of Django have rights of their own and are
nobody else's business. Only people have the claim: a token without it is, by contract, a service account's.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings

from portal.accounts.issuer.models import Client
from portal.accounts.models import User

GROUPS = "groups:"
SCOPES = ("openid", "profile", "email")
EXCHANGED_LIFETIME = timedelta(minutes=15)


def issuer() -> str:
    """Our own name in `iss`: how users reach this server."""
    return settings.PUBLIC_URL.rstrip("/")


MCP_PATHS = ("/mcp", "/mcp/compact", "/observer/mcp")
"""The MCP endpoints. A client asks for a token for the address that it calls (RFC 8707)."""


def audiences() -> tuple[str, ...]:
    """For whom a token can be: the whole API, or an MCP endpoint alone."""
    return issuer(), *(f"{issuer()}{path}" for path in MCP_PATHS)


def access_claims(
    user: User,
    client: Client,
    *,
    audience: Sequence[str],
    scopes: Sequence[str],
    lifetime: timedelta,
    actor: User | None = None,
) -> dict[str, Any]:
    """The claims of an access token (RFC 9068). `actor` acts for the user (RFC 8693, section 4.1)."""
    now = int(time.time())
    claims = {
        "iss": issuer(),
        "sub": user.get_username(),
        "aud": audience[0] if len(audience) == 1 else list(audience),
        "iat": now,
        "exp": now + int(lifetime.total_seconds()),
        "jti": str(uuid.uuid4()),
        "client_id": client.client_id,
        "scope": " ".join(scopes),
        "kind": user.principal_kind,
        **groups_claim(user),
        **profile_claims(user, scopes),
    }
    if actor is not None:
        claims["act"] = {"sub": actor.get_username(), "client_id": client.client_id}
    return claims


def groups_claim(user: User) -> dict[str, Any]:
    if user.is_machine:
        return {}
    names = user.groups.filter(name__startswith=GROUPS).order_by("name").values_list("name", flat=True)
    return {"groups": [name.removeprefix(GROUPS) for name in names]}


def profile_claims(user: User, scopes: Sequence[str]) -> dict[str, Any]:
    """What Backstage and pages show of a person (OpenID Connect Core, section 5.4), as far as the scopes go."""
    claims: dict[str, Any] = {}
    if "profile" in scopes:
        claims["preferred_username"] = user.get_username()
        if user.get_full_name():
            claims["name"] = user.get_full_name()
    if "email" in scopes and user.email:
        # An administrator has typed it in; nobody has proved that it is theirs.
        claims |= {"email": user.email, "email_verified": False}
    return claims


def person_claims(user: User, scopes: Sequence[str]) -> dict[str, Any]:
    """What an ID token and userinfo say of a person, besides what the protocol adds."""
    return {"sub": user.get_username(), **groups_claim(user), **profile_claims(user, scopes)}
