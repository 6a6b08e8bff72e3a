"""The transcript's lines, and what stands in them for what differs with every run: addresses, secrets, tokens, codes.

{"n": 3, "group": "occ login …", "auth": "", "method": "POST", "path": "/oauth/token", "body": "grant_type=…",
 "content_type": "…", "status": 200, "headers": {…}, "response": "{\"access_token\": \"<access_token 1>\", …"}
{"n": 9, "group": "occ login", "browser": "/oauth/authorize?…"}     somebody signs in there with a browser
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parent / "transcript.jsonl"
SERVER = "http://stagecraft.example"
"""Stands for the server's address."""
SECRET_FIELDS = ("access_token", "refresh_token", "id_token")
KEPT_HEADERS = ("content-type", "location", "allow", "www-authenticate")
CLIENT_SECRET, CODE = "<client secret>", "<code>"


@dataclass
class Masks:
    """Real text by what stands for it; longer ones first, since one may hold another."""

    real: dict[str, str] = field(default_factory=dict)

    def masked(self, text: str) -> str:
        for mask, real in sorted(self.real.items(), key=lambda item: -len(item[1])):
            text = text.replace(real, mask)
        return text

    def unmasked(self, text: str) -> str:
        for mask, real in self.real.items():
            text = text.replace(mask, real)
        return text

    def learn(self, response: str) -> None:
        """Give every token of a reply of the token endpoint a mask, by the order in which they come."""
        for name, token in tokens_in(response).items():
            if token not in self.real.values():
                number = 1 + sum(mask.startswith(f"<{name} ") for mask in self.real)
                self.real[f"<{name} {number}>"] = token


def tokens_in(response: str) -> dict[str, str]:
    """The tokens in a reply, by their field; {} where it has none."""
    try:
        found = json.loads(response)
    except ValueError:
        return {}
    return {name: found[name] for name in SECRET_FIELDS if name in found} if isinstance(found, dict) else {}


def lines() -> list[dict[str, Any]]:
    return [json.loads(line) for line in FILE.read_text().splitlines()]
