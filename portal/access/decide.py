"""The one question about permissions: may this user do this to objects of this kind?

For now superusers and staff may do everything and every other active user may read. The permission engine takes this
function's place; callers already ask at the right moments, and lists already leave out what may not be seen.
"""

from __future__ import annotations

from typing import Literal

from portal.accounts.models import User

Verb = Literal["view", "create", "update", "delete"]


def may(user: User, verb: Verb, kind: str, *, namespace: str = "", name: str = "") -> bool:
    """Whether the user may act so on that object; `namespace` and `name` narrow it where they are known."""
    if not user.is_active:
        return False
    return verb == "view" or user.is_staff or user.is_superuser
