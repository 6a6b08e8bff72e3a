"""What programs read first: the documents under `/.well-known`.

The shape of the protected resource's is the contract's, with its two extensions: the clients that OpenChoreo's own
programs use, and whether anybody is asked who they are. It is complete even when security is off, for `occ` falls back
to "please log in" otherwise. Where an outside issuer is set, it comes first, and our own documents lead to it.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from portal.accounts.issuer import claims
from portal.accounts.issuer.device import GRANT_DEVICE
from portal.accounts.issuer.exchange import GRANT_EXCHANGE
from portal.accounts.issuer.keys import ALGORITHM
from portal.accounts.issuer.models import Client
from portal.wire import responses

METADATA = "/.well-known/oauth-protected-resource"
RESOURCE_NAMES = {"/observer/mcp": "OpenChoreo Observer MCP Server"}
RESOURCE_NAME = "OpenChoreo MCP Server"
CLI = "openchoreo-cli"


def protected_resource(request: HttpRequest, path: str = "/mcp") -> HttpResponse:
    """GET: which issuers are trusted, and the clients to use there (RFC 9728), for the MCP endpoint at a path."""
    return responses.json_body(
        {
            "authorization_servers": authorization_servers(),
            "bearer_methods_supported": ["header"],
            "openchoreo_clients": advertised_clients(),
            "openchoreo_security_enabled": settings.SECURITY_ENABLED,
            "resource": f"{claims.issuer()}{path}",
            "resource_name": RESOURCE_NAMES.get(path, RESOURCE_NAME),
            "scopes_supported": list(claims.SCOPES),
        }
    )


def authorization_servers() -> list[str]:
    """The issuers that a program may use, the one to prefer first."""
    ours = [claims.issuer()] if settings.BUILT_IN_ISSUER else []
    outside = [settings.OIDC_ISSUER] if settings.OIDC_ISSUER else []
    return outside + ours or [claims.issuer()]


def advertised_clients() -> list[dict[str, Any]]:
    """The clients of OpenChoreo's own programs, by name: those of the outside issuer if there is one, else ours."""
    if settings.OIDC_ISSUER:
        known = dict(entry.partition("=")[::2] for entry in settings.OIDC_CLIENTS)
    else:
        rows = Client.objects.exclude(advertised_as="").filter(disabled_at=None)
        known = dict(rows.values_list("advertised_as", "client_id"))
    known.setdefault("cli", CLI)
    return [{"client_id": known[name], "name": name, "scopes": list(claims.SCOPES)} for name in sorted(known)]


def openid_configuration(request: HttpRequest) -> HttpResponse:
    """GET: our endpoints (OpenID Connect Discovery; RFC 8414 has the same document)."""
    if settings.OIDC_ISSUER and not settings.BUILT_IN_ISSUER:
        return HttpResponseRedirect(f"{settings.OIDC_ISSUER.rstrip('/')}/.well-known/openid-configuration")
    here = claims.issuer()
    return responses.json_body(
        {
            "authorization_endpoint": f"{here}/oauth/authorize",
            "authorization_response_iss_parameter_supported": True,
            "claims_supported": ["sub", "groups", "preferred_username", "name", "email", "email_verified"],
            "code_challenge_methods_supported": ["S256"],
            "device_authorization_endpoint": f"{here}/oauth/device_authorization",
            "end_session_endpoint": f"{here}/oauth/sign-out",
            "grant_types_supported": [
                "authorization_code",
                "client_credentials",
                "refresh_token",
                GRANT_DEVICE,
                GRANT_EXCHANGE,
            ],
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "issuer": here,
            "jwks_uri": f"{here}/oauth/jwks",
            "response_modes_supported": ["query"],
            "response_types_supported": ["code"],
            "revocation_endpoint": f"{here}/oauth/revoke",
            "scopes_supported": list(claims.SCOPES),
            "subject_types_supported": ["public"],
            "token_endpoint": f"{here}/oauth/token",
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
            "userinfo_endpoint": f"{here}/oauth/userinfo",
        }
    )


def challenge(path: str = "/mcp") -> str:
    """`WWW-Authenticate` of an MCP endpoint's 401: where to read how to sign in."""
    document = METADATA if path == "/mcp" else f"{METADATA}{path}"
    return f'Bearer resource_metadata="{claims.issuer()}{document}", scope="{" ".join(claims.SCOPES)}"'


def challenged(code: str, message: str, path: str = "/mcp") -> HttpResponse:
    """An MCP endpoint's 401, by contract."""
    response = responses.authentication_error(code, message)
    response["WWW-Authenticate"] = challenge(path)
    return response
