"""An installation whose default plane is a real cluster, and what the cluster's audit log knows of its writes.

    with installation_on(cluster, home) as installation:
        installation.apply(...)
    written = writes_of(cluster)

`kubeconfig` lets the installation reach the cluster by another way: that of a proxy.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from catalog.delivery.tracking import CONTROLLER, MANAGED_BY
from tests.real.cluster.cluster import Cluster
from tests.real.installation import Installation

CLUSTER = "test"
PLATFORM = "stagecraft"
Key = tuple[str, str, str]
OF_RELEASES = "labelSelector=" + quote(f"{MANAGED_BY}={CONTROLLER}", safe="")


@contextmanager
def installation_on(
    cluster: Cluster,
    home: Path,
    *,
    kubeconfig: str = "",
    database_url: str = "",
    settings: dict[str, str] | None = None,
) -> Iterator[Installation]:
    """An installation with the platform's defaults, delivering to the cluster; workers are up to the caller."""
    with Installation(home, database_url, settings=settings or {}) as installation:
        (home / "clusters").mkdir(parents=True)
        (home / "clusters" / f"{CLUSTER}.kubeconfig").write_text(kubeconfig or cluster.kubeconfig)
        installation.prepare()
        plane = installation.get("ClusterDataPlane", "", "default")
        del plane["status"]
        plane["metadata"].setdefault("annotations", {}).update({
            "stagecraft.dev/driver": "kubernetes", "stagecraft.dev/kubernetes-cluster": CLUSTER,
        })  # fmt: skip
        installation.apply(plane)
        yield installation


@dataclass(frozen=True, slots=True)
class Write:
    """One write of the platform: `patch`, `create` or `delete`, of what, where, with what content."""

    verb: str
    plural: str
    namespace: str
    name: str
    code: int
    content: str = ""

    @property
    def key(self) -> Key:
        return self.plural, self.namespace, self.name


def writes_of(cluster: Cluster, since: int = 0) -> list[Write]:
    """The platform's writes after the first `since`, oldest first, also those that were refused."""
    events = [event for event in cluster.writes() if event.get("userAgent") == PLATFORM]
    return [write_of(event) for event in events[since:]]


def write_of(event: dict[str, Any]) -> Write:
    where, content = event["objectRef"], json.dumps(event.get("requestObject"), sort_keys=True)
    name, namespace = where.get("name", ""), where.get("namespace", "") if where["resource"] != "namespaces" else ""
    return Write(event["verb"], where["resource"], namespace, name, event["responseStatus"]["code"], content)


def repeated(writes: Iterable[Write]) -> list[Write]:
    """Those that gave an object the very content that it had been given last."""
    last: dict[Key, str] = {}
    found = []
    for write in writes:
        if write.code >= 300:
            continue
        if write.verb == "patch" and last.get(write.key) == write.content:
            found.append(write)
        last[write.key] = write.content if write.verb == "patch" else ""
    return found


def returned(writes: Iterable[Write]) -> list[Write]:
    """Those that gave an object a content that it had had before, and another one since: a step back."""
    history: dict[Key, list[str]] = defaultdict(list)
    found = []
    for write in writes:
        if write.code < 300 and write.verb == "patch":
            held = history[write.key]
            if write.content in held[:-1] and write.content != held[-1]:
                found.append(write)
            held.append(write.content)
    return found


def live(cluster: Cluster) -> dict[Key, dict[str, Any]]:
    """Every object in the cluster that belongs to a release: by `(plural, namespace, name)`."""
    found = {}
    for path in written_kinds(cluster):
        for item in cluster.call("GET", f"{path}?{OF_RELEASES}")["items"]:
            if not item["metadata"].get("ownerReferences"):  # what the cluster makes of ours inherits labels
                found[path.rpartition("/")[2], item["metadata"].get("namespace", ""), item["metadata"]["name"]] = item
    return found


def written_kinds(cluster: Cluster) -> set[str]:
    """The path of each kind that the platform has ever written an object of, by the audit log."""
    found = set()
    for event in cluster.writes():
        if event.get("userAgent") == PLATFORM:
            where = event["objectRef"]
            group, version = where.get("apiGroup", ""), where["apiVersion"]
            found.add(
                f"/apis/{group}/{version}/{where['resource']}" if group else f"/api/{version}/{where['resource']}"
            )
    return found
