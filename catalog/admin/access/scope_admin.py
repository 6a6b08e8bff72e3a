"""The admin of the kinds that grants are given on: an object's page has one more tab."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from catalog.access import grant_rows, hand_grants
from catalog.admin.access import scope_page
from catalog.admin.acting import access_of
from catalog.admin.object_admin import ObjectAdmin
from catalog.kinds.base import PlatformObject


class ScopeAdmin(ObjectAdmin):
    """Namespaces, projects, components and resources."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.access_view)
        own = path("<path:object_id>/access/", view, name=f"catalog_{self.model._meta.model_name}_access")
        return [own, *super().get_urls()]

    def access_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Who has what on the object."""
        obj = self.found(request, object_id)
        tabs = self.tabs_of(request, obj)
        context = {"opts": self.opts, "kind": self.model.kind, "obj": obj, "list_url": self.url("changelist")}
        return scope_page.object_page(request, obj, tabs["access_url"], {**context, **tabs, "tab": "access"})

    def tabs_of(self, request: HttpRequest, obj: PlatformObject) -> dict[str, str]:
        may_see = hand_grants.may(access_of(request), "view", grant_rows.place_of_scope(obj))
        return super().tabs_of(request, obj) | {"access_url": self.url("access", obj.pk) if may_see else ""}
