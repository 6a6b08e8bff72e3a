"""Token exchange (RFC 8693): an agent shows a person's token and gets one with which it acts for that person.

    grant_type=urn:ietf:params:oauth:grant-type:token-exchange
    subject_token=<the person's access token>
    subject_token_type=urn:ietf:params:oauth:token-type:access_token
    audience=<PUBLIC_URL or PUBLIC_URL/mcp>          optional

The agent proves itself by its client credentials. Its token names the person (`sub`) and the agent (`act`), is good for
one audience and for at most 15 minutes, never longer than the person's, and never becomes another: a token that already
has an `act` is not exchanged again. Which persons an agent may act for: its owner, or anyone if its client says so.
"""

from __future__ import annotations

import time
from typing import Any

from oauthlib.oauth2.rfc6749 import errors

from portal.accounts.issuer import claims, verification
from portal.accounts.issuer.grants import OwnGrant
from portal.accounts.jwt_verification import Refused
from portal.accounts.models import User

GRANT_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105
SHORTEST = 30
"""Seconds: a token that ends sooner is not worth exchanging."""


class TokenExchangeGrant(OwnGrant):
    """The agent asks for a token of its own for the person's."""

    grant_type = GRANT_EXCHANGE
    required = ("subject_token", "subject_token_type")

    def check_form(self, request: Any) -> None:
        super().check_form(request)
        requested = getattr(request, "requested_token_type", None)
        if request.subject_token_type not in (ACCESS_TOKEN, "urn:ietf:params:oauth:token-type:jwt"):
            raise errors.InvalidRequestError(description=f"subject_token_type must be {ACCESS_TOKEN}.", request=request)
        if requested not in (None, "", ACCESS_TOKEN):
            raise errors.InvalidRequestError(description=f"Only {ACCESS_TOKEN} can be had.", request=request)
        if getattr(request, "actor_token", None):
            raise errors.InvalidRequestError(
                description="The actor is the client itself: leave actor_token out.", request=request
            )

    def admit(self, request: Any) -> None:
        agent: User = request.client.bound_user
        try:
            held = verification.held_token(request.subject_token)
        except Refused:
            raise errors.InvalidGrantError(description="The subject_token does not count.", request=request) from None
        person = held.user
        if held.actor is not None:
            raise errors.InvalidGrantError(
                description="The subject_token was exchanged already; show the person's own.", request=request
            )
        if person.is_machine or not person.is_usable:
            raise errors.InvalidGrantError(description="The subject_token is not a person's.", request=request)
        if not may_act_for(request.client, agent, person):
            raise errors.CustomOAuth2Error(
                error="access_denied",
                description=f"{agent.get_username()} may not act for {person.get_username()}: it is another's agent.",
                status_code=403,
                request=request,
            )
        left = held.claims["exp"] - int(time.time())
        if left < SHORTEST:
            raise errors.InvalidGrantError(description="The subject_token is about to end.", request=request)
        request.user, request.actor = person, agent
        request.seconds_left = min(left, int(claims.EXCHANGED_LIFETIME.total_seconds()))
        request.scopes = narrowed(request, held.claims.get("scope", "").split())
        request.resource = [self.audience(request, held.audiences)]

    def audience(self, request: Any, given: list[str]) -> str:
        """The one audience: as asked by `audience` or `resource`, by default the subject token's."""
        asked = getattr(request, "audience", None) or request.resource or given[0]
        if not isinstance(asked, str) or asked.rstrip("/") not in claims.audiences():
            raise errors.CustomOAuth2Error(
                error="invalid_target", description=f"Ask for {' or '.join(claims.audiences())}.", request=request
            )
        asked = asked.rstrip("/")
        if claims.issuer() not in given and asked not in given:
            raise errors.CustomOAuth2Error(
                error="invalid_target", description="The subject_token is for less than that.", request=request
            )
        return asked

    def describe(self, request: Any, token: Any) -> None:
        token["issued_token_type"] = ACCESS_TOKEN


def narrowed(request: Any, given: list[str]) -> list[str]:
    """The scopes asked for, all of which the subject token must have; by default its own."""
    asked = (request.scope or "").split() or given
    if not set(asked) <= set(given):
        raise errors.InvalidScopeError(request=request)
    return asked


def may_act_for(client: Any, agent: User, person: User) -> bool:
    """Whether the agent may act for that person: it is theirs, or its client is trusted with everybody."""
    return bool(agent.owner_id == person.pk or client.acts_for_anyone)
