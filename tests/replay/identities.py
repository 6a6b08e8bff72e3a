"""Who sends a recorded request: the callers of the recording, by what they show in `Authorization`."""

from __future__ import annotations

from dataclasses import dataclass, field

# name, groups, kind
PEOPLE: dict[str, list[object]] = {
    "admin": ["admin-1", ["admins"], "human"],
    "developer": ["developer-1", ["developers"], "human"],
    "pe": ["pe-1", ["platform-engineers"], "human"],
    "sre": ["sre-1", ["sres"], "human"],
    "nobody": ["nobody-1", ["strangers"], "human"],
    "service": ["openchoreo-backstage-client", [], "service_account"],
    "publisher": ["openchoreo-workload-publisher-client", [], "service_account"],
}
SPOILT = {
    "garbage": "Bearer not.a.jwt",
    "malformed": "Bearer abc",
    "basic": "Basic YWRtaW46YWRtaW4=",
    "expired": "Bearer stg_expired",
    "wrong-issuer": "Bearer stg_wrong-issuer",
    "bad-signature": "Bearer stg_bad-signature",
}


@dataclass
class Identities:
    """`tokens` by caller."""

    tokens: dict[str, str] = field(default_factory=dict)

    def headers(self, auth: str) -> dict[str, str]:
        """The header that the caller sends. Raises KeyError for a caller that is not known."""
        if auth == "none":
            return {}
        return {"Authorization": SPOILT[auth] if auth in SPOILT else f"Bearer {self.tokens[auth]}"}
