"""Repositories by their addresses: one form for all ways to write one, whose host it is, and what lies under a path."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

SCP_FORM = re.compile(r"(?:[^@/\s]+@)?([^:/\s]+):(?!//)(.+)")
HOSTS = {"github.com": "github", "gitlab.com": "gitlab", "bitbucket.org": "bitbucket"}
"""The hosts of which we know whose they are; self-hosted ones may be anybody's."""


def normalized(address: str) -> str:
    """`https://host/path` in lower case for `git@host:path.git`, `ssh://git@host:22/path/` and the like; "" for none.

    Users, passwords, ports of ssh and default ports are dropped: they do not make it another repository.
    """
    address = address.strip().lower()
    for prefix in ("git+ssh://", "git+https://"):
        if address.startswith(prefix):
            address = address.removeprefix("git+")
    if "://" not in address:
        found = SCP_FORM.fullmatch(address)
        if found is None:
            return ""
        host, path = found.groups()
    else:
        try:
            parts = urlsplit(address)
            port = parts.port
        except ValueError:
            return ""
        host, path = parts.hostname or "", parts.path
        if port is not None and parts.scheme in ("http", "https") and port not in (80, 443):
            host = f"{host}:{port}"
    path = path.strip("/").removesuffix(".git").strip("/")
    return f"https://{host}/{path}" if host and path else ""


def provider_of(repository: str) -> str:
    """The provider that hosts a (normalized) repository, "" where it cannot be told from the host's name."""
    host = urlsplit(repository).hostname or ""
    for known, provider in HOSTS.items():
        if host == known or host.endswith(f".{known}"):
            return provider
    return ""


def directory(path: str) -> str:
    """A directory within a repository in one form, "" for the whole of it."""
    cleaned = posixpath.normpath(f"/{path}").strip("/")
    return "" if cleaned == "." else cleaned


def touches(paths: Iterable[str], app_path: str) -> bool:
    """Whether any of the changed paths is the directory or lies in it."""
    if not app_path:
        return True
    return any(path == app_path or path.startswith(f"{app_path}/") for path in map(directory, paths))
