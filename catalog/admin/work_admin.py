"""The work list: what waits for a controller, for how long, and why it failed last."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from catalog.admin.acting import access_of
from catalog.admin.log_admin import PlatformLogAdmin
from catalog.admin.object_page import change_url
from catalog.controllers.models import WorkItem
from catalog.controllers.work import mark_due
from portal.access.place import Place


class DueFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> tuple[tuple[str, str], ...]:
        return (("waiting", "Waiting"), ("failing", "Failing"), ("converged", "Converged"))

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        match self.value():
            case "waiting":
                return queryset.exclude(due_at=None)
            case "failing":
                return queryset.filter(attempts__gt=0)
            case "converged":
                return queryset.filter(due_at=None)
        return queryset


class WorkItemAdmin(PlatformLogAdmin):
    action = "workitem:view"
    section = "Operations"
    list_display = ("item", "due_at", "attempts", "error", "lease_owner", "lease_until")
    list_display_links = None
    list_filter = (DueFilter, "kind")
    search_fields = ("kind", "last_error")
    ordering = ("-attempts", "due_at")
    actions = ("look_again",)

    @admin.display(description="object", ordering="kind")
    def item(self, row: WorkItem) -> SafeString:
        return format_html('<a href="{}">{} #{}</a>', change_url(row.kind, row.object_id), row.kind, row.object_id)

    @admin.display(description="last error")
    def error(self, row: WorkItem) -> str:
        return row.last_error.strip().splitlines()[-1][:200] if row.last_error.strip() else ""

    @admin.action(description="Look at these objects now")
    def look_again(self, request: HttpRequest, queryset: Any) -> None:
        """Wake the controllers up for the chosen objects."""
        access = access_of(request)
        if access is None or not access.allows("workitem:update", Place()):
            raise PermissionDenied
        chosen = list(queryset.values_list("kind", "object_id"))
        mark_due(chosen)
        messages.success(request, f"{len(chosen)} objects will be looked at again.")
