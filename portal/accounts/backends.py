"""Signing in with a password, and staying signed in: for people whose account may act, and nobody else."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend

from portal.accounts.models import User


class PrincipalBackend(ModelBackend):
    """Django's backend. It asks at sign-in and again at every request of a session, so an end counts at once."""

    def user_can_authenticate(self, user: Any) -> bool:
        return isinstance(user, User) and not user.is_machine and user.is_usable
