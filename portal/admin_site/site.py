"""The admin site: Django's own, with sections.

A model's admin may name its `section`; models of one section stand together on the front page and in the sidebar, in
the order in which they were registered.
"""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite, ModelAdmin
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse

from portal.accounts.insecure import insecurity
from portal.admin_site.pages import Page
from portal.audit.audited_admin import AuditedAdmin
from portal.audit.ledger import clean_free_text
from portal.audit.middleware import source_ip

LAST = ("Operations", "People and access")


class StagecraftAdminSite(AdminSite):
    site_header = "Stagecraft"
    site_title = "Stagecraft"
    index_title = "Platform"
    site_url = None

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self.pages: list[Page] = []

    def add_page(self, page: Page) -> None:
        """Serve a page, and name it on the front page to whoever may open it."""
        self.pages.append(page)

    def get_urls(self) -> list[Any]:
        own = [path(page.route, self.admin_view(page.guarded), name=page.name) for page in self.pages]
        return own + super().get_urls()

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return {**super().each_context(request), "insecure": insecurity()}

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Django's registration; each admin class reports to the audit what is done with it."""
        given = admin_class or ModelAdmin
        audited = given if issubclass(given, AuditedAdmin) else type(given.__name__, (AuditedAdmin, given), {})
        super().register(model_or_iterable, audited, **options)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Django's sign-in; after too many wrong passwords 429, whatever the password."""
        # Imported late: the site is made before the models are.
        from portal.admin_site.sign_in import WINDOW, is_limited

        if request.method == "POST":
            name = clean_free_text(request.POST.get("username", ""), 255)
            if is_limited(name, source_ip(request)):
                seconds = round(WINDOW.total_seconds())
                text = "Too many failed sign-ins. Try again later.\n"
                return HttpResponse(text, "text/plain; charset=utf-8", 429, headers={"Retry-After": str(seconds)})
        return super().login(request, extra_context)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Sections with their models; models whose admin names none stand under their app's name."""
        order = {model: position for position, model in enumerate(self._registry)}
        entries = [(entry, app) for app in super().get_app_list(request, app_label) for entry in app["models"]]
        sections: dict[str, dict[str, Any]] = {}
        for entry, app in sorted(entries, key=lambda pair: order[pair[0]["model"]]):
            name = getattr(self._registry[entry["model"]], "section", "") or app["name"]
            sections.setdefault(name, {**app, "name": name, "models": []})["models"].append(entry)
        for page in self.pages if app_label is None else ():
            if page.listed and page.may(request):
                nothing_yet = {"name": page.section, "app_label": "", "app_url": "#", "models": []}
                section = sections.setdefault(page.section, nothing_yet)
                section["models"].append(entry_of(page))
        return sorted(
            sections.values(), key=lambda section: LAST.index(section["name"]) if section["name"] in LAST else -1
        )


def entry_of(page: Page) -> dict[str, Any]:
    """A page as Django's templates of the front page and the sidebar list models."""
    return {
        "model": None,
        "name": page.title,
        "object_name": page.name,
        "admin_url": reverse(f"admin:{page.name}"),
        "add_url": None,
        "view_only": True,
        "perms": {"add": False, "change": False, "delete": False, "view": True},
    }
