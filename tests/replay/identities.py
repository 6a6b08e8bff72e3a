"""Who sends a recorded request: the callers of the recording, by what they show in `Authorization`."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from tests.replay.issuer import Issuer

CALLERS: dict[str, dict[str, Any]] = {
    "admin": {"sub": "admin-1", "groups": ["admins"]},
    "developer": {"sub": "developer-1", "groups": ["developers"]},
    "pe": {"sub": "pe-1", "groups": ["platform-engineers"]},
    "sre": {"sub": "sre-1", "groups": ["sres"]},
    "nobody": {"sub": "nobody-1", "groups": ["strangers"]},
    "service": {"sub": "openchoreo-backstage-client"},
    "publisher": {"sub": "openchoreo-workload-publisher-client"},
}
"""Claims of those whose tokens are good."""
WITHOUT_TOKEN = {
    "garbage": "Bearer not.a.jwt",
    "malformed": "Bearer abc",
    "basic": "Basic YWRtaW46YWRtaW4=",
}


@dataclass
class Identities:
    """The callers at one issuer."""

    issuer: Issuer
    tokens: dict[str, str] = field(default_factory=dict)

    def headers(self, auth: str) -> dict[str, str]:
        """The header that the caller sends. Raises KeyError for a caller that is not known."""
        if auth == "none":
            return {}
        if auth in WITHOUT_TOKEN:
            return {"Authorization": WITHOUT_TOKEN[auth]}
        if auth not in self.tokens:
            self.tokens[auth] = self.made(auth)
        return {"Authorization": f"Bearer {self.tokens[auth]}"}

    def made(self, auth: str) -> str:
        admin = CALLERS["admin"]
        if auth == "expired":
            return self.issuer.token({**admin, "exp": int(time.time()) - 3600})
        if auth == "wrong-issuer":
            return self.issuer.token({**admin, "iss": "http://127.0.0.1:1/another"})
        if auth == "bad-signature":
            return self.issuer.token(admin, rsa.generate_private_key(public_exponent=65537, key_size=2048))
        return self.issuer.token(CALLERS[auth])
