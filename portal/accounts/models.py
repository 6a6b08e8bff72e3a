"""People, service accounts and agents, and the tokens by which programs sign in."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone

TOKEN_PREFIX = "stg_"  # noqa: S105 - a public marker, so that leaked tokens can be recognised in logs and code


class User(AbstractUser):
    """Everyone who can act: a person, a service account, or an AI agent."""

    class PrincipalKind(models.TextChoices):
        HUMAN = "human", "Human"
        SERVICE_ACCOUNT = "service_account", "Service account"
        AGENT = "agent", "Agent"

    principal_kind = models.CharField(
        max_length=15, choices=PrincipalKind.choices, default=PrincipalKind.HUMAN, verbose_name="kind"
    )


class AccessToken(models.Model):
    """A bearer token. Only its SHA-256 is kept, so that a stolen database signs nobody in."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="access_tokens")
    name = models.CharField(max_length=100, help_text="What it is for.")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["user_id", "name"]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.name}"

    @property
    def is_valid(self) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > timezone.now())


def digest_of(token: str) -> str:
    """The form in which a token is kept: tokens are random, so a plain hash needs no salt."""
    return hashlib.sha256(token.encode()).hexdigest()


def issue_token(user: User, name: str, expires_at: datetime | None = None) -> str:
    """Make a token for a user and return its text, which is never shown again."""
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    AccessToken.objects.create(user=user, name=name, digest=digest_of(token), expires_at=expires_at)
    return token


def user_of_token(token: str) -> User | None:
    """The active user whose valid token this is, else None."""
    found = valid_token(token)
    return None if found is None else found.user


def valid_token(token: str) -> AccessToken | None:
    """The token of that text, if it is valid and its user active; the user is read with it."""
    found = AccessToken.objects.select_related("user").filter(digest=digest_of(token)).first()
    if found is None or not found.is_valid or not found.user.is_active:
        return None
    return found
