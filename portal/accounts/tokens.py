"""Personal access tokens in use: who comes with one, when it was used last, and its end."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from portal.accounts.identity import Identity
from portal.accounts.models import AccessToken

USE_NOTED = timedelta(minutes=1)
"""How exact `last_used_at` is: it costs one write in this time."""


def identity_of_token(token: AccessToken, moment: tuple[int, str] | None = None) -> Identity:
    """Who comes with a valid token, which was made sure of at that moment."""
    credential = f"token:{token.pk}"
    behind = None if token.on_behalf_of is None else Identity(token.on_behalf_of, credential)
    return Identity(
        token.user, credential, limits=token.limits, acting_for=behind, expires_at=token.expires_at, moment=moment
    )


def note_use(token: AccessToken) -> None:
    """Remember that the token was used, to the minute."""
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at > USE_NOTED:
        long_ago = Q(last_used_at=None) | Q(last_used_at__lt=now - USE_NOTED)
        AccessToken.objects.filter(long_ago, pk=token.pk).update(last_used_at=now)
        token.last_used_at = now


def revoke(tokens: Iterable[AccessToken]) -> list[AccessToken]:
    """End tokens now; those that had not been ended before are returned. To be called in a transaction."""
    keys = [token.pk for token in tokens]
    unrevoked = AccessToken.objects.filter(pk__in=keys, revoked_at=None).select_related("user")
    open_ones = list(unrevoked.select_for_update(of=("self",)))
    AccessToken.objects.filter(pk__in=[token.pk for token in open_ones]).update(revoked_at=timezone.now())
    return open_ones
