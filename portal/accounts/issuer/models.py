"""Clients (programs that sign people in, or sign in themselves) and the keys that sign tokens.

Codes, access tokens, refresh tokens and device codes are the tables of django-oauth-toolkit.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from oauth2_provider.models import AbstractApplication

from portal.accounts.models import User, digest_of
from portal.secrets import context, declare_sealed

SECRET_PREFIX = "stgc_"  # noqa: S105 - a public marker, so that leaked secrets can be recognised
GRANT_TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105
NOT_OURS = {AbstractApplication.GRANT_IMPLICIT, AbstractApplication.GRANT_PASSWORD}


class Client(AbstractApplication):  # type: ignore[misc]
    """A program that may ask for tokens.

    A client with `user` signs in as that service account or agent (client credentials). Any other lets people sign in
    (authorization code with PKCE, and on request the device grant). Its secret is kept as a digest: it is random and
    long, so a plain hash needs no salt and costs nothing at each request.
    """

    uses_device_flow = models.BooleanField(
        default=False, verbose_name="device grant", help_text="May sign people in on a device without a browser."
    )
    issues_refresh_tokens = models.BooleanField(
        default=True, verbose_name="refresh tokens", help_text="Gets refresh tokens, each good for one use."
    )
    token_minutes = models.PositiveIntegerField(
        null=True, blank=True, verbose_name="minutes", help_text="How long its access tokens last; empty: the setting."
    )
    acts_for_anyone = models.BooleanField(
        default=False,
        verbose_name="acts for anyone",
        help_text="May exchange the token of any person, not only that of its agent's owner.",
    )
    advertised_as = models.CharField(
        max_length=63, blank=True, help_text="Name under which the discovery document lists it, for example cli."
    )
    disabled_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "client"
        ordering = ["client_id"]
        constraints = [
            models.UniqueConstraint(
                fields=["advertised_as"], condition=~models.Q(advertised_as=""), name="client_advertised_once"
            ),
            models.CheckConstraint(
                condition=models.Q(
                    authorization_grant_type__in=[
                        AbstractApplication.GRANT_AUTHORIZATION_CODE,
                        AbstractApplication.GRANT_CLIENT_CREDENTIALS,
                        AbstractApplication.GRANT_DEVICE_CODE,
                    ]
                ),
                name="client_grant_is_offered",
            ),
        ]

    def __str__(self) -> str:
        return str(self.client_id)

    @property
    def bound_user(self) -> User | None:
        """The service account or agent that it signs in as; None if it signs people in."""
        return self.user if self.authorization_grant_type == self.GRANT_CLIENT_CREDENTIALS else None

    def clean(self) -> None:
        """Raise `ValidationError` for what could not work, by field."""
        super().clean()
        mistakes: dict[str, str] = {}
        if self.authorization_grant_type == self.GRANT_CLIENT_CREDENTIALS:
            if self.user is None:
                mistakes["user"] = "Name the service account or agent that the client signs in as."
            elif self.user.principal_kind == User.PrincipalKind.HUMAN:
                mistakes["user"] = "A client signs in as a service account or an agent, never as a person."
            if self.client_type != self.CLIENT_CONFIDENTIAL:
                mistakes["client_type"] = "A client that signs in by itself needs a secret: make it confidential."
        elif self.user is not None:
            mistakes["user"] = "Only a client with client credentials is bound to an account."
        insecure = [uri for uri in self.redirect_uris.split() if not is_safe_target(uri)]
        if insecure:
            mistakes["redirect_uris"] = f"{insecure[0]}: use https, or http to 127.0.0.1, [::1] or localhost."
        if mistakes:
            raise ValidationError(mistakes)

    def allows_grant_type(self, *grant_types: str) -> bool:
        """Whether one of these grants (the toolkit's names) is the client's."""
        own = {self.authorization_grant_type} - NOT_OURS
        if self.uses_device_flow:
            own.add(self.GRANT_DEVICE_CODE)
        bound = self.bound_user
        is_agent = bound is not None and bound.principal_kind == User.PrincipalKind.AGENT
        if is_agent or (bound is not None and self.acts_for_anyone):
            own.add(GRANT_TOKEN_EXCHANGE)
        return not own.isdisjoint(grant_types)

    def redirect_uri_allowed(self, uri: str) -> bool:
        """Whether that is one of its addresses, to the letter; of a loopback address the port is free, if it is one.

        The toolkit does not look at that port, and what stands there would go into a header of the sign-in page.
        """
        try:
            has_port = urlsplit(uri).port != 0
        except ValueError:
            return False
        return has_port and bool(super().redirect_uri_allowed(uri))

    def is_usable(self, request: Any) -> bool:
        """Neither disabled nor bound to an account that is."""
        return self.disabled_at is None and (self.user is None or self.user.is_usable)

    def new_secret(self) -> str:
        """Give it a new secret and return it; it is shown once. The caller saves."""
        secret = SECRET_PREFIX + secrets.token_urlsafe(32)
        self.client_secret, self.hash_client_secret = digest_of(secret), False
        return secret

    def has_secret(self, given: str) -> bool:
        """Whether that is its secret; a public client has none."""
        return bool(self.client_secret) and hmac.compare_digest(digest_of(given), self.client_secret)

    @property
    def lifetime(self) -> timedelta:
        """How long its access tokens last."""
        return timedelta(minutes=self.token_minutes or settings.ISSUER_TOKEN_MINUTES)


def is_safe_target(uri: str) -> bool:
    """Whether a code may be sent there: encrypted, or to the person's own machine (RFC 8252, section 7.3)."""
    parts = urlsplit(uri)
    return parts.scheme != "http" or parts.hostname in ("127.0.0.1", "::1", "localhost")


class SigningKey(models.Model):
    """An RSA key. It is published from the start, signs from `signs_from` on, and is withdrawn at `retires_at`."""

    kid = models.CharField(max_length=64, unique=True)
    public_pem = models.TextField()
    sealed = models.TextField(editable=False, help_text="The private key as PEM, sealed.")
    created_at = models.DateTimeField(auto_now_add=True)
    signs_from = models.DateTimeField()
    retires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-signs_from", "-id"]

    def __str__(self) -> str:
        return self.kid

    @property
    def is_published(self) -> bool:
        return self.retires_at is None or self.retires_at > timezone.now()


def key_context(kid: str) -> str:
    """Where a private key belongs to, as `portal.secrets` wants it."""
    return context("signingkey", kid, "sealed")


declare_sealed(SigningKey, "sealed", lambda row: key_context(row["kid"]), needs=("kid",))
