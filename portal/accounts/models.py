"""People, service accounts and agents, and the tokens by which programs sign in."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone

from portal.accounts.limits import Limits

TOKEN_PREFIX = "stg_"  # noqa: S105 - a public marker, so that leaked tokens can be recognised in logs and code
TOOL_PATTERNS = re.compile(r"[a-z0-9_*,\s]*")
UNUSABLE = "!"
"""What Django's unusable passwords begin with."""


class User(AbstractUser):
    """Everyone who can act: a person, a service account, or an AI agent.

    Whoever comes from an outside issuer is known by `issuer` and `subject`; local ones have neither. Service accounts
    and agents have no password and never enter the admin. An agent has an owner, a person who answers for it: without
    an active owner the agent may do nothing.
    """

    class PrincipalKind(models.TextChoices):
        HUMAN = "human", "Human"
        SERVICE_ACCOUNT = "service_account", "Service account"
        AGENT = "agent", "Agent"

    principal_kind = models.CharField(
        max_length=15, choices=PrincipalKind.choices, default=PrincipalKind.HUMAN, verbose_name="kind"
    )
    owner = models.ForeignKey(
        "self",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="owned",
        limit_choices_to={"principal_kind": "human"},
        help_text="The person who answers for it. Needed by agents, which end with their owner.",
    )
    issuer = models.CharField(max_length=255, blank=True, default="", editable=False)
    subject = models.CharField(max_length=255, blank=True, default="", editable=False)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="From then on the account may do nothing.")
    tools = models.TextField(
        blank=True,
        default="",
        help_text="For agents and service accounts: the MCP tools that it may call at most, such as get_* list_* "
        "create_component. It then reaches the platform through MCP only. Empty: whatever its grants allow.",
    )

    class Meta(AbstractUser.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["issuer", "subject"], condition=~Q(issuer=""), name="user_unique_in_its_issuer"
            ),
            models.CheckConstraint(
                condition=Q(issuer="", subject="") | (~Q(issuer="") & ~Q(subject="")), name="user_issuer_and_subject"
            ),
            models.CheckConstraint(
                condition=~Q(principal_kind="agent") | Q(owner__isnull=False),
                name="user_agent_has_owner",
                violation_error_message="An agent needs an owner: the person who answers for it.",
            ),
            models.CheckConstraint(
                condition=Q(principal_kind="human") | Q(is_staff=False, is_superuser=False),
                name="user_machine_is_no_staff",
                violation_error_message="Service accounts and agents are never staff or superusers.",
            ),
            models.CheckConstraint(
                condition=~Q(principal_kind="human") | Q(tools=""),
                name="user_person_has_no_tools",
                violation_error_message="Only agents and service accounts are limited to tools.",
            ),
            models.CheckConstraint(
                condition=Q(principal_kind="human") | Q(password__startswith=UNUSABLE),
                name="user_machine_has_no_password",
                violation_error_message="Service accounts and agents have no password; give them a token.",
            ),
        ]

    @property
    def is_machine(self) -> bool:
        return self.principal_kind != self.PrincipalKind.HUMAN

    @property
    def is_usable(self) -> bool:
        """Whether the account may act now: active, not expired, and, for an agent, answered for."""
        if not self.is_active or (self.expires_at is not None and self.expires_at <= timezone.now()):
            return False
        if self.principal_kind == self.PrincipalKind.AGENT:
            return self.owner is not None and not self.owner.is_machine and self.owner.is_usable
        return True

    @property
    def is_limited_to_tools(self) -> bool:
        return bool(self.tools.strip())

    def may_call(self, tool: str) -> bool:
        """Whether its list of tools, if it has one, names that tool."""
        patterns = self.tools.replace(",", " ").split()
        return not patterns or any(fnmatchcase(tool, pattern) for pattern in patterns)

    def clean(self) -> None:
        """Raises `ValidationError` with the field that is wrong."""
        super().clean()
        if not TOOL_PATTERNS.fullmatch(self.tools):
            raise ValidationError({"tools": "Write names of tools, such as create_component or get_*, with spaces."})
        if self.principal_kind == self.PrincipalKind.AGENT and self.owner_id is None:
            raise ValidationError({"owner": "An agent needs an owner: the person who answers for it."})
        if self.owner is not None and (self.owner.is_machine or self.owner_id == self.pk):
            raise ValidationError({"owner": "The owner must be another account, and a person's."})
        if self.is_machine and self.pk is not None and self.owned.exists():
            raise ValidationError({"principal_kind": "It owns agents, so it must stay a person."})
        if self.is_machine and (self.is_staff or self.is_superuser):
            raise ValidationError("Service accounts and agents are never staff or superusers.")

    def set_password(self, raw_password: str | None) -> None:
        """Raises `ValueError` for a password of a service account or an agent."""
        if self.is_machine and raw_password is not None:
            raise ValueError("service accounts and agents have no password; give them a token")
        super().set_password(raw_password)

    def save(self, *args: Any, **named: Any) -> None:
        if self.is_machine and not self.password.startswith(UNUSABLE):
            self.set_unusable_password()
            if named.get("update_fields") is not None:
                named["update_fields"] = {*named["update_fields"], "password"}
        super().save(*args, **named)


