"""The recorded stages played again, with a real cluster as the plane that the recording had.

`tests.catalog.controllers.live_replay` lets the recording stand for the plane; here objects are applied to a cluster,
and what it makes of them comes back. What the recording's cluster had besides, this one gets: kinds of add-ons, and
somebody who says that secrets have been fetched and that a gateway has taken the routes.
"""

from __future__ import annotations

import json
import time
import urllib.error
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from catalog import store
from catalog.compiler.yaml import load_documents
from catalog.controllers import runtime, work
from catalog.kinds.rendered_release import RenderedRelease
from tests.catalog.controllers.installation import TESTER
from tests.catalog.controllers.live_replay import DATED, MADE_BY_PEOPLE, NAMESPACE, Document, Replay
from tests.catalog.controllers.test_live_conformance import STATUS_FIELDS, conditions, made
from tests.real.cluster.cluster import Cluster

SECONDS = 90.0
ADD_ONS = (
    ("gateway.kgateway.dev", "v1alpha1", "TrafficPolicy", "trafficpolicies"),
    ("openchoreo.dev", "v1alpha1", "ObservabilityAlertRule", "observabilityalertrules"),
)
"""Kinds of the samples whose definitions come from elsewhere; here they take any content."""
CRON_JOBS = "/apis/batch/v1/cronjobs"
SECRETS = "/apis/external-secrets.io/v1/externalsecrets"
GATEWAY_API = "/apis/gateway.networking.k8s.io/v1"
ROUTES = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/httproutes.gateway.networking.k8s.io"
READY = {"type": "Ready", "status": "True", "reason": "SecretSynced", "message": "secret synced"}
HEALTHY_AT_ONCE = {"PersistentVolumeClaim"}
"""Kinds that were healthy as soon as they existed. Here a claim is when it is bound, and nobody gives volumes here."""
Differences = dict[str, tuple[Any, Any]]
"""By object and part: what was recorded, and what is."""


@dataclass
class ClusterReplay(Replay):
    """A stage whose plane is `cluster`. Stages may follow each other: each brings what was done meanwhile."""

    cluster: Cluster = field(kw_only=True)

    def apply_inputs(self) -> None:
        """Apply what people had applied, and then what they had changed."""
        store.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}, TESTER)
        for path in self.files():
            self.apply_file(path)
        self.name_the_cluster()
        self.carry_uids()
        runtime.drain()
        for kind in MADE_BY_PEOPLE:
            for item in self.all(kind):
                self.apply_recorded(item)
        for item in self.all("ComponentRelease"):
            if DATED.search(item["metadata"]["name"]):
                self.apply_recorded(item)
        self.carry_uids()

    def name_the_cluster(self) -> None:
        plane = store.to_document(store.get("ClusterDataPlane", "", "default"), with_status=False)
        observability = store.to_document(store.get("ClusterObservabilityPlane", "", "default"), with_status=False)
        for document in (plane, observability):
            document["metadata"]["annotations"] = {
                "stagecraft.dev/driver": "kubernetes", "stagecraft.dev/kubernetes-cluster": "test",
            }  # fmt: skip
            store.put(document, TESTER)

    def play(self) -> Differences:
        """Apply, and work until all is as recorded or the time is over; what then differs."""
        self.apply_inputs()
        return self.work_until_as_recorded()

    def work_until_as_recorded(self) -> Differences:
        return self.work_until(lambda: not self.differences()) or self.differences()

    def work_until(self, is_so: Callable[[], bool]) -> Differences:
        """Let controllers and cluster work until something is so; {} if it came to be in time."""
        deadline = time.monotonic() + SECONDS
        while True:
            fetch_secrets(self.cluster)
            take_routes(self.cluster)
            runtime.drain()
            if is_so():
                return {}
            if time.monotonic() > deadline:
                return self.differences() or {"it": ("to be", "not")}
            self.look_again()
            time.sleep(0.3)

    def look_again(self) -> None:
        """Nobody watches here, so the releases that are not as recorded are looked at again."""
        for release in RenderedRelease.objects.system("test"):
            item = self.recorded.get(("RenderedRelease", release.name), {})
            if release.deleted_at is not None or states(item) != states(store.to_document(release)):
                work.mark_due([("RenderedRelease", release.pk)])

    def refused(self) -> list[Document]:
        """The recorded rendered releases of which the cluster refused an object."""
        return [item for item in self.all("RenderedRelease") if conditions(item)["ResourcesApplied"][0] == "False"]

    def differences(self) -> Differences:
        """What is not as recorded: conditions with their messages, statuses, states of objects."""
        found: Differences = {}
        for kind, fields in STATUS_FIELDS.items():
            for item in self.all(kind):
                got = made(item)
                name = f"{kind} {item['metadata']['name']}"
                compare(found, f"{name}: conditions", conditions(item), conditions(got))
                for part in fields:
                    compare(found, f"{name}: {part}", item["status"].get(part), got.get("status", {}).get(part))
        for item in self.all("RenderedRelease"):
            got = made(item)
            name = f"RenderedRelease {item['metadata']['name']}"
            compare(found, f"{name}: conditions", conditions(item), conditions(got))
            if "resources" in item["status"]:  # upstream stops at the first object that is refused and tells of none
                compare(found, f"{name}: resources", states(item), states(got))
        return found


def compare(found: Differences, what: str, recorded: Any, got: Any) -> None:
    if recorded != got:
        found[what] = (recorded, got)


def states(item: Mapping[str, Any]) -> dict[str, tuple[str, str, str, str]]:
    """Kind, namespace, name and health of each object of a rendered release, by its id."""
    return {
        entry["id"]: (
            entry["kind"], entry.get("namespace", ""), entry["name"],
            "" if entry["kind"] in HEALTHY_AT_ONCE else entry["healthStatus"],
        )
        for entry in item.get("status", {}).get("resources") or ()
    }  # fmt: skip


