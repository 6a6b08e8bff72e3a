"""What the recording's cluster had beside Kubernetes: a loop that made every ExternalSecret ready, without a store.

The one line that every pod's log holds was older there than a minute.
Its other stand-ins need nothing here: Argo's definitions come with the cluster, and nothing served routes or ran
workflows there either.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from tests.real.cluster.cluster import Cluster, quietly

CUSTOM_RESOURCES = ("gateway-api", "external-secrets", "argo")
"""What the recording's cluster knew beside Kubernetes' own kinds."""
EVERY_SECONDS = 0.2
SECRETS = "/apis/external-secrets.io/v1"


@contextmanager
def stand_ins(cluster: Cluster | None) -> Iterator[None]:
    """All of it while the block lasts; nothing without a cluster."""
    if cluster is None:
        yield
        return
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    (cluster.directory / "pod.log").write_text(f"{an_hour_ago:%Y-%m-%dT%H:%M:%S.%fZ} stdout F a line of log\n")
    ended = threading.Event()
    thread = threading.Thread(target=make_ready, args=(cluster, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def make_ready(cluster: Cluster, ended: threading.Event) -> None:
    while not ended.wait(EVERY_SECONDS):
        found = quietly(lambda: cluster.call("GET", f"{SECRETS}/externalsecrets")) or {"items": []}
        for secret in found["items"]:
            if not secret.get("status", {}).get("conditions"):
                quietly(partial(report_ready, cluster, secret))


def report_ready(cluster: Cluster, secret: dict[str, Any]) -> None:
    metadata = secret["metadata"]
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "SecretSynced",
        "message": "secret synced",
        "lastTransitionTime": now,
    }
    status = {
        "binding": {"name": metadata["name"]},
        "conditions": [ready],
        "refreshTime": now,
        "syncedResourceVersion": "1",
    }
    path = f"{SECRETS}/namespaces/{metadata['namespace']}/externalsecrets/{metadata['name']}/status"
    cluster.call("PATCH", path, {"status": status}, content_type="application/merge-patch+json")