class AccessToken(models.Model):
    """A bearer token. Only its SHA-256 is kept, so that a stolen database signs nobody in.

    It gives no right: it lets its user use the rights that they have, all or some (`limits`). A token with
    `on_behalf_of` is an agent's, and then only what that person may do too.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="access_tokens")
    on_behalf_of = models.ForeignKey(
        User,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="delegated_tokens",
        help_text="For an agent: the person for whom it acts. It then may do only what both may.",
    )
    name = models.CharField(max_length=100, help_text="What it is for.")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    actions = models.JSONField(
        default=list, blank=True, help_text="What it may be used for at most, as in roles; none means everything."
    )
    namespace = models.CharField(max_length=63, blank=True, default="", help_text="Only within this namespace.")
    project = models.CharField(max_length=253, blank=True, default="", help_text="Only within this project.")
    place_uid = models.UUIDField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["user_id", "name"]
        constraints = [
            models.CheckConstraint(condition=Q(project="") | ~Q(namespace=""), name="token_project_in_namespace"),
            models.CheckConstraint(
                condition=Q(namespace="") | Q(place_uid__isnull=False), name="token_place_is_an_object"
            ),
            models.CheckConstraint(
                condition=Q(on_behalf_of__isnull=True) | ~Q(on_behalf_of=models.F("user")),
                name="token_for_somebody_else",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.name}"

    @property
    def is_valid(self) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and self.expires_at > timezone.now()

    @property
    def limits(self) -> Limits | None:
        """What it may be used for at most; None for no limit."""
        found = Limits(tuple(self.actions), self.namespace, self.project, self.place_uid)
        return None if found.is_all else found


def digest_of(token: str) -> str:
    """The form in which a token is kept: tokens are random, so a plain hash needs no salt."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


class BadToken(ValueError):
    """A token that cannot be made so; the text says why."""


def issue_token(
    user: User,
    name: str,
    expires_at: datetime | None = None,
    *,
    limits: Limits | None = None,
    on_behalf_of: User | None = None,
) -> str:
    """Make a token for a user and return its text, which is never shown again. Raises `BadToken`.

    Ends after `TOKEN_DAYS` unless told, after `TOKEN_MAX_DAYS` at the latest. Who may make which token is the caller's
    question.
    """
    return make_token(user, name, expires_at, limits=limits, on_behalf_of=on_behalf_of)[1]


def make_token(
    user: User,
    name: str,
    expires_at: datetime | None = None,
    *,
    limits: Limits | None = None,
    on_behalf_of: User | None = None,
) -> tuple[AccessToken, str]:
    """As `issue_token`, with the row."""
    ends = check_token(user, expires_at, on_behalf_of)
    held = limits or Limits()
    text = TOKEN_PREFIX + secrets.token_urlsafe(32)
    row = AccessToken.objects.create(
        user=user,
        on_behalf_of=on_behalf_of,
        name=name,
        digest=digest_of(text),
        actions=list(held.actions),
        namespace=held.namespace,
        project=held.project,
        place_uid=held.place_uid,
        expires_at=ends,
    )
    return row, text


def check_token(user: User, expires_at: datetime | None, on_behalf_of: User | None) -> datetime:
    """When such a token ends. Raises `BadToken` if it may not be made so."""
    now = timezone.now()
    ends = expires_at or now + timedelta(days=min(settings.TOKEN_DAYS, settings.TOKEN_MAX_DAYS))
    if ends > now + timedelta(days=settings.TOKEN_MAX_DAYS, minutes=1):
        raise BadToken(f"a token lasts {settings.TOKEN_MAX_DAYS} days at most")
    if on_behalf_of is not None and (user.principal_kind != User.PrincipalKind.AGENT or on_behalf_of.is_machine):
        raise BadToken("only an agent acts on behalf of somebody, and only on behalf of a person")
    return ends


def valid_token(token: str) -> AccessToken | None:
    """The token of that text if it, its user, and whoever it acts for are usable now. One query."""
    found = token_of(token)
    return found if found is not None and is_good(found) else None


def token_of(token: str) -> AccessToken | None:
    """The token of that text, whether it is good or not. One query."""
    from portal.accounts.token_lookup import token_by_digest  # it is made from the models

    return token_by_digest(digest_of(token))


def is_good(token: AccessToken) -> bool:
    """Whether a token, its user, and whoever it acts for are usable now."""
    if not token.is_valid or not token.user.is_usable:
        return False
    behind = token.on_behalf_of
    return behind is None or (not behind.is_machine and behind.is_usable)


def user_of_token(token: str) -> User | None:
    """The usable user whose valid token this is, else None."""
    found = valid_token(token)
    return None if found is None else found.user
