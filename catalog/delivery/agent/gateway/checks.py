"""What may be asked of a cluster through an agent: the check list before any request leaves the gateway.

It is OpenChoreo's, read more strictly: paths are judged as the API server will read them, percent-encoding and doubled
slashes undone, and what would lead around the gateway's own streams or out of the API server is refused too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qs, unquote

METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
TARGETS = frozenset({"k8s", "monitoring", "logs"})
PASSED_ON = frozenset({"accept", "content-type", "user-agent"})
"""The caller's headers that an agent gets. Not its credentials, nor words by which to be somebody else."""
PASSED_BACK = frozenset({"content-type", "retry-after", "warning", "audit-id"})
FORBIDDEN = (
    re.compile(r"^/api/v1/namespaces/kube-system/secrets(/|$)"),
    re.compile(r"^/api/v1/watch/namespaces/kube-system/secrets(/|$)"),
    re.compile(r"/serviceaccounts/[^/]+/token$"),
    re.compile(r"^/apis/v1/serviceaccounts"),
    re.compile(r"^/api/v1/(namespaces/[^/]+/)?(nodes|services|pods)/[^/]+/proxy(/|$)"),
)
UPGRADES = re.compile(r"^/api/v1/namespaces/[^/]+/pods/[^/]+/(exec|attach|portforward)$")


class Forbidden(Exception):
    """The request may not go to the cluster: an HTTP status, and why."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def require_allowed(method: str, target: str, path: str, headers: Mapping[str, str]) -> None:
    """Raise `Forbidden` unless the request may go on. `path` is as it came, still encoded."""
    if method not in METHODS:
        raise Forbidden(405, f"HTTP method not allowed: {method}")
    if target not in TARGETS:
        raise Forbidden(403, f"Target not allowed: {target}")
    read = unquote(path)
    if "%" in read:  # encoded twice: nobody needs that, and somebody might decode twice
        raise Forbidden(400, "Path is encoded more than once")
    if "\0" in read:
        raise Forbidden(400, "Path contains null bytes")
    if ".." in read.split("/") or "." in read.split("/"):
        raise Forbidden(400, "Path contains directory traversal")
    if "//" in read or "\\" in read:
        raise Forbidden(400, "Path contains an empty part")
    if headers.get("Upgrade") or (target == "k8s" and UPGRADES.search(read)):
        raise Forbidden(501, "commands in containers do not go this way: use /api/exec/")
    if target == "k8s" and any(pattern.search(read) for pattern in FORBIDDEN):
        raise Forbidden(403, f"Access to path is blocked: {path}")


def goes_on(path: str, query: str) -> bool:
    """Whether the answer never ends by itself: a watch, a log that is followed."""
    given = parse_qs(query, keep_blank_values=True)
    if "/watch/" in path or is_true(given.get("watch")):
        return True
    return is_log(path) and is_true(given.get("follow"))


def is_log(path: str) -> bool:
    return path.startswith("/api/v1/namespaces/") and path.endswith("/log")


def is_true(values: list[str] | None) -> bool:
    """As the API server reads flags in a query: there and not false."""
    return values is not None and values[-1].lower() not in ("0", "false", "f")
