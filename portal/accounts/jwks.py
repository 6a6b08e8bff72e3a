"""The public keys of an outside issuer, fetched from its JWKS (RFC 7517) and kept in Django's cache.

* Fresh keys are used as they are. Stale ones are used too, while one thread fetches new ones behind the request; after
  `FORGET` they are no longer trusted.
* A key id that is not known, which is how a rotation is noticed, causes one fetch; then none for `PAUSE`, whoever asks.
* While the issuer is down, one request in `PAUSE` finds that out; the others do not wait for it.

The address of the keys is the setting's, or the one of the issuer's discovery document (OpenID Connect Discovery §4),
never one that a token names.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import jwt
import requests
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from django.core.cache import cache

from portal.accounts.jwt_verification import RSA_BITS, VerificationKey
from portal.wire import outgoing

log = logging.getLogger(__name__)
FRESH = 10 * 60.0
FORGET = 24 * 3600
PAUSE = 30
COLD_WAIT = 12.0
"""Seconds that a request waits for another's fetch when there are no keys at all."""
ROTATION_WAIT = 3.0
"""And for one more key id; of such requests, which anybody can send, only a few wait."""
WAITING_MAX = 4
MAX_KEYS = 100
MAX_BYTES = 256 * 1024
USABLE = ("RSA", "EC", "OKP")
PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "x5c", "x5u"})
"""Members that a verifier has no use for, and should not keep if an issuer publishes them by mistake."""


class RemoteKeys:
    """A `KeySource` over HTTP. `networks` are private networks where this issuer may be."""

    def __init__(self, issuer: str, jwks_url: str = "", networks: tuple[str, ...] = ()) -> None:
        self.issuer, self.jwks_url, self.networks = issuer, jwks_url, networks
        self.name = "jwks:" + sha256(f"{issuer} {jwks_url}".encode()).hexdigest()[:32]
        self.fetching = threading.Lock()
        self.waiting = threading.BoundedSemaphore(WAITING_MAX)

    def key(self, kid: str) -> VerificationKey | None:
        """The key of that id; fetches at most once in `PAUSE`. None if there is none or none can be had."""
        held = cache.get(self.name)
        if held is None or kid not in held["keys"]:
            held = self.refreshed(held)
        elif time.time() - held["at"] > FRESH:
            self.refresh_behind()
        return None if held is None or kid not in held["keys"] else parsed(held["keys"][kid])

    def refreshed(self, held: dict[str, Any] | None) -> dict[str, Any] | None:
        """The keys after a fetch, if one is due: this thread's, or that of another which is at it."""
        if held is not None and not self.waiting.acquire(blocking=False):
            return held
        try:
            return self.refreshed_in_turn(held)
        finally:
            if held is not None:
                self.waiting.release()

    def refreshed_in_turn(self, held: dict[str, Any] | None) -> dict[str, Any] | None:
        if not self.fetching.acquire(timeout=COLD_WAIT if held is None else ROTATION_WAIT):
            return held
        try:
            now: dict[str, Any] | None = cache.get(self.name)
            if now is not None and (held is None or now["at"] != held["at"]):
                return now  # somebody was quicker
            return self.fetched() or now if self.is_due() else now
        finally:
            self.fetching.release()

    def refresh_behind(self) -> None:
        """Fetch in a thread of its own, unless one does already or did a moment ago."""
        if self.fetching.locked() or not self.is_due():
            return

        def run() -> None:
            with self.fetching:
                self.fetched()

        threading.Thread(target=run, name="jwks", daemon=True).start()

    def is_due(self) -> bool:
        """Whether a fetch may be made now; true once in `PAUSE` over all that share the cache."""
        return bool(cache.add(f"{self.name}:pause", 1, PAUSE))

    def fetched(self) -> dict[str, Any] | None:
        """The issuer's keys as they are now, put into the cache; None, with a line in the log, if that fails."""
        try:
            found = keys_of(self.asked(self.jwks_url or self.discovered()))
        except (requests.RequestException, ValueError, OSError) as error:
            log.warning("the keys of %s cannot be fetched: %s", self.issuer, error)
            return None
        held = {"at": time.time(), "keys": found}
        cache.set(self.name, held, FORGET)
        return held

    def discovered(self) -> str:
        """The address that the issuer's discovery document names. It must speak of this very issuer."""
        document = self.asked(self.issuer.rstrip("/") + "/.well-known/openid-configuration")
        if document.get("issuer") != self.issuer:
            raise ValueError("its discovery document is of another issuer")
        url = document.get("jwks_uri")
        if not isinstance(url, str):
            raise ValueError("its discovery document names no jwks_uri")
        if urlsplit(self.issuer).scheme == "https" and urlsplit(url).scheme != "https":
            raise ValueError("its jwks_uri is not https")
        return url

    def asked(self, url: str) -> dict[str, Any]:
        """A JSON object from the issuer. No redirect is followed."""
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        reply = outgoing.fetch(
            "GET", url, max_bytes=MAX_BYTES, networks=self.networks, headers=headers, allow_redirects=False
        )
        if reply.status != 200:
            raise ValueError(f"{url} answered {reply.status}")
        document = json.loads(reply.body)
        if not isinstance(document, dict):
            raise ValueError(f"{url} answered no JSON object")
        return document


def keys_of(document: Mapping[str, Any]) -> dict[str, str]:
    """The keys of a JWKS that can verify a signature, by id, as JSON texts. Others are left out, whatever is wrong."""
    listed = document.get("keys")
    if not isinstance(listed, list):
        raise ValueError("it is no JWKS: no list `keys`")
    found: dict[str, str] = {}
    doubled: set[str] = set()
    for item in listed[:MAX_KEYS]:
        if not isinstance(item, dict) or not isinstance(item.get("kid"), str) or item.get("kty") not in USABLE:
            continue
        operations = item.get("key_ops")
        if item.get("use", "sig") != "sig" or (isinstance(operations, list) and "verify" not in operations):
            continue
        if item["kid"] in found:
            doubled.add(item["kid"])  # which of the two is meant, nobody can say
        text = json.dumps({name: value for name, value in item.items() if name not in PRIVATE})
        if parsed(text) is not None:
            found[item["kid"]] = text
    return {kid: text for kid, text in found.items() if kid not in doubled}


@lru_cache(maxsize=256)
def parsed(text: str) -> VerificationKey | None:
    """A JSON Web Key as a public key; None if it is none that we use."""
    item = json.loads(text)
    algorithm = item.get("alg", "")
    try:
        # PyJWT wants an algorithm for every key; which one does not matter for the key itself.
        key = jwt.PyJWK(item, algorithm=algorithm or None).key
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        return None
    if not isinstance(algorithm, str) or (isinstance(key, RSAPublicKey) and key.key_size < RSA_BITS):
        return None
    return VerificationKey(key, algorithm)
