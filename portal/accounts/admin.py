"""People, service accounts and agents in the admin, and their tokens: a token is shown once, when it is made."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from portal.accounts.forms import PrincipalAddForm, PrincipalForm, TokenForm
from portal.accounts.models import AccessToken, User, make_token
from portal.accounts.tokens import revoke
from portal.audit.accounts import record_admin

SECTION = "People and access"


class SuperusersOnly:
    """People, groups and tokens are for superusers: whoever could change them could give themselves any right."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and getattr(request.user, "is_superuser", False))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_module_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)


class GroupAdmin(SuperusersOnly, DjangoGroupAdmin):  # type: ignore[type-arg]
    section = SECTION


# Importing Django's admin of groups has registered it; ours differs by its section only.
admin.site.unregister(Group)
admin.site.register(Group, GroupAdmin)


@admin.register(User)
class UserAdmin(SuperusersOnly, DjangoUserAdmin):  # type: ignore[type-arg]
    section = SECTION
    form = PrincipalForm
    add_form = PrincipalAddForm
    list_display = ("username", "principal_kind", "owner", "email", "is_staff", "is_superuser", "can_act", "last_login")
    list_filter = ("principal_kind", "is_staff", "is_superuser", "is_active", "groups")
    list_select_related = ("owner",)
    readonly_fields = ("issuer", "subject")
    autocomplete_fields = ("owner",)
    fieldsets = (
        *DjangoUserAdmin.fieldsets[:1],  # type: ignore[index]
        ("What it is", {"fields": ("principal_kind", "owner", "expires_at", "tools", "issuer", "subject")}),
        *DjangoUserAdmin.fieldsets[1:],  # type: ignore[index]
    )
    add_fieldsets = (
        *DjangoUserAdmin.add_fieldsets,
        ("What it is", {"fields": ("principal_kind", "owner", "expires_at", "tools")}),
    )

    @admin.display(boolean=True, description="may act")
    def can_act(self, user: User) -> bool:
        return user.is_usable

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """Django's page; there is none for what has no password."""
        user = self.get_object(request, unquote(id))
        if isinstance(user, User) and user.is_machine:
            messages.error(
                request, f"{user} is a {user.get_principal_kind_display()}: give it an access token instead."
            )
            return HttpResponseRedirect(reverse("admin:accounts_user_change", args=[user.pk]))
        return super().user_change_password(request, id, form_url)


@admin.register(AccessToken)
class AccessTokenAdmin(SuperusersOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Tokens can be made, revoked and deleted; what they are for and when they end is fixed when they are made."""

    section = SECTION
    form = TokenForm
    list_display = (
        *("name", "user", "on_behalf_of", "actions", "namespace", "project"),
        *("created_at", "expires_at", "last_used_at", "revoked_at", "is_usable"),
    )
    list_filter = ("revoked_at",)
    list_select_related = ("user", "on_behalf_of")
    search_fields = ("name", "user__username")
    autocomplete_fields = ("user", "on_behalf_of")
    fields = ("user", "on_behalf_of", "name", "expires_at", "actions", "namespace", "project")
    actions = ("revoke",)

    @admin.display(boolean=True, description="usable")
    def is_usable(self, token: AccessToken) -> bool:
        return token.is_valid

    def has_change_permission(self, request: HttpRequest, obj: AccessToken | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: AccessToken, form: Any, change: bool) -> None:
        """Issue the token; its text stays on this request for the one page that shows it."""
        row, text = make_token(
            obj.user, obj.name, obj.expires_at, limits=form.cleaned_data["limits"], on_behalf_of=obj.on_behalf_of
        )
        obj.pk = row.pk
        request.issued_token = text  # type: ignore[attr-defined]

    def response_add(
        self, request: HttpRequest, obj: AccessToken, post_url_continue: str | None = None
    ) -> HttpResponse:
        """The token, now and never again: in the page itself, not in a message, which would travel in a cookie."""
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Token issued",
            "access_token": obj,
            "text": request.issued_token,  # type: ignore[attr-defined]
        }
        return TemplateResponse(request, "admin/accounts/token_issued.html", context)

    @admin.action(description="Revoke these tokens")
    def revoke(self, request: HttpRequest, queryset: Any) -> None:
        with transaction.atomic():
            revoked = revoke(queryset)
            record_admin(request, revoked, "revoke", {})
        messages.success(request, f"{len(revoked)} tokens were revoked.")
