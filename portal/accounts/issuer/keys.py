"""The keys that sign tokens: made when first needed, sealed in the database, shared by all replicas.

A new key is published at once but signs only after `PUBLISH_FIRST`, when those who keep our key set have it; an old one
stays published until the last token that it can have signed has ended. Keys are RSA, for OpenChoreo's own parts read
no others. The id of a key is its thumbprint (RFC 7638).
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from datetime import timedelta
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from portal.accounts.issuer.models import Client, SigningKey, key_context
from portal.accounts.jwt_verification import VerificationKey
from portal.secrets import open_sealed, seal

ALGORITHM = "RS256"
BITS = 2048
MAX_AGE = 300
"""Seconds for which others may keep our key set without asking again."""
PUBLISH_FIRST = timedelta(seconds=2 * MAX_AGE)
RECHECK_SECONDS = 5.0


def current_key() -> tuple[str, rsa.RSAPrivateKey]:
    """The id and the key that signs now; made if there is none."""
    kid = _signing_kid(int(time.monotonic() / RECHECK_SECONDS))
    return kid, _private_key(kid)


@lru_cache(maxsize=1)
def _signing_kid(moment: int) -> str:
    """Asked of the database once in `RECHECK_SECONDS`: `moment` counts them."""
    return signing_row().kid


def signing_row() -> SigningKey:
    """The key that signs now; made if there is none."""
    now = timezone.now()
    published = SigningKey.objects.filter(Q(retires_at=None) | Q(retires_at__gt=now))
    # A key that has been replaced still verifies but signs no more; of the rest the newest whose time has come.
    found = published.filter(signs_from__lte=now).first() or published.last()
    return found or make_key(signs_from=now)


@lru_cache(maxsize=8)
def _private_key(kid: str) -> rsa.RSAPrivateKey:
    pem = open_sealed(SigningKey.objects.get(kid=kid).sealed, key_context(kid))
    key = serialization.load_pem_private_key(pem.reveal().encode(), password=None)
    assert isinstance(key, rsa.RSAPrivateKey)  # noqa: S101 - we make no others
    return key


def make_key(signs_from: Any) -> SigningKey:
    """A new key, stored."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
    public = private.public_key()
    kid = thumbprint(public)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    return SigningKey.objects.create(
        kid=kid,
        public_pem=public.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ).decode(),
        sealed=seal(pem, key_context(kid)),
        signs_from=signs_from,
    )


@transaction.atomic
def rotate(*, at_once: bool = False) -> SigningKey:
    """A new key in the place of all others. `at_once`: the old ones are withdrawn, and with them every token."""
    now = timezone.now()
    signs_from = now if at_once else now + PUBLISH_FIRST
    retires_at = now if at_once else signs_from + longest_lifetime()
    held = SigningKey.objects.filter(Q(retires_at=None) | Q(retires_at__gt=retires_at))
    if not at_once and not held.exists():
        signs_from = now
    held.update(retires_at=retires_at)
    made = make_key(signs_from)
    if at_once:
        from oauth2_provider.models import get_access_token_model

        get_access_token_model().objects.all().delete()
    forget()
    return made


def remove_retired() -> int:
    """Delete keys that are published no more. Returns how many."""
    return SigningKey.objects.filter(retires_at__lte=timezone.now()).delete()[0]


def longest_lifetime() -> timedelta:
    """How long the longest-lived token that has been signed just now lasts, with a minute for clocks."""
    longest = Client.objects.aggregate(Max("token_minutes"))["token_minutes__max"] or 0
    return timedelta(minutes=max(longest, settings.ISSUER_TOKEN_MINUTES) + 1)


def key_set() -> dict[str, Any]:
    """The published keys as JWKS (RFC 7517)."""
    signing_row()
    published = SigningKey.objects.filter(Q(retires_at=None) | Q(retires_at__gt=timezone.now()))
    return {
        "keys": [
            {**members(public_key(key.kid, key.public_pem)), "use": "sig", "alg": ALGORITHM, "kid": key.kid}
            for key in published
        ]
    }


def members(public: rsa.RSAPublicKey) -> dict[str, str]:
    """What makes up the public key (RFC 7518, section 6.3.1)."""
    numbers = public.public_numbers()
    return {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}


def number(value: int) -> str:
    raw = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def thumbprint(public: rsa.RSAPublicKey) -> str:
    """RFC 7638: the digest of the key's members in order."""
    canonical = json.dumps(members(public), sort_keys=True, separators=(",", ":"))
    return base64.urlsafe_b64encode(hashlib.sha256(canonical.encode()).digest()).decode().rstrip("=")


@lru_cache(maxsize=32)
def public_key(kid: str, pem: str) -> rsa.RSAPublicKey:
    key = serialization.load_pem_public_key(pem.encode())
    assert isinstance(key, rsa.RSAPublicKey)  # noqa: S101 - we make no others
    return key


class OwnKeys:
    """Our published keys as a `KeySource`: from the database, never over HTTP."""

    def key(self, kid: str) -> VerificationKey | None:
        """The key of that id, None if we publish none."""
        return _published(kid, int(time.monotonic() / RECHECK_SECONDS))


@lru_cache(maxsize=32)
def _published(kid: str, moment: int) -> VerificationKey | None:
    """Asked of the database once in `RECHECK_SECONDS`. That is soon enough: what must end at once are tokens, and
    these have rows."""
    row = SigningKey.objects.filter(kid=kid).first()
    if row is None or not row.is_published:
        return None
    return VerificationKey(public_key(row.kid, row.public_pem), ALGORITHM)


def forget() -> None:
    """Read the keys anew: after a rotation, and between tests."""
    _signing_kid.cache_clear()
    _private_key.cache_clear()
    _published.cache_clear()
