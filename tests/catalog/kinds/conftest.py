"""The contract's CRDs, and every document of a kind that the conformance data has."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.catalog.kinds import crd_oracle
from tests.catalog.kinds.crd_oracle import Crd


@pytest.fixture(scope="session")
def crds(conformance: Path) -> dict[str, Crd]:
    """The CRDs by kind."""
    return crd_oracle.load(conformance / "crds")


@pytest.fixture(scope="session")
def recorded_objects(conformance: Path) -> list[dict[str, Any]]:
    """The objects of a running control plane, as stored there."""
    with (conformance / "live" / "objects.jsonl").open() as lines:
        return [json.loads(line)["object"] for line in lines]


@pytest.fixture(scope="session")
def documents(conformance: Path, recorded_objects: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Distinct specs by kind, shortest first: from samples, modules, and the recorded control plane."""
    found: dict[str, set[str]] = defaultdict(set)
    for folder in ("samples", "modules", "live/cases"):
        for path in sorted((conformance / folder).rglob("*.y*ml")):
            for document in yaml.load_all(path.read_text(), yaml.CSafeLoader):
                if is_platform_object(document):
                    found[document["kind"]].add(json.dumps(document.get("spec") or {}, default=str))
    for document in recorded_objects:
        found[document["kind"]].add(json.dumps(document.get("spec") or {}))
    return {
        kind: [json.loads(text) for text in sorted(texts, key=lambda text: (len(text), text))]
        for kind, texts in found.items()
    }


def is_platform_object(document: Any) -> bool:
    """Samples hold other documents too: workload descriptors, chart values, plain Kubernetes objects."""
    return (
        isinstance(document, dict)
        and {"apiVersion", "kind", "spec"} <= document.keys()
        and str(document["apiVersion"]).startswith("openchoreo.dev/")
    )
