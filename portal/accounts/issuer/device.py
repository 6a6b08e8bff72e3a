"""The device grant (RFC 8628): a program without a browser shows a code, a person types it in on another device.

The device's half is here: it is given its codes, and asks with them for its token until the person has decided. The
person's half is a page (`pages`). Of the device code the database has only a digest, as of every other secret.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Any

from django.utils import timezone
from oauth2_provider.models import AbstractDeviceGrant, get_device_grant_model
from oauthlib.oauth2.rfc6749 import errors
from oauthlib.oauth2.rfc8628.errors import AccessDenied, AuthorizationPendingError, ExpiredTokenError, SlowDownError

from portal.accounts.issuer import claims
from portal.accounts.issuer.grants import OwnGrant

GRANT_DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
LIFETIME = timedelta(minutes=10)
INTERVAL = 5
LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
"""Consonants, as RFC 8628, section 6.1, advises: no words come of them, and each keyboard has them."""
CODE_LENGTH = 8


def begin(client_id: str, scopes: list[str]) -> dict[str, Any]:
    """A new pair of codes, as the device is told of them (RFC 8628, section 3.2)."""
    model = get_device_grant_model()
    model.objects.filter(expires__lt=timezone.now()).delete()
    device_code, user_code = secrets.token_urlsafe(32), new_user_code()
    model.objects.create(
        client_id=client_id,
        device_code=digest(device_code),
        user_code=user_code,
        scope=" ".join(scopes),
        interval=INTERVAL,
        expires=timezone.now() + LIFETIME,
    )
    page, shown = f"{claims.issuer()}/oauth/device", f"{user_code[:4]}-{user_code[4:]}"
    return {
        "device_code": device_code,
        "user_code": shown,
        "verification_uri": page,
        "verification_uri_complete": f"{page}?user_code={shown}",
        "expires_in": int(LIFETIME.total_seconds()),
        "interval": INTERVAL,
    }


def new_user_code() -> str:
    """Eight letters (34 bits) that no other device shows at this moment."""
    while True:
        code = "".join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH))
        if not get_device_grant_model().objects.filter(user_code=code).exists():
            return code


def waiting(user_code: str) -> AbstractDeviceGrant | None:
    """The device that shows that code and waits; typed in any case, with or without dashes and blanks."""
    letters = "".join(letter for letter in user_code.upper() if letter in LETTERS)
    model = get_device_grant_model()
    return model.objects.filter(
        user_code=letters, status=model.AUTHORIZATION_PENDING, expires__gt=timezone.now()
    ).first()


def digest(device_code: str) -> str:
    return hashlib.sha256(device_code.encode()).hexdigest()


class DeviceGrantType(OwnGrant):
    """The device asks for its token."""

    grant_type = GRANT_DEVICE
    required = ("device_code",)
    gives_refresh_token = True

    def create_token_response(self, request: Any, token_handler: Any) -> tuple[dict[str, str], str, int]:
        """As of every grant of ours; that the device has asked is kept even if the answer is no."""
        reply = super().create_token_response(request, token_handler)
        if reply[2] != 200 and isinstance(request.device_code, str):
            model = get_device_grant_model()
            model.objects.filter(device_code=digest(request.device_code)).update(last_checked=timezone.now())
        return reply

    def admit(self, request: Any) -> None:
        model = get_device_grant_model()
        held = model.objects.select_for_update().filter(device_code=digest(request.device_code)).first()
        if held is None or held.client_id != request.client.client_id:
            raise errors.InvalidGrantError(request=request)
        if held.expires <= timezone.now():
            raise ExpiredTokenError(request=request)
        if held.status == model.DENIED:
            raise AccessDenied(request=request)
        if held.status != model.AUTHORIZED:
            # `last_checked` is set when the codes are made, and by every earlier question.
            early = timezone.now() - held.last_checked < timedelta(seconds=held.interval - 1)
            raise SlowDownError(request=request) if early else AuthorizationPendingError(request=request)
        request.user, request.scopes = held.user, held.scope.split()
        held.delete()
