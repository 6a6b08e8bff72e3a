"""Making each sort of account, and shutting it out: what commands, the quickstart and tests call.

ada = make_person("ada", password="…")
make_service_account("ci", owner=ada)
make_agent("release-bot", owner=ada)
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from portal.accounts.models import User

KIND = User.PrincipalKind


def make_person(username: str, *, password: str | None = None, email: str = "", **fields: Any) -> User:
    """A person; without a password they sign in by an outside issuer only. Raises `ValidationError`."""
    return made(User(username=username, email=email, principal_kind=KIND.HUMAN, **fields), password)


def make_service_account(username: str, *, owner: User | None = None, expires_at: datetime | None = None) -> User:
    """An account for a program, with no password. Raises `ValidationError`."""
    return made(User(username=username, principal_kind=KIND.SERVICE_ACCOUNT, owner=owner, expires_at=expires_at))


def make_agent(username: str, *, owner: User | None, expires_at: datetime | None = None, tools: str = "") -> User:
    """An account for an AI agent, for which its owner answers, perhaps for some tools only. Raises as above."""
    return made(User(username=username, principal_kind=KIND.AGENT, owner=owner, expires_at=expires_at, tools=tools))


def made(user: User, password: str | None = None) -> User:
    user.set_password(password)
    user.full_clean(exclude=["password"])
    user.save()
    return user


def set_active(user: User, is_active: bool) -> None:
    """Shut an account out, or let it back in. What it holds stays; all its tokens and sessions count from the next
    request on, or do not."""
    user.is_active = is_active
    user.save(update_fields=["is_active"])
