"""The page of a binding that shows drift, three ways, with a button for each answer to it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from catalog.access import writing
from catalog.access.hierarchy import attributes_of, place_of
from catalog.admin.acting import access_of, actor_of
from catalog.admin.object_admin import ObjectAdmin
from catalog.delivery.plane import PlaneError
from catalog.kinds.base import PlatformObject
from catalog.manifests import drifting
from catalog.manifests.drifting import BadDecision, NoSuchDifference
from catalog.manifests.overriding import NotAcceptable
from catalog.store.errors import StoreError
from portal.access.guard import Forbidden, require_at
from portal.audit.operation import Target, operation

ANSWERS = ("restore", "accept", "ignore")
DURATIONS = ("1h", "1d", "7d", "4w")


class BindingAdmin(ObjectAdmin):
    """The admin of bindings: with a page for drift."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.drift_view)
        return [path("<path:object_id>/drift/", view, name=self.drift_name), *super().get_urls()]

    @property
    def drift_name(self) -> str:
        return f"catalog_{self.model._meta.model_name}_drift"

    def tabs_of(self, request: HttpRequest, obj: PlatformObject) -> dict[str, str]:
        return {**super().tabs_of(request, obj), "drift_url": reverse(f"admin:{self.drift_name}", args=[obj.pk])}

    def drift_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What differs now and what was found before; a POST is an answer to one difference."""
        binding = self.found(request, object_id)
        if request.method == "POST":
            self.answer(request, binding)
            return HttpResponseRedirect(request.path)
        seen, problem = [], ""
        try:
            seen = drifting.look(binding, everything="all" in request.GET)
        except PlaneError as error:
            problem = str(error)
        context = {
            "seen": [drifting.seen_document(item) for item in seen],
            "records": [drifting.record_document(row) for row in drifting.records_of(binding)],
            "problem": problem,
            "everything": "all" in request.GET,
            "may": {verb: self.may_answer(request, binding, verb) for verb in ANSWERS},
            "durations": DURATIONS,
            "tab": "drift",
        }
        return self.render(request, "drift", binding, context)

    def may_answer(self, request: HttpRequest, binding: PlatformObject, verb: str) -> bool:
        access = access_of(request)
        place, attributes = where(binding)
        return access is not None and access.allows(f"drift:{verb}", place, attributes)

    def answer(self, request: HttpRequest, binding: PlatformObject) -> None:
        """Do what the button says; what cannot be done is a message."""
        verb, difference, actor = request.POST.get("do", ""), request.POST.get("id", ""), actor_of(request)
        access = access_of(request)
        if access is None or verb not in ANSWERS:
            raise PermissionDenied
        target = Target(binding.kind, binding.namespace_name, binding.name)
        try:
            with operation(actor, f"drift:{verb}", target, is_compound=verb == "accept"):
                place, attributes = where(binding)
                require_at(access, f"drift:{verb}", place, attributes, binding.kind)
                done = self.decide(request, binding, verb, difference, writing.permission(access, self.model))
        except Forbidden:
            raise PermissionDenied from None
        except (NoSuchDifference, BadDecision, NotAcceptable, StoreError, PlaneError) as error:
            messages.error(request, str(error))
        else:
            messages.success(request, done)

    def decide(self, request: HttpRequest, binding: PlatformObject, verb: str, difference: str, permit: Any) -> str:
        actor = actor_of(request)
        if verb == "restore":
            return f"{', '.join(drifting.restore(binding, [difference], actor))} will be made as it is wanted."
        if verb == "accept":
            row = drifting.accept(binding, difference, actor, permit)
            return f"{row.path} is an override of this binding now."
        until = drifting.until_from(request.POST.get("for", ""), timezone.now())
        row = drifting.ignore(binding, difference, until, request.POST.get("reason", ""), actor)
        return f"{row.path or 'The object'} is left alone until {until:%Y-%m-%d %H:%M} UTC."


def where(binding: PlatformObject) -> Any:
    """The binding's place and attributes, as the engine judges them."""
    place = place_of(binding.kind, binding.namespace_name, binding.name, binding.spec, binding.labels)
    return place, attributes_of(binding.kind, binding.namespace_name, binding.spec)
