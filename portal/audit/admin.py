"""The audit log in the admin: to be searched, never changed."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal.access.engine import Access
from portal.accounts.models import User
from portal.admin_site.read_only import ReadOnlyAdmin
from portal.audit.models import AuditEvent
from portal.audit.reading import visible_to


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    section = "Operations"
    is_audited_elsewhere = True
    list_display = ("recorded_at", "outcome", "actor", "on_behalf_of", "surface", "action", "what")
    list_filter = ("outcome", "surface", "actor_kind")
    search_fields = ("=actor", "=on_behalf_of", "action", "=kind", "=name", "=request_id")
    search_help_text = "an action, or exactly an actor, a kind, an object's name or a request id"
    ordering = ("-id",)
    list_per_page = 100
    exclude = ("details",)

    def get_queryset(self, request: HttpRequest) -> Any:
        events = visible_to(Access.of(request.user)) if isinstance(request.user, User) else AuditEvent.objects.none()
        return events.order_by(*self.ordering)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [*(item.name for item in AuditEvent._meta.fields if item.name != "details"), "what_happened"]

    @admin.display(description="object")
    def what(self, event: AuditEvent) -> str:
        return " ".join(part for part in (event.kind, f"{event.namespace}/{event.name}".strip("/")) if part)

    @admin.display(description="details")
    def what_happened(self, event: AuditEvent) -> SafeString:
        return format_html("<pre>{}</pre>", json.dumps(json.loads(event.details), indent=2))

    def may_look(self, request: HttpRequest) -> bool:
        """Anybody of the staff: which events they see, `get_queryset` decides."""
        return bool(request.user.is_active and request.user.is_staff)
