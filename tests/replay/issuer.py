"""An outside OpenID provider on loopback: RS256 keys, a JWKS over real HTTP, and the tokens of the recorded callers."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

AUDIENCE = "stagecraft"
LIFETIME = 3600
KEY_ID = "replay-1"


class Issuer:
    """Use it as a context manager; `settings` make a server of ours trust it."""

    def __enter__(self) -> Issuer:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        documents = self.documents

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps(documents().get(self.path, {})).encode()
                self.send_response(200 if self.path in documents() else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    @property
    def settings(self) -> dict[str, str]:
        """Environment variables of a server that takes this issuer's tokens."""
        return {
            "OIDC_ISSUER": self.url,
            "OIDC_AUDIENCE": AUDIENCE,
            "OIDC_JWKS_URL": f"{self.url}/jwks",
            "OIDC_PRIVATE_NETWORKS": "127.0.0.0/8",
        }

    def documents(self) -> dict[str, Any]:
        """What it serves, by path."""
        return {
            "/jwks": {"keys": [self.public_key]},
            "/.well-known/openid-configuration": {
                "issuer": self.url,
                "jwks_uri": f"{self.url}/jwks",
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
            },
        }

    @cached_property
    def public_key(self) -> dict[str, Any]:
        written: dict[str, Any] = json.loads(RSAAlgorithm.to_jwk(self.key.public_key()))
        return {**written, "kid": KEY_ID, "use": "sig", "alg": "RS256"}

    def token(self, claims: Mapping[str, Any], key: rsa.RSAPrivateKey | None = None) -> str:
        """A signed token with these claims beside the usual ones; another `key` makes its signature wrong."""
        now = int(time.time())
        usual = {"iss": self.url, "aud": AUDIENCE, "iat": now, "exp": now + LIFETIME}
        return jwt.encode({**usual, **claims}, key or self.key, algorithm="RS256", headers={"kid": KEY_ID})
