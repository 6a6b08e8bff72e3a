"""The log as a list: every change of every object, to be searched. Nothing can be changed here."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from catalog.admin.acting import access_of
from catalog.admin.history import diff_of
from portal.access.place import Place
from portal.admin_site.read_only import ReadOnlyAdmin


class PlatformLogAdmin(ReadOnlyAdmin):
    """A list of what concerns the whole platform: its action is given on the cluster."""

    action = ""

    def may_look(self, request: HttpRequest) -> bool:
        access = access_of(request)
        return access is not None and access.allows(self.action, Place())


class RevisionAdmin(PlatformLogAdmin):
    action = "revision:view"
    section = "Operations"
    list_display = ("sequence", "recorded_at", "action", "kind", "namespace", "name", "actor", "surface")
    list_filter = ("action", "surface", "actor_kind")
    search_fields = ("=kind", "name", "=actor", "=request_id")
    search_help_text = "name of the object; or exactly a kind, an actor or a request id"
    ordering = ("-sequence",)
    list_per_page = 100

    def get_queryset(self, request: HttpRequest) -> Any:
        rows: Any = super().get_queryset(request)
        rows = rows.system("revision:view everywhere") if self.has_view_permission(request) else rows.none()
        return rows.defer("before", "after")

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """What the revision changed."""
        revision = None if object_id is None else self.get_object(request, object_id)
        if revision is None:
            raise Http404
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": str(revision),
            "revision": revision,
            "lines": diff_of(revision),
        }
        return TemplateResponse(request, "admin/catalog/revision.html", context)
