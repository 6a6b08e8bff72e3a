"""What must never be in an event: secrets are replaced by a keyed hash, which tells only whether two were equal.

Three things make a value a secret: its kind says so (`declare_secret_fields`), its key or its name does (`password`,
`Authorization`), or its text does (a URL with a password, a token, a private key). References to secrets stay as they
are: the name of a secret is no secret.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from functools import cache, lru_cache
from hashlib import sha256
from typing import Any

from django.conf import settings

SECRET_NAME = re.compile(
    r"passw|passphrase|pwd$|secret(?!.?(key)?.?(ref|name|store))|token|api.?key|access.?key|private.?key"
    r"|credential|authorization|cookie|connection.?string|dsn$|last-applied-configuration",
    re.IGNORECASE,
)
# `tokenUrl` and `credentialsRef` say where a secret is, not what it is.
REFERENCE_NAME = re.compile(r"(refs?|references?|from|name|url|uri|path|type|kind)$", re.IGNORECASE)
VALUE_FIELDS = frozenset({"value", "data", "stringData"})
# Each pattern is looked for only where its mark occurs, which is much cheaper.
TEXT_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("://", re.compile(r"(?<=://)[^/@\s]+(?=@)")),
    ("stg_", re.compile(r"stg_[A-Za-z0-9_-]{8,}")),
    ("earer ", re.compile(r"(?<=earer )[A-Za-z0-9._~+/=-]{8,}")),
    ("asic ", re.compile(r"(?<=asic )[A-Za-z0-9+/=]{8,}")),
    # Only at the beginning of a word, or a long word of many such beginnings would be read once from each.
    ("eyJ", re.compile(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.?[A-Za-z0-9_-]*")),
    ("PRIVATE KEY", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)", re.S)),
    ("AKIA", re.compile(r"AKIA[0-9A-Z]{12,}")),
    ("gh", re.compile(r"gh[pousr]_[A-Za-z0-9]{16,}")),
    ("glpat-", re.compile(r"glpat-[A-Za-z0-9_-]{12,}")),
)
Paths = Sequence[tuple[str, ...]]

_secret_fields: dict[str, list[tuple[str, ...]]] = {}


def declare_secret_fields(kind: str, *paths: str) -> None:
    """Say which fields of a kind are secrets, as dotted paths into the document; `*` is any key or index."""
    _secret_fields[kind] = [tuple(path.split(".")) for path in paths]


@cache
def _key() -> bytes:
    return sha256(b"stagecraft.audit.redaction" + settings.SECRET_KEY.encode()).digest()


def fingerprint(value: object) -> str:
    """What stands in an event for a secret."""
    return f"(secret {hmac.new(_key(), repr(value).encode(), sha256).hexdigest()[:16]})"


def redact(kind: str, document: Any) -> Any:
    """A copy of a document without its secrets."""
    return _redact(document, False, _secret_fields.get(kind, ()))


def redact_text(text: str) -> str:
    """A text without the secrets that can be recognised in it."""
    for mark, pattern in TEXT_PATTERNS:
        if mark in text:
            text = pattern.sub(lambda found: fingerprint(found.group()), text)
    return text


@lru_cache(4096)
def is_secret_name(name: str) -> bool:
    """Whether a key, a header or a variable of that name holds a secret."""
    return SECRET_NAME.search(name) is not None


@lru_cache(4096)
def is_reference_name(name: str) -> bool:
    """Whether what lies under that key only names a secret."""
    return REFERENCE_NAME.search(name) is not None


def _redact(value: Any, is_secret: bool, paths: Paths) -> Any:
    if isinstance(value, str):
        return fingerprint(value) if is_secret else redact_text(value)
    if isinstance(value, dict):
        return {key: _redact_item(value, key, item, is_secret, paths) for key, item in value.items()}
    if isinstance(value, list):
        return [_redact_item((), str(index), item, is_secret, paths) for index, item in enumerate(value)]
    return fingerprint(value) if is_secret and isinstance(value, int | float) and value not in (True, False) else value


def _redact_item(holder: Any, key: str, item: Any, is_secret: bool, paths: Paths) -> Any:
    below = [path[1:] for path in paths if path[0] in (key, "*")] if paths else ()
    if () in below:
        return _redact(item, True, ())
    if isinstance(holder, dict):
        if is_reference_name(key):
            return _redact(item, False, below)
        # `{name: DB_PASSWORD, value: …}` and `{key: …, value: …}`: the neighbour says what the value is.
        if key in VALUE_FIELDS and not is_secret:
            is_secret = any(
                isinstance(label, str) and is_secret_name(label) for label in (holder.get("name"), holder.get("key"))
            )
        is_secret = is_secret or is_secret_name(key)
    return _redact(item, is_secret, below)