def add_kinds(cluster: Cluster) -> None:
    """Serve the add-ons' kinds."""
    cluster.apply(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.{group}"},
            "spec": {
                "group": group,
                "scope": "Namespaced",
                "names": {"kind": kind, "plural": plural},
                "versions": [{
                    "name": version, "served": True, "storage": True,
                    "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
                }],
            },
        }
        for group, version, kind, plural in ADD_ONS
    )  # fmt: skip


def fetch_secrets(cluster: Cluster) -> None:
    """Say of every external secret that it has been fetched: the part of the External Secrets operator."""
    for item in cluster.call("GET", SECRETS)["items"]:
        if not item.get("status"):
            metadata = item["metadata"]
            path = SECRETS.replace("/v1/", f"/v1/namespaces/{metadata['namespace']}/")
            status = {"status": {"conditions": [{**READY, "lastTransitionTime": "2026-11-21T00:00:00Z"}]}}
            try:
                cluster.call(
                    "PATCH", f"{path}/{metadata['name']}/status", status, content_type="application/merge-patch+json"
                )
            except urllib.error.HTTPError as error:
                if error.code != 404:  # gone meanwhile
                    raise


def take_routes(cluster: Cluster) -> None:
    """Say of every route that a gateway has taken it. The recording had none and called routes healthy all the same."""
    taken = [
        {"type": kind, "status": "True", "reason": kind, "message": "", "lastTransitionTime": "2026-11-21T00:00:00Z"}
        for kind in ("Accepted", "ResolvedRefs")
    ]
    parent = {"parentRef": {"name": "gateway"}, "controllerName": "example.org/gateway", "conditions": taken}
    for plural in ("httproutes", "grpcroutes"):
        for item in cluster.call("GET", f"{GATEWAY_API}/{plural}")["items"]:
            if not (item.get("status") or {}).get("parents"):
                metadata = item["metadata"]
                path = f"{GATEWAY_API}/namespaces/{metadata['namespace']}/{plural}/{metadata['name']}/status"
                status = {"status": {"parents": [parent]}}
                try:
                    cluster.call("PATCH", path, status, content_type="application/merge-patch+json")
                except urllib.error.HTTPError as error:
                    if error.code != 404:  # gone meanwhile
                        raise


def strike_the_hour(cluster: Cluster, name: str) -> None:
    """Let a cron job have run once: the recording took long enough for that."""
    for item in cluster.call("GET", CRON_JOBS)["items"]:
        metadata = item["metadata"]
        if metadata["name"].startswith(name):
            path = CRON_JOBS.replace("/v1/", f"/v1/namespaces/{metadata['namespace']}/")
            status = {"status": {"lastScheduleTime": "2026-11-21T00:00:00Z"}}
            cluster.call(
                "PATCH", f"{path}/{metadata['name']}/status", status, content_type="application/merge-patch+json"
            )


def recorded_deletions(conformance: Path, stage: str) -> dict[tuple[str, str, str], Document]:
    """What was still there of what had been deleted, in both namespaces."""
    lines = (conformance / "live" / "objects.jsonl").read_text(encoding="utf-8").splitlines()
    found = [line["object"] for line in map(json.loads, lines) if line["stage"] == stage]
    return {(item["kind"], item["metadata"]["namespace"], item["metadata"]["name"]): item for item in found}


def apply_elsewhere(conformance: Path, namespace: str) -> None:
    """The second namespace of the recording: the getting-started objects, and components without a workload."""
    store.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}, TESTER)
    samples = conformance / "samples"
    for path in (samples / "getting-started" / "all.yaml", *sorted((samples / "from-source").rglob("*service.yaml"))):
        for document in load_documents(path.read_text(encoding="utf-8"), path.name):
            value: Any = document.value
            if isinstance(value, dict) and value["metadata"].get("namespace") == NAMESPACE:
                store.apply({**value, "metadata": {**value["metadata"], "namespace": namespace}}, TESTER)
    runtime.drain()


def hold(cluster: Cluster, path: str) -> None:
    """Let an object in the cluster take its time to go, until `let_go`."""
    finalizers = {"metadata": {"finalizers": ["example.org/hold"]}}
    cluster.call("PATCH", path, finalizers, content_type="application/merge-patch+json")


def let_go(cluster: Cluster, path: str) -> None:
    cluster.call("PATCH", path, {"metadata": {"finalizers": None}}, content_type="application/merge-patch+json")


def make_routes_older(cluster: Cluster) -> dict[str, Any]:
    """Let the cluster know routes as Gateway API 1.4 does, without CORS; returns the definition as it was."""
    definition: dict[str, Any] = cluster.call("GET", ROUTES)
    older = cluster.call("GET", ROUTES)
    for version in older["spec"]["versions"]:
        rule = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["rules"]["items"]
        backend = rule["properties"]["backendRefs"]["items"]
        for holder in (rule, backend):
            filters = holder["properties"]["filters"]
            filters["items"]["properties"].pop("cors", None)
            for checked in (filters, filters["items"]):
                checks = checked.get("x-kubernetes-validations", [])
                checked["x-kubernetes-validations"] = [check for check in checks if "cors" not in check["rule"].lower()]
    cluster.call("PUT", ROUTES, older)
    return definition


def make_routes_newer(cluster: Cluster, definition: dict[str, Any]) -> None:
    """Give the cluster the definition of routes that it had."""
    held = cluster.call("GET", ROUTES)
    held["spec"] = definition["spec"]
    cluster.call("PUT", ROUTES, held)
