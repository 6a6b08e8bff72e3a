"""The admin of models that are no platform objects: one event for each save and deletion, in its transaction."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest

from portal.audit.accounts import record_admin


class AuditedAdmin:
    """Mixed into every admin class that `StagecraftAdminSite` registers, save those whose changes go elsewhere.

    Django calls these three inside of the transaction of what they report.
    """

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        if not is_audited_elsewhere(self):
            record_admin(request, [obj], "create", {})
        return super().log_addition(request, obj, message)  # type: ignore[misc]

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        if not is_audited_elsewhere(self):
            record_admin(request, [obj], "update", {"fields": fields_of(message)})
        return super().log_change(request, obj, message)  # type: ignore[misc]

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        if not is_audited_elsewhere(self):
            record_admin(request, list(queryset), "delete", {})
        return super().log_deletions(request, queryset)  # type: ignore[misc]


def is_audited_elsewhere(admin: Any) -> bool:
    """Whether every change goes through a layer that writes its own events; an attribute of the admin class says so."""
    return bool(getattr(admin, "is_audited_elsewhere", False))


def fields_of(message: Any) -> list[str]:
    """The fields that Django's message about a change names; never their values."""
    parts = json.loads(message) if isinstance(message, str) and message.startswith("[") else message
    if not isinstance(parts, list):
        return []
    return sorted({field for part in parts for field in (part.get("changed") or {}).get("fields", ())})
