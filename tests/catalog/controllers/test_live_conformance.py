"""What the controllers of a recorded control plane made of the samples, ours make too: names, content, conditions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import override_settings

from catalog import store
from catalog.kinds.registry import kind_named
from tests.catalog.controllers.live_replay import NAMESPACE, Document, Replay

pytestmark = pytest.mark.django_db

STATUS_FIELDS = {
    "Component": ("latestRelease",),
    "ReleaseBinding": (
        "endpoints",
        "connectionTargets",
        "resolvedConnections",
        "pendingConnections",
        "resourceDependencyTargets",
        "pendingResourceDependencies",
        "secretReferenceNames",
    ),
    "Project": ("latestRelease",),
    "ProjectReleaseBinding": ("namespace",),
    "Resource": ("latestRelease",),
    "ResourceReleaseBinding": ("outputs",),
}


STAGES = {
    "gcp-before-redis-is-pinned": {"samples": ("gcp-microservices-demo",)},
    "apply-errors": {},
    "settled": {"with_cases": True},
}


RECORDED = {
    "gcp-before-redis-is-pinned": {"ComponentRelease": 10, "ReleaseBinding": 10, "RenderedRelease": 16},
    "apply-errors": {"ComponentRelease": 28, "ReleaseBinding": 28, "RenderedRelease": 44},
    "settled": {"ComponentRelease": 37, "ReleaseBinding": 46, "RenderedRelease": 56},
}


@pytest.fixture(scope="module", params=STAGES)
def replay(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: Any, conformance: Path
) -> Iterator[Replay]:
    """One replay of a stage for all tests of this file; nothing of it is kept."""
    # There, nobody made the bindings of projects but people; the samples bring theirs.
    leave_cells_to_people = override_settings(MANAGE_PROJECT_RELEASE_BINDINGS=False)
    with django_db_blocker.unblock(), transaction.atomic(), leave_cells_to_people:
        found = Replay(conformance, request.param, **STAGES[request.param])
        found.run()
        yield found
        transaction.set_rollback(True)


def test_the_recording_is_complete(replay: Replay) -> None:
    """So that no other test here passes for want of anything to compare."""
    assert {kind: len(replay.all(kind)) for kind in RECORDED[replay.stage]} == RECORDED[replay.stage]


def made(item: Document) -> Document:
    """Our object of the same kind and name, as a document; {} if there is none."""
    obj = store.get_or_none(item["kind"], NAMESPACE, item["metadata"]["name"])
    return {} if obj is None else store.to_document(obj)


def conditions(item: Document) -> dict[str, tuple[str, str, str]]:
    """Status, reason and message by type."""
    held = item.get("status", {}).get("conditions", [])
    return {entry["type"]: (entry["status"], entry["reason"], entry["message"]) for entry in held}


def differences(replay: Replay, kind: str, *fields: str) -> list[tuple[str, str, Any, Any]]:
    """What differs in these parts of the documents: (name, part, expected, got)."""
    found = []
    for item in replay.all(kind):
        got = made(item)
        if not got:
            found.append((item["metadata"]["name"], "missing", None, None))
            continue
        for field in fields:
            if item.get(field) != got.get(field):
                found.append((item["metadata"]["name"], field, item.get(field), got.get(field)))
    return found


@pytest.mark.parametrize("kind", ["ComponentRelease", "ProjectRelease", "ResourceRelease"])
def test_releases_have_the_recorded_names_and_content(replay: Replay, kind: str) -> None:
    assert differences(replay, kind, "spec") == []


def test_no_release_is_made_that_was_not_recorded(replay: Replay) -> None:
    for kind in ("ComponentRelease", "ProjectRelease", "ResourceRelease", "ReleaseBinding", "RenderedRelease"):
        names = set(kind_named(kind).objects.system("test").values_list("name", flat=True))
        assert names == {item["metadata"]["name"] for item in replay.all(kind)}, kind


def test_bindings_point_at_the_recorded_releases(replay: Replay) -> None:
    assert differences(replay, "ReleaseBinding", "spec") == []


def test_rendered_releases_hold_the_recorded_objects(replay: Replay) -> None:
    different = []
    for item in replay.all("RenderedRelease"):
        got = made(item)
        expected = {"labels": item["metadata"]["labels"], "spec": item["spec"]}
        actual = {"labels": got["metadata"].get("labels"), "spec": got["spec"]} if got else {}
        if actual != expected:
            different.append((item["metadata"]["name"], expected, actual))
    assert different == []


@pytest.mark.parametrize("kind", ["Component", "ReleaseBinding"])
def test_conditions_are_the_recorded_ones(replay: Replay, kind: str) -> None:
    different = {}
    for item in replay.all(kind):
        expected, got = conditions(item), conditions(made(item))
        if expected != got:
            different[item["metadata"]["name"]] = (expected, got)
    assert different == {}


@pytest.mark.parametrize("kind", sorted(STATUS_FIELDS))
def test_statuses_report_what_was_recorded(replay: Replay, kind: str) -> None:
    different = []
    for item in replay.all(kind):
        status = made(item).get("status", {})
        for field in STATUS_FIELDS[kind]:
            if item.get("status", {}).get(field) != status.get(field):
                different.append((item["metadata"]["name"], field, item["status"].get(field), status.get(field)))
    assert different == []
