"""Replays what people did to a recorded control plane, so that what its controllers made can be compared with ours.

The samples are applied as shipped, then what people changed later (pins, promotions, overrides, an undeployed binding,
an edited workload) is taken from the recording. Objects get the uids that they had there, because labels and hashes of
rendered objects carry them. The planes' reports are those of the recording.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from catalog import store
from catalog.compiler.yaml import load_documents
from catalog.controllers.conditions import Condition, with_conditions
from catalog.controllers.registry import controller_of
from catalog.kinds.registry import KINDS, kind_named
from catalog.kinds.rendered_release import RenderedRelease
from tests.catalog.controllers.installation import DELIVERY, TESTER, apply, finish_cleanup, settle

NAMESPACE = "default"
ALL_SAMPLES = ("gcp-microservices-demo", "from-image", "component-types")
UNRECORDED = ("component-tls-service", "failure-scenario.yaml")
"""Samples that are no part of the recording: one carries a private key, one breaks an environment on purpose."""
MADE_BY_PEOPLE = (
    "Environment",
    "DeploymentPipeline",
    "Project",
    "SecretReference",
    "ObservabilityAlertsNotificationChannel",
    "Workload",
    "ProjectReleaseBinding",
    "ResourceReleaseBinding",
    "ReleaseBinding",
)
"""Kinds whose recorded state is input: what a person may have edited after applying the samples."""
CARRIED_UIDS = ("Project", "Component", "Resource", "Environment", "ClusterDataPlane")
DATED = re.compile(r"-\d{8}-\d+$")

Document = dict[str, Any]


@dataclass
class Replay:
    """The recorded objects of one stage, and how the store came to hold ours."""

    conformance: Path
    stage: str
    samples: tuple[str, ...] = ALL_SAMPLES
    with_cases: bool = False
    """Whether the inputs beyond the samples had been applied."""

    @cached_property
    def recorded(self) -> dict[tuple[str, str], Document]:
        """The recorded objects in namespace `default`, and cluster-wide ones, by kind and name."""
        lines = (self.conformance / "live" / "objects.jsonl").read_text(encoding="utf-8").splitlines()
        found = {}
        for line in map(json.loads, lines):
            item = line["object"]
            if line["stage"] == self.stage and item["metadata"].get("namespace", NAMESPACE) == NAMESPACE:
                found[item["kind"], item["metadata"]["name"]] = item
        return found

    def all(self, kind: str) -> list[Document]:
        """The recorded objects of a kind, by name."""
        return [item for (item_kind, _), item in sorted(self.recorded.items()) if item_kind == kind]

    def run(self) -> None:
        """Apply, change, let the planes report, until nothing is left to do."""
        apply("Namespace", NAMESPACE)
        for path in self.files():
            self.apply_file(path)
        annotate_plane()
        self.carry_uids()
        settle_controllers()
        for kind in MADE_BY_PEOPLE:
            for item in self.all(kind):
                self.apply_recorded(item)
        for item in self.all("ComponentRelease"):
            if DATED.search(item["metadata"]["name"]):
                self.apply_recorded(item)
        self.carry_uids()
        settle_controllers()
        finish_cleanup()
        self.let_planes_report()
        settle_controllers()
        # Resources are ready now: what waited for them has been rendered anew, and is reported anew.
        self.let_planes_report()
        settle_controllers()

    def files(self) -> Iterator[Path]:
        yield self.conformance / "live" / "cases" / "planes.yaml"
        yield self.conformance / "samples" / "getting-started" / "all.yaml"
        for folder in self.samples:
            for path in sorted((self.conformance / "samples" / folder).rglob("*.yaml")):
                if not any(part in UNRECORDED for part in path.parts):
                    yield path
        if self.with_cases:
            yield self.conformance / "live" / "cases" / "cases.yaml"

    def apply_file(self, path: Path) -> None:
        for document in load_documents(path.read_text(encoding="utf-8"), path.name):
            value = document.value
            if isinstance(value, dict) and str(value.get("apiVersion", "")).startswith("openchoreo.dev/"):
                store.apply(value, TESTER)

    def apply_recorded(self, item: Document) -> None:
        metadata = {key: item["metadata"][key] for key in ("name", "namespace", "labels") if key in item["metadata"]}
        store.put({**{key: item[key] for key in ("apiVersion", "kind", "spec")}, "metadata": metadata}, TESTER)

    def carry_uids(self) -> None:
        for kind in CARRIED_UIDS:
            for item in self.all(kind):
                rows = kind_named(kind).objects.system("test").filter(name=item["metadata"]["name"])
                rows.update(uid=item["metadata"]["uid"])

    def let_planes_report(self) -> None:
        """Give each rendered release the status that it had."""
        for release in RenderedRelease.objects.system("test"):
            item = self.recorded.get(("RenderedRelease", release.name))
            if item is None:
                continue
            conditions = [
                Condition(held["type"], held["status"], held["reason"], held["message"])
                for held in item["status"]["conditions"]
            ]
            status = with_conditions(release, conditions)
            status["resources"] = item["status"].get("resources", [])
            store.write_status(release, status, DELIVERY)


def annotate_plane() -> None:
    """The recorded plane was a cluster, which reports health."""
    plane = store.to_document(store.get("ClusterDataPlane", "", "default"), with_status=False)
    plane["metadata"]["annotations"] = {"stagecraft.dev/driver": "kubernetes"}
    store.put(plane, TESTER)


def settle_controllers() -> None:
    """Let all controllers work but that of rendered releases, whose place the recording takes."""
    kinds = [model.kind for model in KINDS if controller_of(model.kind) and model is not RenderedRelease]
    settle(*kinds)
