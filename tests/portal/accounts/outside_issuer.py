"""A real OpenID issuer on loopback: discovery and JWKS over HTTP, keys of every family, and tokens as good or as bad as
a test wants them."""

from __future__ import annotations

import base64
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from django.core.cache import cache

AUDIENCE = "stagecraft"
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SHORT_RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - to be refused
EC_KEY = ec.generate_private_key(ec.SECP256R1())
EC384_KEY = ec.generate_private_key(ec.SECP384R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()
ALGORITHMS = {"rsa": "RS256", "ec": "ES256", "ed": "EdDSA"}


def jwk(private: Any, kid: str, **more: Any) -> dict[str, Any]:
    """The public half of a key as a JSON Web Key."""
    public = private.public_key()
    if isinstance(private, rsa.RSAPrivateKey):
        found = jwt.algorithms.RSAAlgorithm.to_jwk(public, as_dict=True)
    elif isinstance(private, ec.EllipticCurvePrivateKey):
        found = jwt.algorithms.ECAlgorithm.to_jwk(public, as_dict=True)
    else:
        found = jwt.algorithms.OKPAlgorithm.to_jwk(public, as_dict=True)
    return {**found, "kid": kid, "use": "sig", **more}


def segment(value: Any) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class OutsideIssuer:
    """The issuer. `keys` is what its JWKS holds, `asked` the paths that were fetched, `is_down` lets it answer 503."""

    def __init__(self) -> None:
        self.keys: list[Any] = [jwk(RSA_KEY, "rsa"), jwk(EC_KEY, "ec"), jwk(ED_KEY, "ed")]
        self.asked: list[str] = []
        self.is_down = False
        self.delay = 0.0
        self.discovery: dict[str, Any] = {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                time.sleep(outer.delay)
                body = json.dumps(outer.page(self.path)).encode()
                self.send_response(503 if outer.is_down else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def page(self, path: str) -> Any:
        if path == "/.well-known/openid-configuration":
            return {"issuer": self.url, "jwks_uri": f"{self.url}/keys", **self.discovery}
        return {"keys": self.keys}

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Good claims, changed; a change to None leaves the claim out."""
        now = int(time.time())
        good = {"iss": self.url, "aud": AUDIENCE, "sub": "ada", "iat": now, "exp": now + 300, "groups": ["team"]}
        return {name: value for name, value in {**good, **changes}.items() if value is not None}

    def token(
        self,
        kid: str = "rsa",
        *,
        key: Any = None,
        algorithm: str = "",
        header: dict[str, Any] | None = None,
        **changes: Any,
    ) -> str:
        """A token, properly signed unless told otherwise."""
        signing = key or {"rsa": RSA_KEY, "ec": EC_KEY, "ed": ED_KEY}[kid]
        headers = {"kid": kid, **(header or {})}
        return jwt.encode(self.claims(**changes), signing, algorithm=algorithm or ALGORITHMS[kid], headers=headers)

    def by_hand(self, header: Any, claims: Any, sign: Callable[[bytes], bytes]) -> str:
        """A token of any parts; texts are taken as the JSON that they are."""
        parts = [segment(part.encode() if isinstance(part, str) else part) for part in (header, claims)]
        return ".".join([*parts, segment(sign(".".join(parts).encode()))])


def hmac_with(secret: bytes) -> Callable[[bytes], bytes]:
    return lambda data: hmac.digest(secret, data, "sha256")


@contextmanager
def running_issuer(settings: Any) -> Iterator[OutsideIssuer]:
    """The issuer, running and trusted by the settings."""
    issuer = OutsideIssuer()
    thread = threading.Thread(target=issuer.server.serve_forever, daemon=True)
    thread.start()
    cache.clear()
    settings.OIDC_ISSUER, settings.OIDC_AUDIENCE = issuer.url, [AUDIENCE]
    settings.OIDC_PRIVATE_NETWORKS = ["127.0.0.0/8"]
    try:
        yield issuer
    finally:
        issuer.server.shutdown()
        issuer.server.server_close()
        thread.join()
        cache.clear()
