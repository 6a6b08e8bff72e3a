"""The row of an access token with the accounts behind it, in one query."""

from __future__ import annotations

from functools import lru_cache

from django.db import connection

from portal.accounts.models import AccessToken
from portal.prepared import Prepared, prepare

BEHIND = ("user", "user__owner", "on_behalf_of")


def token_by_digest(digest: str) -> AccessToken | None:
    """The token with its user, the user's owner and whom it acts for; None if there is none."""
    found: AccessToken | None = by_digest(connection.alias).row(digest=digest)
    return found


@lru_cache(maxsize=4)
def by_digest(alias: str) -> Prepared:
    return prepare(lambda digest: AccessToken.objects.select_related(*BEHIND).filter(digest=digest), "digest")
