"""Names of Kubernetes objects, as the contract derives them from the names of what a user declared.

A name is readable (the sanitised parts, joined by ``-``) and unique (a hash over the parts as given). These names are
part of the contract: another character, and a running workload is replaced. Called by the pipelines, by the naming
functions of the expression language and by the controllers; vectors in tests/compiler/test_names.py.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import lru_cache

from catalog.compiler.errors import InputError

RESOURCE_NAME_LIMIT = 253
LABEL_LIMIT = 63

_HASH_LENGTH = 8
_NOT_ASCII_NAME = re.compile(r"[^a-z0-9.-]")
_FNV_OFFSET = 2166136261
_FNV_PRIME = 16777619


@lru_cache(maxsize=8192)
def kubernetes_name(limit: int, *parts: str, extra: str = "") -> str:
    """Join ``parts`` to a name of at most ``limit`` bytes that ends in 8 hex digits of SHA-256.

    The hash covers the parts as given, joined by ``-``, and ``extra`` when it is not empty: what must make a name
    differ without being readable in it. Each part is sanitised (lower case; what is no letter, number, ``-`` or ``.``
    becomes ``-``) and cut by bytes to an equal share of what the limit leaves; a share not used is not given away.

    Raises ``InputError`` when there are no parts.
    """
    if not parts:
        raise InputError("a name needs at least one part")
    hash_input = "-".join(parts)
    if extra:
        hash_input += "-" + extra
    digest = hashlib.sha256(hash_input.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_LENGTH]

    share, remainder = divmod(limit - _HASH_LENGTH - len(parts), len(parts))
    cut = [_cut(_sanitise(part), share + (index < remainder)) for index, part in enumerate(parts)]
    return _trim("-".join([*cut, digest]))


def fnv1a32(data: bytes) -> int:
    """Return the 32-bit FNV-1a hash of ``data``."""
    value = _FNV_OFFSET
    for byte in data:
        value = ((value ^ byte) * _FNV_PRIME) & 0xFFFFFFFF
    return value


def fnv1a32_hex(text: str) -> str:
    """Return the 32-bit FNV-1a hash of ``text`` in UTF-8 as 8 lower-case hex digits."""
    return f"{fnv1a32(text.encode('utf-8', 'surrogatepass')):08x}"


def _sanitise(part: str) -> str:
    if part.isascii():
        return _NOT_ASCII_NAME.sub("-", part.lower()).strip("-.")
    # Character by character, as Go lowers case: Python's str.lower looks at the neighbours of a sigma and turns a
    # dotted capital I into two characters.
    lowered = (character.lower()[0] for character in part)
    return "".join(c if c in "-." or _is_letter_or_number(c) else "-" for c in lowered).strip("-.")


def _is_letter_or_number(character: str) -> bool:
    return unicodedata.category(character)[0] in "LN"


def _cut(part: str, size: int) -> str:
    """Cut by bytes. Half a character that remains turns into U+FFFD per byte, as Go's JSON encoder writes it."""
    if part.isascii():
        return part[: max(size, 0)]
    kept = part.encode("utf-8")[: max(size, 0)].decode("utf-8", "surrogateescape")
    return "".join("\ufffd" if "\udc80" <= c <= "\udcff" else c for c in kept)


def _trim(name: str) -> str:
    start, end = 0, len(name)
    while start < end and not _is_letter_or_number(name[start]):
        start += 1
    while end > start and not _is_letter_or_number(name[end - 1]):
        end -= 1
    return name[start:end]
