"""Which remotes a plane's annotation may name: those below an address that the operator has listed.

Git pushes with the credentials of the account that Stagecraft runs as, and reaches whatever that account reaches. So
whoever may write a plane chooses among the operator's addresses (`GIT_PLANE_REMOTES`) and none besides, by a comparison
of hosts and whole path segments, not of texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlsplit

SCP = re.compile(r"(?:([A-Za-z0-9._-]+)@)?([A-Za-z0-9.-]+):(?!/)([^\s]+)")
SCHEMES = {"https": 443, "ssh": 22}
SEGMENT = re.compile(r"[A-Za-z0-9_~][A-Za-z0-9._~+-]*")
HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]")


class Address(NamedTuple):
    """A remote, taken apart. `user` is "" where none is named."""

    scheme: str
    user: str
    host: str
    port: int
    path: tuple[str, ...]


class NoAddress(ValueError):
    """The text is no remote that may be used; the text says why and quotes no password."""


def parse_remote(url: str) -> Address:
    """A remote from `https://…`, `ssh://…` or `user@host:path`. Raises `NoAddress`."""
    # An option of git or ssh, or something invisible, never gets further than this.
    if url.startswith("-") or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise NoAddress("it has characters that no address needs")
    if found := None if "://" in url else SCP.fullmatch(url):
        url = f"ssh://{found[1] + '@' if found[1] else ''}{found[2]}/{found[3]}"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise NoAddress("its port is no number") from None
    host = (parts.hostname or "").lower().rstrip(".")
    if parts.scheme not in SCHEMES:
        raise NoAddress("it must be https://…, ssh://… or user@host:path")
    if parts.password is not None:
        raise NoAddress(
            "it must hold no password, which all who see the plane would read; give Git its credentials where "
            "Stagecraft runs"
        )
    user = parts.username or ""
    host = f"[{host}]" if ":" in host else host
    if not HOST.fullmatch(host) or not re.fullmatch(r"[A-Za-z0-9._-]*", user) or user.startswith("-"):
        raise NoAddress("it names no host")
    path = tuple(parts.path.strip("/").split("/")) if parts.path.strip("/") else ()
    if parts.query or parts.fragment or not all(SEGMENT.fullmatch(segment) for segment in path):
        raise NoAddress("its path may have letters, digits, '.', '_', '-', '+' and '~' only, and no '..'")
    return Address(parts.scheme, user, host, port or SCHEMES[parts.scheme], path)


def is_permitted(url: str, permitted: Iterable[str]) -> bool:
    """Whether a remote lies below one of the permitted addresses. Raises `NoAddress` for what is none."""
    wanted = parse_remote(url)
    return any(is_below(wanted, parse_remote(entry)) for entry in permitted)


def is_below(wanted: Address, permitted: Address) -> bool:
    """The same host, and at or below its path. An entry without a user permits every user."""
    return (
        (wanted.scheme, wanted.host, wanted.port) == (permitted.scheme, permitted.host, permitted.port)
        and permitted.user in ("", wanted.user)
        and wanted.path[: len(permitted.path)] == permitted.path
        and len(wanted.path) > 0
    )
