"""The keys that seal: named, 256 bits each, the first of them for what is sealed from now on.

They come from the setting `SECRETS_KEYS` (`id:base64`, comma-separated), or, where that is empty, from the file
`secrets-keys` in the data directory, which is made once. The file is read again when it has changed, so that a running
server takes up a new key without a restart.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import secrets
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

KEY_BYTES = 32
KEY_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")


class NoSuchKey(LookupError):
    """Something is sealed with a key that we no longer have."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key that seals data keys. Its id is no secret and stands in what it has sealed."""

    id: str
    material: bytes

    def __repr__(self) -> str:
        return f"Key({self.id!r})"


def parse_keys(text: str) -> list[Key]:
    """The keys of `id:base64,…`. Raises ValueError with a reason that never quotes a key."""
    found: list[Key] = []
    for number, item in enumerate((item.strip() for item in re.split(r"[,\n]", text) if item.strip()), 1):
        name, colon, encoded = item.partition(":")
        if not colon or not KEY_ID.fullmatch(name):
            raise ValueError(f"key {number} must be written as id:base64, with an id of a-z, 0-9 and -")
        try:
            material = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            raise ValueError(f"key {name!r} is not base64") from None
        if len(material) != KEY_BYTES:
            raise ValueError(f"key {name!r} has {len(material)} bytes and must have {KEY_BYTES}")
        if any(key.id == name for key in found):
            raise ValueError(f"two keys are called {name!r}")
        found.append(Key(name, material))
    return found


def keyring() -> list[Key]:
    """All keys, the one that seals first."""
    if settings.SECRETS_KEYS:
        return parse_keys(settings.SECRETS_KEYS)
    return _kept(Path(settings.SECRETS_KEYS_FILE))


def sealing_key() -> Key:
    return keyring()[0]


def key_called(name: str) -> Key:
    """The key of that id. Raises `NoSuchKey`."""
    for key in keyring():
        if key.id == name:
            return key
    raise NoSuchKey(
        f"this was sealed with the key {name!r}, which is neither in SECRETS_KEYS nor in the data directory's "
        "secrets-keys: put that key back behind the present one"
    )


def are_kept() -> bool:
    """Whether the keys lie in the data directory, so that we may make new ones."""
    return not settings.SECRETS_KEYS


def make_key() -> Key:
    """A new key, put first in the data directory's file. Those before it stay, for what they have sealed."""
    made = Key(datetime.now(UTC).strftime("k%Y%m%d-") + secrets.token_hex(3), secrets.token_bytes(KEY_BYTES))
    _write(Path(settings.SECRETS_KEYS_FILE), [made, *keyring()])
    return made


def seconds_since_change() -> float:
    """How long the data directory's file has been as it is."""
    keyring()
    return time.time() - Path(settings.SECRETS_KEYS_FILE).stat().st_mtime


def forget_keys(names: set[str]) -> None:
    """Take keys out of the data directory's file. What they have sealed is lost, so the caller has looked."""
    _write(Path(settings.SECRETS_KEYS_FILE), [key for key in keyring() if key.id not in names])


_lock = threading.Lock()
_read: tuple[Path, int, list[Key]] | None = None


def _kept(path: Path) -> list[Key]:
    global _read
    with _lock:
        try:
            changed = path.stat().st_mtime_ns
        except FileNotFoundError:
            _make_first(path)
            changed = path.stat().st_mtime_ns
        if _read is None or _read[:2] != (path, changed):
            _read = (path, changed, parse_keys(path.read_text()))
        if not _read[2]:
            raise NoSuchKey(f"{path} holds no key; restore it from its copy, for what it has sealed needs it")
        return _read[2]


def _make_first(path: Path) -> None:
    """The first key of an installation. Two processes that start at once end with the same one."""
    beginning = path.with_name(f".{path.name}-{os.getpid()}-{secrets.token_hex(4)}")
    _put(beginning, [Key("k1", secrets.token_bytes(KEY_BYTES))])
    try:
        os.link(beginning, path)
    except FileExistsError:
        pass
    finally:
        beginning.unlink()


def _write(path: Path, keys: list[Key]) -> None:
    # Replaced in one step: a reader sees the old file or the new one.
    beginning = path.with_name(f".{path.name}-{os.getpid()}-{secrets.token_hex(4)}")
    _put(beginning, keys)
    beginning.replace(path)


def _put(path: Path, keys: list[Key]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.writelines(f"{key.id}:{base64.b64encode(key.material).decode()}\n" for key in keys)
        file.flush()
        os.fsync(file.fileno())
