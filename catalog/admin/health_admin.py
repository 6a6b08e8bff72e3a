"""Rules of health in the admin: CEL that is checked when it is saved and can be tried on a live object before."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from catalog.admin.acting import access_of
from catalog.compiler import yaml
from catalog.compiler.errors import CompilerError
from catalog.delivery.delivered import delivered_of
from catalog.delivery.drivers import plane_at
from catalog.delivery.health import BadRule, compile_rule, evaluate
from catalog.delivery.health_models import HealthRule
from catalog.delivery.health_rows import judge_again, objects_to_try
from catalog.delivery.plane import PlaneError, Unsupported
from catalog.kinds.base import Document
from catalog.kinds.rendered_object import RenderedObject
from catalog.kinds.rendered_release import RenderedRelease
from portal.access.actions import extension
from portal.access.place import Place

extension("healthrule:view", "cluster", "See the rules by which objects are healthy")
extension("healthrule:update", "cluster", "Change the rules by which objects are healthy")
TRY = "_try"


class HealthRuleForm(forms.ModelForm):  # type: ignore[type-arg]
    """A rule, and a box to try its expression. With the button Try nothing is saved."""

    try_on = forms.ModelChoiceField(
        RenderedObject.objects.none(), required=False, label="live object", help_text="one of this kind, read now"
    )
    try_document = forms.CharField(
        required=False, label="or a manifest", widget=forms.Textarea(attrs={"rows": 8}),
        help_text="YAML or JSON with its status, as kubectl get -o yaml shows it",
    )  # fmt: skip

    class Meta:
        model = HealthRule
        fields = ("group", "kind", "expression", "description", "is_enabled")
        widgets = {"expression": forms.Textarea(attrs={"rows": 14, "class": "vLargeTextField", "spellcheck": "false"})}

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        if TRY in self.data:
            self.add_error("try_document", self.tried(found))
        return found

    def tried(self, found: dict[str, Any]) -> str:
        """What the expression says of the object that was chosen, or why it says nothing."""
        try:
            document = live_document(found["try_on"]) if found.get("try_on") else pasted(found.get("try_document", ""))
            health, problem = evaluate(compile_rule(found.get("expression", "")), document)
        except (BadRule, PlaneError, CompilerError, ValueError) as error:
            return str(error)
        return f"{health}: {problem}" if problem else f"{health}. Nothing was saved."


class HealthRuleAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The rules; whoever may change them may so for the whole installation."""

    section = "Types"
    form = HealthRuleForm
    change_form_template = "admin/catalog/health_rule.html"
    list_display = ("rule", "description", "is_enabled", "is_shipped")
    list_filter = ("is_enabled", "is_shipped", "group")
    search_fields = ("group", "kind", "description")
    fieldsets = (
        (None, {"fields": ("group", "kind", "expression", "description", "is_enabled")}),
        ("Try it", {"fields": ("try_on", "try_document")}),
    )

    @admin.display(description="kind", ordering="kind")
    def rule(self, row: HealthRule) -> SafeString:
        url = reverse("admin:catalog_healthrule_change", args=[row.pk])
        return format_html('<a href="{}">{}</a>', url, row)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:
        form = super().get_form(request, obj, change=change, **options)
        if "try_on" in form.base_fields:
            choice: Any = form.base_fields["try_on"]
            access = access_of(request)
            releases = RenderedRelease.objects.all()
            choice.queryset = objects_to_try(obj, releases.none() if access is None else access.visible(releases))
        return form

    def save_model(self, request: HttpRequest, obj: HealthRule, form: Any, change: bool) -> None:
        """A rule that somebody has written is theirs: a new version leaves it alone."""
        obj.is_shipped = False
        super().save_model(request, obj, form, change)
        judge_again(obj)

    def delete_model(self, request: HttpRequest, obj: HealthRule) -> None:
        super().delete_model(request, obj)
        judge_again(obj)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "view")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, "view")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "update")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, "update")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, "update")

    def may(self, request: HttpRequest, verb: str) -> bool:
        access = access_of(request)
        return access is not None and access.allows(f"healthrule:{verb}", Place())


def live_document(row: RenderedObject) -> Document:
    """The object as its plane holds it. Raises `PlaneError`."""
    delivered = delivered_of(row.rendered_release)
    if delivered is None:
        raise PlaneError(f"{row} has not been delivered yet")
    plane = plane_at(delivered.location)
    if not plane.capabilities.reads_live:
        raise Unsupported(f"{delivered.location} cannot be looked into; paste a manifest instead")
    version = f"{row.group}/{row.version}" if row.group else row.version
    found = plane.find(version, row.kind, row.namespace, row.name)
    if found is None:
        raise PlaneError(f"{row} is not on its plane")
    return found


def pasted(text: str) -> Document:
    """A manifest that was pasted. Raises `ValueError` or a `CompilerError`."""
    document = yaml.load(text) if text.strip() else None
    if not isinstance(document, dict):
        raise ValueError("choose a live object, or paste a manifest")
    return document
