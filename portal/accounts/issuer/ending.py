"""What ends all programs' tokens of a person at once: a new password.

Whoever changes a password because somebody else knows it wants that somebody out, and what they have signed in with it.
Accounts that are disabled need nothing here: their tokens are refused as long as they are, see `verification`.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models.signals import post_save
from django.utils import timezone
from oauth2_provider.models import get_access_token_model, get_grant_model, get_refresh_token_model

from portal.accounts.models import User


def connect() -> None:
    """Begin to listen. Called once, when Django starts."""
    post_save.connect(on_save, sender=User, dispatch_uid="issuer-password")


def on_save(sender: Any, instance: User, created: bool, **_: Any) -> None:
    # Django keeps the raw password until the row is saved, and drops it when it only hashes the same one anew.
    if not created and getattr(instance, "_password", None) is not None:
        end_all_of(instance)


@transaction.atomic
def end_all_of(user: User) -> int:
    """End every access token, refresh token and code of a person. Returns how many programs' tokens that were."""
    get_grant_model().objects.filter(user=user).delete()
    refresh = get_refresh_token_model().objects.filter(user=user, revoked=None)
    for row in refresh:
        # One by one: two live rows of one digest may not get the same moment.
        type(row).objects.filter(pk=row.pk).update(revoked=timezone.now(), access_token=None)
    return int(get_access_token_model().objects.filter(user=user).delete()[0])
