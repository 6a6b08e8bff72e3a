"""Envelope encryption: each secret has a data key of its own, and the data key is sealed with a key of the keyring.

    v1.<key id>.<data key, sealed>.<text, sealed>          each sealed part: base64url(nonce ‖ ciphertext ‖ tag)

Both parts are AES-256-GCM. The context (which table, row, field and namespace) is authenticated with both, so a sealed
text that is copied to another row opens nowhere. Changing the key of a secret seals its data key anew and never sees
the text.
"""

from __future__ import annotations

import base64
import binascii
import json
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from portal.secrets.keys import KEY_BYTES, NoSuchKey, key_called, sealing_key
from portal.secrets.text import SecretText

VERSION = "v1"
NONCE_BYTES = 12


class CannotOpen(ValueError):
    """A sealed text that does not open: another context, a key that is gone, or a change by a stranger's hand."""


def context(table: str, row: object, field: str, namespace: str = "") -> str:
    """The place that a secret belongs to, so written that no two places read the same."""
    return json.dumps([table, str(row), field, namespace], separators=(",", ":"))


def seal(text: str | SecretText, context: str) -> str:
    """The text, sealed for that place with a data key of its own."""
    plain = text.reveal() if isinstance(text, SecretText) else text
    data_key = os.urandom(KEY_BYTES)
    return ".".join((VERSION, *_wrap(data_key, context), _encrypt(data_key, plain.encode(), _bound("text", context))))


def open_sealed(sealed: str, context: str) -> SecretText:
    """The secret again. Raises `CannotOpen`, with the same words for each reason but a missing key."""
    data_key, body = _unwrap(sealed, context)
    return SecretText(_decrypt(data_key, body, _bound("text", context)).decode())


def reseal(sealed: str, context: str) -> str:
    """The same secret under the key that seals now; as it was, if it is under that key already."""
    if key_id_of(sealed) == sealing_key().id:
        return sealed
    data_key, body = _unwrap(sealed, context)
    return ".".join((VERSION, *_wrap(data_key, context), body))


def key_id_of(sealed: str) -> str:
    """Which key has sealed this. Raises `CannotOpen` for what is not a sealed text."""
    return _parts(sealed)[0]


def _wrap(data_key: bytes, context: str) -> tuple[str, str]:
    key = sealing_key()
    return key.id, _encrypt(key.material, data_key, _bound(f"key {key.id}", context))


def _unwrap(sealed: str, context: str) -> tuple[bytes, str]:
    key_id, wrapped, body = _parts(sealed)
    try:
        key = key_called(key_id)
    except NoSuchKey as error:
        raise CannotOpen(str(error)) from None
    return _decrypt(key.material, wrapped, _bound(f"key {key_id}", context)), body


def _parts(sealed: str) -> tuple[str, str, str]:
    parts = sealed.split(".")
    if len(parts) != 4 or parts[0] != VERSION:
        raise CannotOpen("this is not a sealed text of ours")
    return parts[1], parts[2], parts[3]


def _bound(purpose: str, context: str) -> bytes:
    return f"stagecraft secret {VERSION} {purpose} {context}".encode()


def _encrypt(key: bytes, plain: bytes, associated: bytes) -> str:
    nonce = os.urandom(NONCE_BYTES)
    return base64.urlsafe_b64encode(nonce + AESGCM(key).encrypt(nonce, plain, associated)).decode().rstrip("=")


def _decrypt(key: bytes, encoded: str, associated: bytes) -> bytes:
    try:
        sealed = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], associated)
    except (InvalidTag, binascii.Error, ValueError):
        raise CannotOpen("this sealed text belongs elsewhere or has been changed") from None
