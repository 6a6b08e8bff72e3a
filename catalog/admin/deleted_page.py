"""The page of what was deleted and can come back, with a button for each."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse

from catalog.access import writing
from catalog.access.revisions import visible_revisions, visible_uids
from catalog.admin.acting import access_of, actor_of
from catalog.kinds.base import Document, PlatformObject
from catalog.kinds.registry import BY_KIND
from catalog.manifests.undeleting import Deletion, NotUndeleted, deletions, undelete
from catalog.store.errors import StoreError
from portal.access.engine import Access
from portal.access.guard import Forbidden
from portal.admin_site.pages import Page
from portal.audit.operation import Target, operation


def may_open(request: HttpRequest) -> bool:
    """Whoever may make something somewhere; each sees what they could see before it went."""
    access = access_of(request)
    return access is not None and any(access.reaches(f"{kind.lower()}:create") for kind in BY_KIND)


def page(request: HttpRequest) -> HttpResponseBase:
    """The list; a POST brings one object back."""
    access = access_of(request)
    if access is None or not may_open(request):
        raise PermissionDenied
    if request.method == "POST":
        bring_back(request, access)
        return HttpResponseRedirect(request.path)
    context = {**admin.site.each_context(request), "title": "Deleted objects", "items": listed(access)}
    return TemplateResponse(request, "admin/catalog/deleted.html", context)


def listed(access: Access) -> list[Deletion]:
    found = {item.row.sequence: item for item in deletions()}
    return [found[row.sequence] for row in visible_revisions(access, [item.row for item in found.values()])]


def bring_back(request: HttpRequest, access: Access) -> None:
    """Undelete what the button says; why it does not come back is a message."""
    kind, namespace, name = (request.POST.get(field, "") for field in ("kind", "namespace", "name"))
    model: type[PlatformObject] | None = BY_KIND.get(kind)
    if model is None or not visible_uids(access, model, namespace, name):
        raise PermissionDenied

    def permit(of_kind: type[PlatformObject], document: Document) -> None:
        writing.permission(access, of_kind)(None, document)

    actor: Any = actor_of(request)
    try:
        with operation(actor, f"{kind.lower()}:undelete", Target(kind, namespace, name), is_compound=True):
            done = undelete(kind, namespace, name, actor, permit)
    except (NotUndeleted, StoreError, Forbidden) as error:
        messages.error(request, str(error))
    else:
        others = f", and {len(done.others)} objects with it" if done.others else ""
        messages.success(request, f"{kind} {name} is back{others}.")


PAGES = (Page("Operations", "Deleted objects", "deleted/", "deleted_objects", page, may_open),)
