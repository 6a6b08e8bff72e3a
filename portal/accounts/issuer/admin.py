"""Clients, signed-in programs and signing keys in the admin, for superusers."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from oauth2_provider.models import (
    get_access_token_model,
    get_grant_model,
    get_id_token_model,
    get_refresh_token_model,
    revoke_access_token,
)

from portal.accounts.admin import SECTION, SuperusersOnly
from portal.accounts.issuer.models import Client, SigningKey
from portal.audit.accounts import record_admin

OauthToken = get_access_token_model()

# The toolkit's own pages would show and change what only the protocol may write.
for _model in (OauthToken, get_refresh_token_model(), get_grant_model(), get_id_token_model()):
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)
if admin.site.is_registered(Client):
    admin.site.unregister(Client)


class ClientForm(forms.ModelForm):  # type: ignore[type-arg]
    """Only sorts of clients that we offer can be chosen."""

    class Meta:
        model = Client
        fields = (
            "client_id", "name", "client_type", "authorization_grant_type", "user", "redirect_uris",
            "skip_authorization", "uses_device_flow", "issues_refresh_tokens", "token_minutes", "acts_for_anyone",
            "advertised_as",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        grants: Any = self.fields["authorization_grant_type"]
        offered = (Client.GRANT_AUTHORIZATION_CODE, Client.GRANT_CLIENT_CREDENTIALS, Client.GRANT_DEVICE_CODE)
        grants.choices = [choice for choice in Client.GRANT_TYPES if choice[0] in offered]


@admin.register(Client)
class ClientAdmin(SuperusersOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """A client's secret is made here and shown once."""

    section = SECTION
    form = ClientForm
    list_display = ("client_id", "name", "client_type", "authorization_grant_type", "user", "is_enabled")
    list_select_related = ("user",)
    search_fields = ("client_id", "name")
    autocomplete_fields = ("user",)
    actions = ("disable", "enable", "renew_secret")

    @admin.display(boolean=True, description="enabled")
    def is_enabled(self, client: Client) -> bool:
        return client.disabled_at is None

    def save_model(self, request: HttpRequest, obj: Client, form: Any, change: bool) -> None:
        if not change:
            obj.hash_client_secret, obj.client_secret = False, ""
            if obj.client_type == Client.CLIENT_CONFIDENTIAL:
                request.issued_secrets = [(obj, obj.new_secret())]  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)

    def response_add(self, request: HttpRequest, obj: Client, post_url_continue: str | None = None) -> HttpResponse:
        issued = getattr(request, "issued_secrets", [])
        return self.secrets_page(request, issued) if issued else super().response_add(request, obj, post_url_continue)

    def secrets_page(self, request: HttpRequest, issued: list[tuple[Client, str]]) -> HttpResponse:
        """The secrets, now and never again: in the page itself, not in a message, which would travel in a cookie."""
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Client secret",
            "issued": issued,
        }
        return TemplateResponse(request, "issuer/admin_secret.html", context)

    @admin.action(description="Disable these clients and all their tokens")
    def disable(self, request: HttpRequest, queryset: Any) -> None:
        self.change_all(request, queryset.filter(disabled_at=None), "disable", timezone.now())

    @admin.action(description="Enable these clients")
    def enable(self, request: HttpRequest, queryset: Any) -> None:
        self.change_all(request, queryset.exclude(disabled_at=None), "enable", None)

    def change_all(self, request: HttpRequest, queryset: Any, verb: str, moment: Any) -> None:
        with transaction.atomic():
            changed = list(queryset)
            Client.objects.filter(pk__in=[client.pk for client in changed]).update(disabled_at=moment)
            record_admin(request, changed, verb, {})
        messages.success(request, f"{len(changed)} clients: {verb} done.")

    @admin.action(description="Give these clients a new secret")
    def renew_secret(self, request: HttpRequest, queryset: Any) -> HttpResponse:
        issued = []
        with transaction.atomic():
            for client in queryset.filter(client_type=Client.CLIENT_CONFIDENTIAL):
                issued.append((client, client.new_secret()))
                client.save(update_fields=["client_secret", "hash_client_secret"])
            record_admin(request, [client for client, _ in issued], "renew-secret", {})
        return self.secrets_page(request, issued)


class ReadOnly(SuperusersOnly):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(OauthToken)
class SignedInAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Tokens that programs hold: who is signed in where, and a way to end it."""

    section = SECTION
    list_display = ("id", "user", "application", "scope", "created", "expires")
    list_select_related = ("user", "application")
    list_filter = ("application",)
    search_fields = ("user__username", "application__client_id")
    fields = ("user", "application", "scope", "resource", "created", "expires")
    actions = ("sign_out",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(description="End these tokens and those that could follow them")
    def sign_out(self, request: HttpRequest, queryset: Any) -> None:
        with transaction.atomic():
            ended = list(queryset)
            record_admin(request, ended, "revoke", {})
            for token in ended:
                revoke_access_token(token)
        messages.success(request, f"{len(ended)} tokens were ended.")


@admin.register(SigningKey)
class SigningKeyAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """The keys, to look at: they are made and withdrawn by `manage.py rotate_signing_key`."""

    section = SECTION
    list_display = ("kid", "created_at", "signs_from", "retires_at")
    fields = ("kid", "public_pem", "created_at", "signs_from", "retires_at")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
