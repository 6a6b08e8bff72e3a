"""People, service accounts and agents in the admin, and their tokens: a token is shown once, when it is made."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from portal.accounts.models import AccessToken, User, digest_of, issue_token
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
    list_display = ("username", "principal_kind", "email", "is_staff", "is_superuser", "is_active", "last_login")
    list_filter = ("principal_kind", "is_staff", "is_superuser", "is_active", "groups")
    fieldsets = (
        *DjangoUserAdmin.fieldsets[:1],  # type: ignore[index]
        ("What it is", {"fields": ("principal_kind",)}),
        *DjangoUserAdmin.fieldsets[1:],  # type: ignore[index]
    )
    add_fieldsets = (
        *DjangoUserAdmin.add_fieldsets,
        ("What it is", {"fields": ("principal_kind",)}),
    )


@admin.register(AccessToken)
class AccessTokenAdmin(SuperusersOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Tokens can be made, revoked and deleted; what they are for and when they end is fixed when they are made."""

    section = SECTION
    list_display = ("name", "user", "created_at", "expires_at", "revoked_at", "is_usable")
    list_filter = ("revoked_at",)
    list_select_related = ("user",)
    search_fields = ("name", "user__username")
    autocomplete_fields = ("user",)
    fields = ("user", "name", "expires_at")
    actions = ("revoke",)

    @admin.display(boolean=True, description="usable")
    def is_usable(self, token: AccessToken) -> bool:
        return token.is_valid

    def has_change_permission(self, request: HttpRequest, obj: AccessToken | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: AccessToken, form: Any, change: bool) -> None:
        """Issue the token; its text stays on this request for the one page that shows it."""
        text = issue_token(obj.user, obj.name, obj.expires_at)
        obj.pk = AccessToken.objects.get(digest=digest_of(text)).pk
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
            revoked = list(queryset.filter(revoked_at=None).select_related("user").select_for_update(of=("self",)))
            count = queryset.filter(pk__in=[token.pk for token in revoked]).update(revoked_at=timezone.now())
            record_admin(request, revoked, "revoke", {})
        messages.success(request, f"{count} tokens were revoked.")
