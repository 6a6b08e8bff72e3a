"""Verification of signed tokens (JWT, RFC 7519 and 8725): a text in, its claims out, or a refusal.

Nothing here knows HTTP, the database or where keys come from. A token names its issuer; only an issuer that we trust
has a `KeySource`, and only the key that the token names (`kid`) is tried, with an algorithm that is on the list and
fits the key. What a token says about where its key could be found (`jku`, `x5u`, `jwk`, `x5c`) is never looked at.

Refusals carry the contract's codes: `INVALID_TOKEN` for what is not a good signature on a token that has not ended,
`INVALID_CLAIMS` for a good token that is not for us. Why is for the log; whoever sent it is not told.
"""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

MAX_BYTES = 64 * 1024
MAX_KID = 256
RSA_BITS = 2048
LEEWAY_SECONDS = 30
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Every algorithm that a setting may allow. The symmetric ones (HS…) and `none` are not among them and cannot be."""
CURVES = {"ES256": "secp256r1", "ES384": "secp384r1", "ES512": "secp521r1"}
TYPES = frozenset({"", "jwt", "at+jwt"})
"""Values of the header `typ`, lower case and without `application/`, that an access token may have."""
PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey | Ed448PublicKey


class Refused(Exception):
    """The token does not count. `code` is the contract's; the text is for the log."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True)
class VerificationKey:
    """A public key, and the one algorithm that it is for ("" if its publisher does not say)."""

    key: PublicKey
    algorithm: str = ""


class KeySource(Protocol):
    """Where an issuer's public keys come from: its JWKS over HTTP, or our own tables."""

    def key(self, kid: str) -> VerificationKey | None:
        """The key of that id, None if the issuer has none. Raises nothing: keys that cannot be had are none."""


def verify(
    token: str,
    *,
    issuer: str,
    audiences: Sequence[str],
    keys: KeySource,
    algorithms: Sequence[str] = ALGORITHMS,
    leeway: float = LEEWAY_SECONDS,
) -> dict[str, Any]:
    """The claims of an access token of that issuer for one of the audiences; none named means any. Raises `Refused`."""
    header, claims = unverified(token)
    if claims.get("iss") != issuer:
        raise Refused("INVALID_CLAIMS", "another issuer")
    algorithm, kid = checked_header(header, algorithms)
    key = keys.key(kid)
    if key is None:
        raise Refused("INVALID_TOKEN", f"the issuer has no key {kid!r}")
    if not fits(key, algorithm):
        raise Refused("INVALID_TOKEN", f"key {kid!r} is not for {algorithm}")
    options: Any = {"require": ["exp", "iss", "aud", "sub"], "verify_aud": bool(audiences), "verify_jti": False}
    try:
        claims = jwt.decode(
            token,
            key.key,
            algorithms=[algorithm],
            audience=list(audiences) or None,
            issuer=issuer,
            leeway=leeway,
            options=options,
        )
    except (
        jwt.InvalidAudienceError,
        jwt.InvalidIssuerError,
        jwt.exceptions.InvalidSubjectError,
        jwt.MissingRequiredClaimError,
    ) as error:
        raise Refused("INVALID_CLAIMS", str(error)) from None
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError) as error:
        raise Refused("INVALID_TOKEN", f"{type(error).__name__}: {error}") from None
    check_purpose(claims)
    return claims


def unverified(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims before anything is proved; a key that stands twice is refused, for readers differ about it."""
    if len(token) > MAX_BYTES:
        raise Refused("INVALID_TOKEN", "too long")
    parts = token.split(".")
    if len(parts) != 3:
        raise Refused("INVALID_TOKEN", "not three parts")
    return decoded(parts[0]), decoded(parts[1])


def decoded(part: str) -> dict[str, Any]:
    """A part of a token as a JSON object. Raises `Refused`."""
    try:
        text = urlsafe_b64decode(part + "=" * (-len(part) % 4))
        value = json.loads(text, object_pairs_hook=without_duplicates, parse_constant=no_constant)
    except (binascii.Error, ValueError, RecursionError):
        raise Refused("INVALID_TOKEN", "unreadable") from None
    if not isinstance(value, dict):
        raise Refused("INVALID_TOKEN", "not an object")
    return value


def without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def no_constant(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


def checked_header(header: Mapping[str, Any], algorithms: Sequence[str]) -> tuple[str, str]:
    """The algorithm and the key's id. Raises `Refused`."""
    algorithm, kid = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in algorithms or algorithm not in ALGORITHMS:
        raise Refused("INVALID_TOKEN", f"algorithm {algorithm!r}")
    if not isinstance(kid, str) or not 0 < len(kid) <= MAX_KID:
        raise Refused("INVALID_TOKEN", "no usable kid")
    if "crit" in header or "b64" in header:
        raise Refused("INVALID_TOKEN", "an extension that must be understood")
    kind = header.get("typ", "")
    if not isinstance(kind, str) or kind.lower().removeprefix("application/") not in TYPES:
        raise Refused("INVALID_TOKEN", f"a token of type {kind!r}")
    return algorithm, kid


def fits(held: VerificationKey, algorithm: str) -> bool:
    """Whether the key is of the algorithm's family and strength, and not reserved for another algorithm."""
    if held.algorithm not in ("", algorithm):
        return False
    key = held.key
    if algorithm in CURVES:
        return isinstance(key, EllipticCurvePublicKey) and key.curve.name == CURVES[algorithm]
    if algorithm == "EdDSA":
        return isinstance(key, Ed25519PublicKey | Ed448PublicKey)
    return isinstance(key, RSAPublicKey) and key.key_size >= RSA_BITS


def check_purpose(claims: Mapping[str, Any]) -> None:
    """Refuse what is signed by the issuer but no access token: an id token, a refresh token, a logout token."""
    # Marks of OpenID Connect Core §2, of RFC 8417, and of issuers that write the sort into the claims.
    marks = {"nonce", "at_hash", "c_hash", "s_hash", "events"} & claims.keys()
    if marks:
        raise Refused("INVALID_CLAIMS", f"no access token: it has {min(marks)}")
    for claim in ("token_use", "typ", "token_type"):
        said = claims.get(claim)
        if said is not None and str(said).lower() not in ("access", "access_token", "bearer", "jwt", "at+jwt"):
            raise Refused("INVALID_CLAIMS", f"no access token: {claim} is {said!r}")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject or len(subject) > 255 or not subject.isprintable():
        raise Refused("INVALID_CLAIMS", "no usable sub")
