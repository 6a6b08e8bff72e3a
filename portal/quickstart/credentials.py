"""The administrator and the token that the quickstart makes once and shows each time."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from portal.accounts.models import User, issue_token, user_of_token

ADMINISTRATOR = "admin"


@dataclass(frozen=True, slots=True)
class Credentials:
    username: str
    password: str
    token: str


def administrator(home: Path) -> Credentials:
    """The quickstart's administrator: made on the first run, read from `quickstart.json` (mode 600) afterwards.

    A password changed meanwhile in the admin is left alone and shown as "(as you have set it)".
    """
    path = home / "quickstart.json"
    held = json.loads(path.read_text()) if path.exists() else {}
    user = User.objects.filter(username=ADMINISTRATOR).first()
    if user is None:
        held["password"] = secrets.token_urlsafe(9)
        user = User.objects.create_superuser(ADMINISTRATOR, password=held["password"])
    if not held.get("token") or user_of_token(held["token"]) is None:
        held["token"] = issue_token(user, "quickstart")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(held, file)
    known = bool(held.get("password")) and user.check_password(held["password"])
    return Credentials(ADMINISTRATOR, held["password"] if known else "(as you have set it)", held["token"])
