"""The pages that people see: sign-in, consent, and the code of a device.

They work without script. A form's target must be allowed by the page's policy (`form-action`), and browsers hold
that against where the reply redirects to as well: the address of the client, once it is found to be the client's own,
is therefore added to the policy of the page that leads there.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django import forms
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, redirect_to_login
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from oauth2_provider.models import get_device_grant_model
from oauth2_provider.views.base import AuthorizationView

from portal.accounts.actor import Actor
from portal.accounts.issuer import device
from portal.accounts.issuer.endpoints import core
from portal.accounts.issuer.models import Client
from portal.accounts.models import User
from portal.admin_site import sign_in as password_limits
from portal.audit import operation as audit
from portal.audit.ledger import clean_free_text
from portal.audit.middleware import source_ip
from portal.audit.models import AuditEvent
from portal.wire import responses
from portal.wire.security import PAGE_POLICY

SIGN_IN = "/oauth/sign-in"
WRONG_CODES = 10
WRONG_CODES_WINDOW = timedelta(minutes=15)
SCOPE_TEXTS = {
    "openid": "know who you are: your user name and your groups",
    "profile": "see your name",
    "email": "see your e-mail address",
}


def page(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """A page of the issuer: never kept in a cache, absent while the built-in issuer is off."""

    @wraps(view)
    def guarded(request: HttpRequest, **parts: Any) -> HttpResponseBase:
        if not settings.BUILT_IN_ISSUER:
            return responses.not_routed(request)
        return view(request, **parts)

    decorated: Callable[..., HttpResponseBase] = never_cache(csrf_protect(guarded))
    decorated.is_public = True  # type: ignore[attr-defined]
    return decorated


class SignInForm(AuthenticationForm):
    """User name and password of a person."""

    error_messages = {
        "invalid_login": "That user name and password do not fit together. Both are case-sensitive.",
        "inactive": "This account is not active. Ask an administrator.",
    }

    def confirm_login_allowed(self, user: Any) -> None:
        """Raise `ValidationError` for whoever has no business at a sign-in page."""
        if not isinstance(user, User) or user.is_machine or not user.is_usable:
            raise ValidationError(self.error_messages["inactive"], code="inactive")


class SignIn(LoginView):
    """Asks for user name and password, and goes on to where the person came from."""

    form_class = SignInForm
    template_name = "issuer/sign_in.html"
    next_page = "/oauth/device"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        name = clean_free_text(request.POST.get("username", ""), 255)
        if password_limits.is_limited(name, source_ip(request)):
            seconds = round(password_limits.WINDOW.total_seconds())
            context = {
                "title": "Too many tries",
                "text": "Too many failed sign-ins. Try again in a quarter of an hour.",
            }
            response = render(request, "issuer/message.html", context, status=429)
            response["Retry-After"] = str(seconds)
            return response
        return super().post(request, *args, **kwargs)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = super().dispatch(request, *args, **kwargs)
        allow_target(request, response, parse_qs(urlsplit(self.get_redirect_url()).query))
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        asked = parse_qs(urlsplit(self.get_redirect_url()).query)
        return {**super().get_context_data(**kwargs), "client": client_of(asked)}


class Authorize(AuthorizationView):  # type: ignore[misc]
    """The authorization endpoint: asks for consent where the client is not our own, then gives the code."""

    template_name = "issuer/consent.html"
    login_url = SIGN_IN

    @classmethod
    def get_oauthlib_core(cls) -> Any:
        return core()

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user: Any = request.user
        if user.is_authenticated and (user.is_machine or not user.is_usable):
            logout(request)
        # Consent is asked for each time: a parameter of the toolkit's would let the program decide otherwise.
        request.GET = request.GET.copy()  # type: ignore[assignment]
        request.GET.pop("approval_prompt", None)  # type: ignore[misc]
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        allow_target(request, response, {key: request.GET.getlist(key) for key in request.GET})
        note_decision(request, response)
        return response

    def render_to_response(self, context: dict[str, Any], **options: Any) -> HttpResponse:
        """The consent page, or what is wrong with the request where nobody can be redirected."""
        if "error" not in context:
            texts = [SCOPE_TEXTS.get(scope, scope) for scope in context.get("scopes", ())]
            host = urlsplit(context.get("redirect_uri") or "").netloc
            shown = {**context, "texts": texts, "host": host}
            return render(self.request, self.template_name, shown, status=options.get("status"))
        error = context["error"]
        text = getattr(error, "description", "") or getattr(error, "error", "")
        shown = {
            "title": "This sign-in cannot go on",
            "text": f"The program that sent you here has made a mistake: {text}",
        }
        return render(self.request, "issuer/message.html", shown, status=options.get("status", 400))


def note_decision(request: HttpRequest, response: HttpResponseBase) -> None:
    """Name the event: who let which client in, or refused."""
    opened = audit.current()
    if opened is not None and request.method == "POST":
        opened.action = "oauth:consent"
        opened.target = audit.Target("Client", name=clean_free_text(request.POST.get("client_id", ""), 253))
        opened.reason = {"given": "allow" in request.POST}


def client_of(asked: dict[str, list[str]]) -> Client | None:
    """The client that an authorization request names."""
    found: Client | None = Client.objects.filter(client_id=(asked.get("client_id") or [""])[0][:255]).first()
    return found


def allow_target(request: HttpRequest, response: HttpResponseBase, asked: dict[str, list[str]]) -> None:
    """Let the page's forms lead to the client's own address."""
    client, uri = client_of(asked), (asked.get("redirect_uri") or [""])[0]
    if client is None or not uri or not client.redirect_uri_allowed(uri):
        return
    parts = urlsplit(uri)
    policy = PAGE_POLICY.format(nonce=getattr(request, "csp_nonce", ""))
    origin = f"{parts.scheme}://{parts.netloc}"
    response["Content-Security-Policy"] = policy.replace("form-action 'self'", f"form-action 'self' {origin}")


class DeviceForm(forms.Form):
    user_code = forms.CharField(max_length=40, label="Code")


def device_page(request: HttpRequest) -> HttpResponse:
    """GET asks for the code of a device; with the right one it shows which program asks. POST decides."""
    user: Any = request.user
    if not user.is_authenticated or user.is_machine or not user.is_usable:
        return redirect_to_login(request.get_full_path(), SIGN_IN)
    given = request.POST if request.method == "POST" else request.GET
    form = DeviceForm(given if given.get("user_code") else None)
    if not form.is_bound or not form.is_valid():
        return render(request, "issuer/device.html", {"form": form})
    if has_guessed_too_often(user):
        context = {"title": "Too many tries", "text": "Too many wrong codes. Try again in a quarter of an hour."}
        return render(request, "issuer/message.html", context, status=429)
    held = device.waiting(form.cleaned_data["user_code"])
    if held is None:
        note_device(user, "", "denied")
        form.add_error(
            "user_code", "No device waits with that code. It may be misspelt, used or older than 10 minutes."
        )
        return render(request, "issuer/device.html", {"form": form}, status=400)
    client = Client.objects.get(client_id=held.client_id)
    decision = request.POST.get("decision") if request.method == "POST" else None
    if decision not in ("allow", "deny"):
        texts = [SCOPE_TEXTS.get(scope, scope) for scope in held.scope.split()]
        code = f"{held.user_code[:4]}-{held.user_code[4:]}"
        return render(request, "issuer/device_consent.html", {"client": client, "texts": texts, "code": code})
    model = get_device_grant_model()
    status = model.AUTHORIZED if decision == "allow" else model.DENIED
    # Only one decision counts, whoever else has the page open.
    decided = model.objects.filter(pk=held.pk, status=model.AUTHORIZATION_PENDING).update(status=status, user=user)
    if not decided:
        return redirect("/oauth/device")
    note_device(user, client.client_id, "success", given=decision == "allow")
    text = f"{client.name or client.client_id} is signed in as {user.get_username()}. You can close this page."
    context = {"title": "Device signed in", "text": text}
    if decision == "deny":
        context = {"title": "Device refused", "text": "The device was not signed in. You can close this page."}
    return render(request, "issuer/message.html", context)


def has_guessed_too_often(user: User) -> bool:
    """Whether that person has typed too many codes that nobody shows (RFC 8628, section 5.1)."""
    wrong = AuditEvent.objects.system("count wrong device codes").filter(
        actor=user.get_username(),
        action="oauth:device-consent",
        outcome=AuditEvent.Outcome.DENIED,
        recorded_at__gte=timezone.now() - WRONG_CODES_WINDOW,
    )
    return bool(wrong[:WRONG_CODES].count() >= WRONG_CODES)


def note_device(user: User, client_id: str, outcome: str, **details: Any) -> None:
    """Write the event of a decision, or of a wrong code."""
    opened = audit.current()
    if opened is None:
        return
    opened.action, opened.credential = "oauth:device-consent", "session"
    opened.target = audit.Target("Client", name=client_id)
    opened.actor = opened.actor or Actor(user.get_username(), "human", "form")
    audit.conclude(opened, outcome, None, details)


def sign_out(request: HttpRequest) -> HttpResponse:
    """POST ends the session; GET asks first."""
    if request.method != "POST":
        return render(request, "issuer/sign_out.html", {})
    logout(request)
    context = {"title": "Signed out", "text": "You are signed out here. Programs keep their own tokens."}
    return render(request, "issuer/message.html", context)
