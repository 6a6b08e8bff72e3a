"""The endpoints that programs call: token, revocation, device authorization, keys, userinfo."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any
from urllib.parse import unquote_plus

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.debug import sensitive_post_parameters
from oauth2_provider.oauth2_backends import OAuthLibCore, get_oauthlib_core

from portal.access.bearer import Unauthenticated, authenticate
from portal.accounts.actor import Actor
from portal.accounts.issuer import claims, device, keys, limits
from portal.accounts.issuer.models import Client
from portal.accounts.jwt_verification import unverified
from portal.audit import operation as audit
from portal.audit.ledger import clean_free_text
from portal.audit.middleware import source_ip
from portal.wire import responses
from portal.wire.request_ids import server_request_id

View = Callable[[HttpRequest], HttpResponse]


@lru_cache(maxsize=1)
def core() -> OAuthLibCore:
    """The protocol's server, made when the first program comes."""
    return get_oauthlib_core()


def for_programs(*methods: str) -> Callable[[View], View]:
    """A view without session, token or CSRF check, for these methods; absent while the built-in issuer is off."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest) -> HttpResponse:
            if not settings.BUILT_IN_ISSUER:
                return responses.not_routed(request)
            method = "GET" if request.method == "HEAD" else request.method
            return view(request) if method in methods else responses.method_not_allowed(methods)

        guarded.is_public = True  # type: ignore[attr-defined]
        guarded.csrf_exempt = True  # type: ignore[attr-defined]
        return guarded

    return decorate


@for_programs("POST")
@sensitive_post_parameters("client_secret", "refresh_token", "code", "code_verifier", "subject_token", "device_code")
def token(request: HttpRequest) -> HttpResponse:
    """POST: a token for a grant (RFC 6749, section 3.2); each answer is an event of the audit."""
    client_id = clean_free_text(client_id_of(request), 253)
    if limits.has_failed_too_often(client_id, source_ip(request)):
        leave_no_event()
        return refused("slow_down", "Too many requests were refused. Try again later.", 429, limits.WINDOW.seconds)
    _, headers, body, status = core().create_token_response(request)
    answer = json.loads(body)
    note(request, client_id, status, answer)
    response = HttpResponse(body, status=status, content_type="application/json")
    for name, value in headers.items():
        response[name] = value
    response["Cache-Control"], response["Pragma"] = "no-store", "no-cache"
    return response


def client_id_of(request: HttpRequest) -> str:
    """Who asks, by its own word: in the form, or as the user of a Basic header."""
    if "client_id" in request.POST:
        return request.POST["client_id"]
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return unquote_plus(base64.b64decode(given).decode().partition(":")[0])
    except (binascii.Error, UnicodeDecodeError):
        return ""


def note(request: HttpRequest, client_id: str, status: int, answer: dict[str, Any]) -> None:
    """Write the event: who got a token by which grant, or why not."""
    opened = audit.current()
    error = answer.get("error", "")
    if opened is None:
        return
    if error in ("authorization_pending", "slow_down"):
        leave_no_event()
        return
    is_proved = error != "invalid_client"
    client = Client.objects.select_related("user").filter(client_id=client_id).first() if is_proved else None
    name, kind = actor_of(client, answer)
    opened.actor = Actor(name, kind, "rest", server_request_id(request))
    opened.action, opened.credential = limits.ACTION, f"client:{client_id}" if client else ""
    opened.target = audit.Target("Client", name=client_id)
    details = {"grant": clean_free_text(request.POST.get("grant_type", ""), 80)}
    if status == 200:
        said = spoken(answer["access_token"])
        details |= {"scope": answer.get("scope", ""), "audience": said["aud"], "subject": said["sub"]}
        if "act" in said:
            opened.on_behalf_of = said["sub"]
    else:
        details["error"] = error
    audit.conclude(opened, "success" if status == 200 else "denied", status, details)


def leave_no_event() -> None:
    """A device that waits changes nothing; of who has been refused too often the log has enough."""
    opened = audit.current()
    if opened is not None:
        opened.is_rehearsal = True


def actor_of(client: Client | None, answer: dict[str, Any]) -> tuple[str, Any]:
    """Who acts: the client's own account, else the person that the token is for, else nobody known."""
    if client is not None and client.bound_user is not None:
        return client.bound_user.get_username(), client.bound_user.principal_kind
    if "access_token" in answer:
        return spoken(answer["access_token"])["sub"], "human"
    return audit.ANONYMOUS.name, audit.ANONYMOUS.kind


