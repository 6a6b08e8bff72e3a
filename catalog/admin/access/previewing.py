"""What roles and bindings share in the admin: their changes and their deletion can be previewed by what they do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from catalog.access import writing
from catalog.access.document_effects import effects_of_document
from catalog.admin.acting import access_of, actor_of
from catalog.admin.object_admin import ObjectAdmin
from catalog.kinds.base import Document, PlatformObject
from catalog.manifests.outcomes import REFUSALS
from portal.access.guard import Forbidden


class PreviewedAdmin(ObjectAdmin):
    """A kind that says who may do what."""

    delete_confirmation_template = "admin/access/delete_confirmation.html"

    def rehearse(self, request: HttpRequest, held: PlatformObject | None) -> Callable[[Document], Any] | None:
        if request.POST.get("do") not in ("preview", "preview-ticks"):
            return None
        return lambda document: effects_of_document(self.model, held, document, actor_of(request))

    def more_of(self, request: HttpRequest, held: PlatformObject | None, text: str | None) -> dict[str, Any]:
        return {"can_preview": True}

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Django's question whether to delete, with what that would do."""
        context = dict(extra_context or {})
        if request.method == "GET":
            held = self.found(request, object_id)
            context |= self.effects_of_deletion(request, held)
        return super().delete_view(request, object_id, context)

    def effects_of_deletion(self, request: HttpRequest, held: PlatformObject) -> dict[str, Any]:
        """What the deletion would do, or why it cannot be."""
        access = access_of(request)
        if access is None or not self.has_delete_permission(request, held):
            return {}
        try:
            writing.require_delete(access, held)
            return {"effects": effects_of_document(self.model, held, None, actor_of(request))}
        except (*REFUSALS, Forbidden) as error:
            return {"refusal": str(error)}
