"""The protocol as we offer it: oauthlib's server with five grants, and who may use which.

Authorization code with PKCE (S256 only), client credentials, refresh, device, token exchange. There is no implicit
grant and no password grant, so no setting can bring them back.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from oauth2_provider.models import (
    AbstractApplication,
    get_access_token_model,
    get_grant_model,
    get_refresh_token_model,
    revoke_access_token,
)
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauthlib.oauth2.rfc6749 import errors
from oauthlib.oauth2.rfc6749.endpoints import AuthorizationEndpoint, RevocationEndpoint, TokenEndpoint
from oauthlib.oauth2.rfc6749.grant_types import AuthorizationCodeGrant as PlainCodeGrant
from oauthlib.oauth2.rfc6749.grant_types import ClientCredentialsGrant
from oauthlib.oauth2.rfc6749.grant_types.authorization_code import code_challenge_method_s256
from oauthlib.openid.connect.core.grant_types import AuthorizationCodeGrant, RefreshTokenGrant
from oauthlib.openid.connect.core.grant_types.dispatchers import (
    AuthorizationCodeGrantDispatcher,
    AuthorizationTokenGrantDispatcher,
)

from portal.accounts.issuer import claims, tokens
from portal.accounts.issuer.device import GRANT_DEVICE, DeviceGrantType
from portal.accounts.issuer.exchange import GRANT_EXCHANGE, TokenExchangeGrant
from portal.accounts.issuer.models import GRANT_TOKEN_EXCHANGE, Client
from portal.accounts.jwt_verification import Refused, unverified
from portal.accounts.models import digest_of
from portal.audit import operation as audit

GRANTS = {
    "authorization_code": (AbstractApplication.GRANT_AUTHORIZATION_CODE,),
    "client_credentials": (AbstractApplication.GRANT_CLIENT_CREDENTIALS,),
    "refresh_token": (AbstractApplication.GRANT_AUTHORIZATION_CODE, AbstractApplication.GRANT_DEVICE_CODE),
    GRANT_DEVICE: (AbstractApplication.GRANT_DEVICE_CODE,),
    GRANT_EXCHANGE: (GRANT_TOKEN_EXCHANGE,),
}
CODES_REMEMBERED = timedelta(minutes=10)
S256_ONLY = {"S256": code_challenge_method_s256}


class Server(AuthorizationEndpoint, TokenEndpoint, RevocationEndpoint):  # type: ignore[misc]
    """oauthlib's endpoints with our grants. The toolkit's further settings do not count here."""

    def __init__(self, request_validator: Any, *_: Any, **__: Any) -> None:
        bearer = tokens.Bearer(request_validator)
        plain_code, openid_code = PlainCodeGrant(request_validator), AuthorizationCodeGrant(request_validator)
        plain_code._code_challenge_methods = openid_code.proxy_target._code_challenge_methods = S256_ONLY
        AuthorizationEndpoint.__init__(
            self,
            default_response_type="code",
            response_types={"code": AuthorizationCodeGrantDispatcher(plain_code, openid_code)},
            default_token_type=bearer,
        )
        TokenEndpoint.__init__(
            self,
            default_grant_type="",
            grant_types={
                "authorization_code": AuthorizationTokenGrantDispatcher(request_validator, plain_code, openid_code),
                "client_credentials": ClientCredentialsGrant(request_validator),
                "refresh_token": RefreshTokenGrant(request_validator),
                GRANT_DEVICE: DeviceGrantType(request_validator),
                GRANT_EXCHANGE: TokenExchangeGrant(request_validator),
            },
            default_token_type=bearer,
        )
        RevocationEndpoint.__init__(self, request_validator)

    @property
    def default_grant_type_handler(self) -> Any:
        """For a grant that we do not offer, or none."""
        return UnknownGrant()


class UnknownGrant:
    def create_token_response(self, request: Any, token_handler: Any) -> Any:
        if not request.grant_type:
            raise errors.InvalidRequestError("Missing grant_type parameter.", request=request)
        raise errors.UnsupportedGrantTypeError(request=request)


class Validator(OAuth2Validator):  # type: ignore[misc]
    """The toolkit's validator, where ours is stricter or keeps things elsewhere."""

    oidc_claim_scope = None  # the claims know their scopes themselves

    def _check_secret(self, provided_secret: str, stored_secret: str) -> bool:
        return Client(client_secret=stored_secret).has_secret(provided_secret)

    def validate_grant_type(
        self, client_id: str, grant_type: str, client: Client, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        return grant_type in GRANTS and request.client.allows_grant_type(*GRANTS[grant_type])

    def validate_response_type(
        self, client_id: str, response_type: str, client: Client, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        return response_type == "code" and client.allows_grant_type(AbstractApplication.GRANT_AUTHORIZATION_CODE)

    def settle_resource(self, request: Any) -> None:
        """Set `request.resource` to the audiences of the token (RFC 8707). Raises `invalid_target`."""
        self._check_and_set_request_resource(request)

    def _validate_resource_uris(self, request: Any, resources: list[str]) -> None:
        for resource in resources:
            if resource.rstrip("/") not in claims.audiences():
                raise errors.CustomOAuth2Error(
                    error="invalid_target",
                    description=f"No token can be had for another resource than {' or '.join(claims.audiences())}.",
                    request=request,
                )
        resources[:] = [resource.rstrip("/") for resource in resources]

    def _save_bearer_token(self, token: Any, request: Any, *args: Any, **kwargs: Any) -> None:
        used = vars(request).get("refresh_token_instance")
        if used is not None:
            # Two requests may have found it unused; the one that comes second here gets nothing.
            held = get_refresh_token_model().objects.select_for_update().get(pk=used.pk)
            if held.revoked is not None:
                raise errors.InvalidGrantError(request=request)
        super()._save_bearer_token(token, request, *args, **kwargs)

    def _create_access_token(self, expires: Any, request: Any, token: Any, source_refresh_token: Any = None) -> Any:
        """The row of an access token: whose it is, and that it counts. The token itself is not kept."""
        row = get_access_token_model()(
            user=request.user or request.client.bound_user,
            scope=token["scope"],
            expires=expires,
            application=request.client,
            source_refresh_token=source_refresh_token,
            resource=request.resource,
        )
        # The row is found again by the token's `jti`, which is all that verified claims have of it.
        row._raw_token = unverified(token["access_token"])[1]["jti"]
        forget_ended(row)
        row.save()
        request.issued = row
        return row

    def validate_code(self, client_id: str, code: str, client: Client, request: Any, *args: Any, **kwargs: Any) -> bool:
        """As the toolkit's; a code that is shown again ends what came of it (RFC 6749, section 4.1.2)."""
        is_valid = bool(super().validate_code(client_id, code, client, request, *args, **kwargs))
        used = None if is_valid else get_grant_model().objects.filter(code=used_code(code), application=client).first()
        if used is not None:
            row = get_access_token_model().objects.filter(pk=used.claims).first()
            if row is not None:
                revoke_access_token(row)
            opened = audit.current()
            if opened is not None:
                opened.reason = {"code": "used a second time; the tokens that came of it are withdrawn"}
        return is_valid

    def invalidate_authorization_code(self, client_id: str, code: str, request: Any, *args: Any, **kwargs: Any) -> None:
        """Remember the code as used, and what came of it. Raises `invalid_grant` if another request was faster."""
        row = vars(request)["issued"]
        fresh = get_grant_model().objects.filter(code=code, application=request.client)
        if not fresh.update(code=used_code(code), claims=str(row.pk), expires=timezone.now() + CODES_REMEMBERED):
            revoke_access_token(row)
            raise errors.InvalidGrantError(request=request)

    def revoke_token(self, token: str, token_type_hint: str, request: Any, *args: Any, **kwargs: Any) -> None:
        """End a token of the client's own, and whatever hangs together with it; any other is left alone (RFC 7009)."""
        if "." in token:
            try:
                token = str(unverified(token)[1].get("jti"))
            except Refused:
                return
        super().revoke_token(token, token_type_hint, request, *args, **kwargs)

    def validate_refresh_token(
        self, refresh_token: str, client: Client, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        """As the toolkit's, which ends the whole family of one that is used twice; the audit learns of it."""
        is_valid = super().validate_refresh_token(refresh_token, client, request, *args, **kwargs)
        if not is_valid and was_used(refresh_token):
            opened = audit.current()
            if opened is not None:
                opened.reason = {"refreshToken": "used a second time; all tokens that came of it are withdrawn"}
        return bool(is_valid)

    def get_additional_claims(self, request: Any) -> dict[str, Any]:
        return claims.person_claims(request.user, request.scopes or ())

    def finalize_id_token(self, id_token: dict[str, Any], token: Any, token_handler: Any, request: Any) -> str:
        """The ID token, signed by the key that signs access tokens. No row: nobody shows it to us again."""
        said, _ = self.get_id_token_dictionary(token, token_handler, request)
        id_token.update(said)
        if "nonce" not in id_token and request.nonce:
            id_token["nonce"] = request.nonce
        return tokens.signed(id_token, "JWT")

    def get_oidc_issuer_endpoint(self, request: Any) -> str:
        return claims.issuer()


def forget_ended(row: Any) -> None:
    """Delete what has ended of that account's with that client, so that programs that sign in often leave no heap.

    Refresh tokens that were used stay as long as they could be shown again, for that is how a theft is noticed.
    """
    now = timezone.now()
    same = {"application": row.application, "user": row.user}
    expired = get_access_token_model().objects.filter(**same, expires__lt=now, refresh_token=None)
    expired.delete()
    get_grant_model().objects.filter(**same, expires__lt=now).delete()
    long_ago = now - timedelta(days=settings.ISSUER_REFRESH_DAYS)
    get_refresh_token_model().objects.filter(**same, revoked__lt=long_ago).delete()


def used_code(code: str) -> str:
    """How a code that was used is remembered."""
    return f"used:{digest_of(code)}"


def was_used(refresh_token: str) -> bool:
    """Whether that refresh token has been ours and is revoked."""
    held = get_refresh_token_model().objects.filter(token_checksum=digest_of(refresh_token))
    return bool(held.filter(revoked__isnull=False).exists())
