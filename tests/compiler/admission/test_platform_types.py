"""Every platform type that the conformance data has, and every type of our own, passes admission."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest

from catalog.compiler.admission import (
    component_errors,
    component_release_errors,
    component_type_errors,
    resource_release_errors,
    resource_type_errors,
    trait_errors,
    workflow_errors,
)
from catalog.compiler.schema import FieldError
from catalog.compiler.yaml import load_documents
from tests.conftest import REPOSITORY

CHECKS: dict[str, Callable[[dict[str, Any]], Iterable[FieldError]]] = {
    "ComponentType": partial(component_type_errors, cluster=False),
    "ClusterComponentType": partial(component_type_errors, cluster=True),
    "Trait": trait_errors,
    "ClusterTrait": trait_errors,
    "ResourceType": resource_type_errors,
    "ClusterResourceType": resource_type_errors,
    "Workflow": workflow_errors,
    "ClusterWorkflow": workflow_errors,
    "Component": component_errors,
    "ComponentRelease": component_release_errors,
    "ResourceRelease": resource_release_errors,
}


def documents(folder: Path) -> Iterator[tuple[Path, Any]]:
    for path in sorted([*folder.rglob("*.yaml"), *folder.rglob("*.yml")]):
        for document in load_documents(path.read_bytes(), path.name):
            yield path, document.value


def refused(folder: Path) -> tuple[int, list[str]]:
    """How many documents were looked at, and what is wrong with them."""
    looked_at, errors = 0, []
    for path, document in documents(folder):
        if not isinstance(document, dict) or not str(document.get("apiVersion")).startswith("openchoreo.dev/"):
            continue
        check = CHECKS.get(document.get("kind"))
        if check is not None:
            looked_at += 1
            errors += [f"{path.name} {document['kind']}: {error}" for error in check(document.get("spec") or {})]
    return looked_at, errors


@pytest.mark.parametrize(("folder", "at_least"), [("samples", 85), ("modules", 35), ("live/cases", 10)])
def test_types_of_samples_modules_and_recordings_pass(conformance: Path, folder: str, at_least: int) -> None:
    looked_at, errors = refused(conformance / folder)
    assert errors == []
    assert looked_at >= at_least


@pytest.mark.parametrize(("folder", "at_least"), [("portal/quickstart/defaults", 12), ("docs/samples", 10)])
def test_types_of_our_own_pass(folder: str, at_least: int) -> None:
    looked_at, errors = refused(REPOSITORY / folder)
    assert errors == []
    assert looked_at >= at_least


def test_what_a_running_control_plane_had_stored_passes(conformance: Path) -> None:
    kinds = set()
    for line in (conformance / "live" / "objects.jsonl").read_bytes().splitlines():
        document = orjson.loads(line)["object"]
        if (check := CHECKS.get(document["kind"])) is not None:
            kinds.add(document["kind"])
            assert list(check(document["spec"])) == [], document["metadata"]["name"]
    assert {"ComponentRelease", "ResourceRelease", "Component"} <= kinds