def spoken(text: str) -> dict[str, Any]:
    """The claims of a token that we have just signed."""
    return unverified(text)[1]


@for_programs("POST")
def revoke(request: HttpRequest) -> HttpResponse:
    """POST: end a token of one's own (RFC 7009). 200 also for a token that is not known."""
    opened = audit.current()
    client_id = clean_free_text(client_id_of(request), 253)
    if opened is not None:
        opened.action, opened.target = "oauth:revoke", audit.Target("Client", name=client_id)
    _, headers, body, status = core().create_revocation_response(request)
    response = HttpResponse(body or "", status=status, content_type="application/json")
    for name, value in headers.items():
        response[name] = value
    response["Cache-Control"] = "no-store"
    return response


@for_programs("POST")
def device_authorization(request: HttpRequest) -> HttpResponse:
    """POST: codes for a device (RFC 8628, section 3.1)."""
    client = Client.objects.filter(client_id=request.POST.get("client_id", "")[:255]).first()
    opened = audit.current()
    if opened is not None:
        opened.action = limits.DEVICE_ACTION
        opened.target = audit.Target("Client", name=clean_free_text(client_id_of(request), 253))
    if limits.has_begun_too_often(source_ip(request)):
        leave_no_event()
        return refused("slow_down", "Too many codes were asked for. Try again later.", 429, limits.WINDOW.seconds)
    if client is None or not client.is_usable(None):
        return refused("invalid_client", "No such client.", 401)
    if client.client_type == Client.CLIENT_CONFIDENTIAL and not client.has_secret(
        request.POST.get("client_secret", "")
    ):
        return refused("invalid_client", "Its secret is needed.", 401)
    if not client.allows_grant_type(Client.GRANT_DEVICE_CODE):
        return refused("unauthorized_client", "This client does not use the device grant.")
    scopes = request.POST.get("scope", "").split() or list(claims.SCOPES)
    if not set(scopes) <= set(claims.SCOPES):
        return refused("invalid_scope", f"Scopes are {', '.join(claims.SCOPES)}.")
    response = JsonResponse(device.begin(client.client_id, scopes))
    response["Cache-Control"] = "no-store"
    return response


def refused(error: str, description: str, status: int = 400, retry_after: int = 0) -> HttpResponse:
    """An error of the protocol (RFC 6749, section 5.2)."""
    response = JsonResponse({"error": error, "error_description": description}, status=status)
    response["Cache-Control"] = "no-store"
    if retry_after:
        response["Retry-After"] = str(retry_after)
    return response


@for_programs("GET")
def key_set(request: HttpRequest) -> HttpResponse:
    """GET: the keys that our tokens are signed with."""
    response = JsonResponse(keys.key_set())
    response["Cache-Control"] = f"public, max-age={keys.MAX_AGE}"
    return response


@for_programs("GET", "POST")
def userinfo(request: HttpRequest) -> HttpResponse:
    """GET: what is known of the person that a token of ours stands for (OpenID Connect Core, section 5.3)."""
    try:
        identity = authenticate(request)
        if not identity.is_authenticated:
            raise Unauthenticated("MISSING_TOKEN")  # security is off: there is nobody to tell of
    except Unauthenticated as error:
        response = responses.authentication_error(error.code, error.message)
        response["WWW-Authenticate"] = 'Bearer error="invalid_token"'
        return response
    person = identity.acting_for or identity
    response = JsonResponse(claims.person_claims(person.user, claims.SCOPES))
    response["Cache-Control"] = "no-store"
    return response
