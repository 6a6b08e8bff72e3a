"""The admin of every kind: a list with filters, a page with an editor, history, and deletion, all through the store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from catalog import store
from catalog.access import writing
from catalog.admin import editor
from catalog.admin.acting import access_of, actor_of
from catalog.admin.filters import filters_of
from catalog.admin.history import diff_of
from catalog.admin.object_page import page_of
from catalog.kinds.base import Document, PlatformObject
from catalog.manifests.deleting import plan_of
from catalog.manifests.outcomes import REFUSALS
from catalog.manifests.table import age, own_columns, value_at
from catalog.store import history
from portal.access.guard import Forbidden

MADE_BY_CONTROLLERS = frozenset({"RenderedRelease"})
REVISIONS_PER_PAGE = 50


class ObjectAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """One kind. Nothing here writes to the database except through `catalog.store`."""

    section = ""
    is_audited_elsewhere = True  # by the store
    search_fields = ("name", "ready_reason")
    search_help_text = "name, or the reason of a condition"
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    ordering = ("name",)
    model: type[PlatformObject]

    class Media:
        css = {"all": ("catalog/admin.css",)}

    def __init__(self, model: type[PlatformObject], site: admin.AdminSite) -> None:
        super().__init__(model, site)
        self.list_filter = filters_of(model)
        where = ["where"] if model.namespaced else []
        self.list_display = ["name", *where, *map(column, own_columns(model)), "readiness", "age"]

    # Lists

    def get_queryset(self, request: HttpRequest) -> Any:
        rows, access = super().get_queryset(request), access_of(request)
        rows = rows.none() if access is None else access.visible(rows)
        return rows.defer("last_applied", "annotations", "owner_references")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Lists narrow by their filters only: no column can be asked through the address."""
        return lookup in {choice.parameter_name for choice in filters_of(self.model)}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"title": self.model.kind, **(extra_context or {})})

    @admin.display(description="namespace", ordering="namespace_id")
    def where(self, obj: PlatformObject) -> str:
        return obj.namespace_name

    @admin.display(description="ready", ordering="ready")
    def readiness(self, obj: PlatformObject) -> SafeString | str:
        """A badge with the state and, unless all is well, its reason."""
        return badge(obj)

    @admin.display(description="age", ordering="-created_at")
    def age(self, obj: PlatformObject) -> str:
        return age(obj.created_at)

    # Permissions: the engine's, not Django's model permissions

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "view")

    def has_view_permission(self, request: HttpRequest, obj: PlatformObject | None = None) -> bool:
        return self.may(request, "view", obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.model.kind not in MADE_BY_CONTROLLERS and self.may(request, "create")

    def has_change_permission(self, request: HttpRequest, obj: PlatformObject | None = None) -> bool:
        return self.model.kind not in MADE_BY_CONTROLLERS and self.may(request, "update", obj)

    def has_delete_permission(self, request: HttpRequest, obj: PlatformObject | None = None) -> bool:
        return self.may(request, "delete", obj)

    def may(self, request: HttpRequest, verb: str, obj: PlatformObject | None = None) -> bool:
        """Whether the user may do that to the object, or, without one, to any object at all."""
        access = access_of(request)
        if access is None:
            return False
        return access.reaches(f"{self.model.kind.lower()}:{verb}") if obj is None else access.may(verb, obj)

    # One object

    def get_urls(self) -> list[URLPattern]:
        name = f"catalog_{self.model._meta.model_name}_revision"
        view = self.admin_site.admin_view(self.revision_view)
        return [path("<path:object_id>/history/<int:sequence>/", view, name=name), *super().get_urls()]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The editor, and around it what there is to know about the object."""
        held = None if object_id is None else self.found(request, object_id)
        if not (self.has_add_permission(request) if held is None else self.has_view_permission(request, held)):
            raise PermissionDenied
        saved, text = editor.Saved(), None
        if request.method == "POST":
            if not (held is None or self.has_change_permission(request, held)):
                raise PermissionDenied
            shown = request.POST.get("fingerprint", "")
            access, text = access_of(request), self.posted_text(request, held)
            if access is None:
                raise PermissionDenied
            rehearse = self.rehearse(request, held)
            saved = editor.save(text, self.model, held, shown, actor_of(request), access, rehearse)
            if saved.obj is not None:
                outcome = "was saved" if saved.changed else "is unchanged"
                messages.success(request, f"{self.model.kind} {saved.obj} {outcome}.")
                return HttpResponseRedirect(self.url("change", saved.obj.pk))
        stored = (
            editor.text_of(held) if held else editor.skeleton_of(self.model, request.GET.get("namespace", "default"))
        )
        context = {
            "text": stored if text is None else text,
            # After a refused save the fingerprint stays that of the text which the user began with.
            "fingerprint": request.POST.get("fingerprint") or editor.fingerprint(stored),
            "problems": saved.problems,
            "effects": saved.effects,
            "can_save": held is None or self.has_change_permission(request, held),
            "can_delete": held is not None and self.has_delete_permission(request, held),
            **({} if held is None else page_of(held, access_of(request))),
            **self.more_of(request, held, text),
        }
        return self.render(request, "object", held, context)

    # What kinds with more to their page add

    page_template = "admin/catalog/object.html"

    def posted_text(self, request: HttpRequest, held: PlatformObject | None) -> str:
        """The manifest that a form of the page means."""
        return request.POST.get("text", "")

    def rehearse(self, request: HttpRequest, held: PlatformObject | None) -> Callable[[Document], Any] | None:
        """What to do instead of saving, if the form asks for no more than a preview."""
        return None

    def more_of(self, request: HttpRequest, held: PlatformObject | None, text: str | None) -> dict[str, Any]:
        """More for the page's template; `text` is the manifest that was sent, None if none was."""
        return {}

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """All revisions of the object, newest first."""
        obj = self.found(request, object_id)
        if not self.has_view_permission(request, obj):
            raise PermissionDenied
        rows = history(obj.kind, obj.namespace_name, obj.name).filter(uid=obj.uid)
        rows = rows.order_by("-sequence").defer("before", "after")
        page = Paginator(rows, REVISIONS_PER_PAGE).get_page(request.GET.get("p"))
        return self.render(request, "history", obj, {"page": page})

    def revision_view(self, request: HttpRequest, object_id: str, sequence: int) -> HttpResponse:
        """What one revision changed."""
        obj = self.found(request, object_id)
        if not self.has_view_permission(request, obj):
            raise PermissionDenied
        rows = history(obj.kind, obj.namespace_name, obj.name, with_status=True)
        revision = rows.filter(sequence=sequence, uid=obj.uid).first()
        if revision is None:
            raise Http404
        return self.render(request, "revision", obj, {"revision": revision, "lines": diff_of(revision)})

    def found(self, request: HttpRequest, object_id: str) -> PlatformObject:
        """The object of a page; 404 if it is gone, and the same if it may not be seen."""
        key = unquote(object_id)
        obj: PlatformObject | None = None
        if key.isdecimal():
            # Not the list's queryset, which leaves columns out that a page needs.
            obj = self.model.objects.system("judged on the next line").filter(pk=int(key)).first()
        if obj is None or not self.may(request, "view", obj):
            raise Http404(f"{self.model.kind} does not exist any more")
        return obj

    def render(
        self, request: HttpRequest, template: str, obj: PlatformObject | None, context: dict[str, Any]
    ) -> TemplateResponse:
        """A page of this kind."""
        shared = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "kind": self.model.kind,
            "obj": obj,
            "title": f"New {self.model.kind}" if obj is None else str(obj),
            "badge": badge(obj) if obj is not None and (obj.ready or obj.deleted_at) else "",
            "list_url": self.url("changelist"),
        }
        if obj is not None:
            shared |= self.tabs_of(request, obj)
        shared["tab"] = "history" if template in ("history", "revision") else "object"
        path = self.page_template if template == "object" else f"admin/catalog/{template}.html"
        return TemplateResponse(request, path, {**shared, **context})

    def tabs_of(self, request: HttpRequest, obj: PlatformObject) -> dict[str, str]:
        """The addresses of an object's pages, as its templates name them."""
        urls = {name: self.url(name, obj.pk) for name in ("change", "history", "delete")}
        return {**urls, "object_url": urls["change"].removesuffix("change/")}

    def url(self, name: str, *arguments: Any) -> str:
        return reverse(f"admin:catalog_{self.model._meta.model_name}_{name}", args=arguments)

    # Deletion

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[str]]:
        """The plan of the deletion, as far as the user may see it: controllers carry it out, not the database."""
        access, listed = access_of(request), []
        for obj in objs:
            plan = plan_of(obj)
            seen = [
                step for step in plan.steps if step.obj is None or (access is not None and access.may("view", step.obj))
            ]
            listed += [f"{step}" + "".join(f"; waits: {text}" for text in step.blockers) for step in seen]
            if len(seen) < len(plan.steps):
                listed.append(f"{len(plan.steps) - len(seen)} more that you may not see")
            else:
                listed += [f"stays: {text}" for text in plan.stays]
        return listed, {self.model.kind: len(objs)}, set(), []

    def delete_model(self, request: HttpRequest, obj: PlatformObject) -> None:
        access = access_of(request)
        if access is None:
            raise PermissionDenied
        try:
            with writing.judged(access, obj.kind, obj.namespace_name, obj.name) as held:
                if held is None or held.uid != obj.uid:
                    raise store.NotFound(obj.kind, obj.namespace_name, obj.name)
                writing.require_delete(access, held)
                deleted = store.delete(obj.kind, obj.namespace_name, obj.name, actor_of(request))
        except (*REFUSALS, Forbidden) as error:
            messages.error(request, str(error))
        else:
            if deleted.finalizers:
                messages.info(request, f"{obj.kind} {obj} goes as soon as its controller has cleaned up behind it.")

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for obj in queryset:
            self.delete_model(request, obj)


def column(own: tuple[str, str]) -> Callable[[PlatformObject], str]:
    """A list column for one of the kind's own columns."""
    heading, where = own

    @admin.display(description=heading, empty_value="–")
    def show(obj: PlatformObject) -> str:
        value = value_at({"spec": obj.spec, "status": obj.status}, where)
        return "" if value is None else str(value)

    return show


def badge(obj: PlatformObject) -> SafeString | str:
    """Readiness in colour: ready, failing, not known, or on its way out."""
    if obj.deleted_at is not None:
        return format_html('<span class="state going">{}</span>', "Terminating")
    if not obj.ready:
        return "–"
    style = {"True": "good", "False": "bad"}.get(obj.ready, "unknown")
    text = "Ready" if obj.ready == "True" else obj.ready_reason or obj.ready
    return format_html('<span class="state {}">{}</span>', style, text)
