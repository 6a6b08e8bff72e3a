"""What a running control plane rendered is rendered again, to the same JSON, from the objects it had."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from catalog.compiler import resource
from catalog.compiler.component.endpoint_urls import endpoint_statuses
from catalog.compiler.errors import CompilerError
from tests.compiler.recording import Recording

# How many rendered releases of components, projects and resources each stage of the recording holds.
COUNTS = {
    "gcp-before-redis-is-pinned": {"componentName": 10, "projectName": 6, "resourceName": 0},
    "apply-errors": {"componentName": 29, "projectName": 12, "resourceName": 3},
    "settled": {"componentName": 41, "projectName": 21, "resourceName": 3},
}


@pytest.fixture(scope="module", params=COUNTS)
def stage(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def recording(conformance: Path, stage: str) -> Recording:
    return Recording(conformance / "live" / "objects.jsonl", stage)


def recorded_releases(recording: Recording, binding: dict) -> dict[str, dict]:
    """The RenderedReleases that a binding owned, by name; name, namespace, labels and spec of each."""
    return {
        item["metadata"]["name"]: {
            "apiVersion": item["apiVersion"],
            "kind": item["kind"],
            "metadata": {field: item["metadata"][field] for field in ("name", "namespace", "labels")},
            "spec": {
                field: item["spec"].get(field) for field in ("owner", "environmentName", "targetPlane", "resources")
            },
        }
        for item in recording.all("RenderedRelease", binding["metadata"]["namespace"])
        if any(owner["uid"] == binding["metadata"]["uid"] for owner in item["metadata"]["ownerReferences"])
    }


def as_json(value: object) -> str:
    """JSON text that tells ``1`` from ``1.0`` and from ``true``, which Python's equality does not."""
    return json.dumps(value, sort_keys=True, indent=1)


def test_every_component_binding_renders_its_recorded_releases(recording: Recording, stage: str) -> None:
    compared = 0
    for binding in recording.all("ReleaseBinding"):
        expected = recorded_releases(recording, binding)
        if not expected:
            continue
        made = {release["metadata"]["name"]: release for release in recording.component_releases(binding)}
        assert as_json(made) == as_json(expected), binding["metadata"]["name"]
        compared += len(expected)
    assert compared == COUNTS[stage]["componentName"]


def test_every_project_binding_renders_its_recorded_release(recording: Recording, stage: str) -> None:
    compared = 0
    for binding in recording.all("ProjectReleaseBinding"):
        for name, expected in recorded_releases(recording, binding).items():
            assert as_json(recording.project_release(binding)) == as_json(expected), name
            compared += 1
    assert compared == COUNTS[stage]["projectName"]


def test_every_resource_binding_renders_its_recorded_release(recording: Recording, stage: str) -> None:
    compared = 0
    for binding in recording.all("ResourceReleaseBinding"):
        for name, expected in recorded_releases(recording, binding).items():
            assert as_json(recording.resource_release(binding)) == as_json(expected), name
            compared += 1
    assert compared == COUNTS[stage]["resourceName"]


def test_endpoint_addresses_are_read_from_the_rendered_objects(recording: Recording, stage: str) -> None:
    compared = 0
    for binding in recording.all("ReleaseBinding"):
        rendered = recorded_releases(recording, binding).get(
            f"{binding['spec']['owner']['componentName']}-{binding['spec']['environment']}"
        )
        if rendered is None:
            continue
        environment, plane = recording.environment_and_plane(binding)
        endpoints = recording.release(binding)["spec"]["workload"].get("endpoints") or {}
        objects = [entry["object"] for entry in rendered["spec"]["resources"]]
        found = endpoint_statuses(objects, endpoints, environment, plane)
        assert found == binding["status"].get("endpoints", []), binding["metadata"]["name"]
        compared += len(found)
    assert compared >= COUNTS[stage]["componentName"] / 2


def test_connections_resolve_to_the_recorded_addresses(recording: Recording) -> None:
    compared = 0
    for binding in recording.all("ReleaseBinding"):
        if not recorded_releases(recording, binding):
            continue
        targets, resolved, pending = recording.connections(binding)
        status = binding["status"]
        assert targets == status.get("connectionTargets", []), binding["metadata"]["name"]
        assert resolved == status.get("resolvedConnections", []), binding["metadata"]["name"]
        assert pending == status.get("pendingConnections", []), binding["metadata"]["name"]
        compared += len(targets)
    assert compared > 10


def test_outputs_resolve_from_what_the_plane_reported(recording: Recording, stage: str) -> None:
    compared = 0
    for binding in recording.all("ResourceReleaseBinding"):
        for name in recorded_releases(recording, binding):
            release = recording.get("RenderedRelease", binding["metadata"]["namespace"], name)
            observed = {item["id"]: item.get("status") or {} for item in release["status"]["resources"]}
            outputs = resource.outputs(recording.resource_input(binding), observed)
            assert outputs == binding["status"]["outputs"], name
            compared += len(outputs)
    assert compared >= COUNTS[stage]["resourceName"]


def test_a_render_that_failed_fails_again_with_the_same_words(conformance: Path) -> None:
    recording = Recording(conformance / "live" / "objects.jsonl", "settled")
    failed = {
        binding["metadata"]["name"]: condition["message"]
        for binding in recording.all("ReleaseBinding")
        for condition in binding["status"]["conditions"]
        if condition["type"] == "ReleaseSynced" and condition["reason"] == "RenderingFailed"
    }
    again = {}
    for name in failed:
        with pytest.raises(CompilerError) as raised:
            recording.component_releases(recording.get("ReleaseBinding", "default", name))
        again[name] = f"Failed to render resources: {raised.value}"
    assert again == failed
    assert len(failed) == 4


def test_releases_that_are_being_deleted_are_still_what_their_sources_render(conformance: Path) -> None:
    # This stage holds only what was being deleted; the sources are those of the stage before.
    path = conformance / "live" / "objects.jsonl"
    deleting, settled = Recording(path, "deleting-1s"), Recording(path, "settled")
    compared = 0
    for binding in settled.all("ReleaseBinding"):
        if expected := recorded_releases(deleting, binding):
            made = {release["metadata"]["name"]: release for release in settled.component_releases(binding)}
            assert as_json(made) == as_json(expected), binding["metadata"]["name"]
            compared += len(expected)
    for binding in settled.all("ProjectReleaseBinding"):
        for name, expected in recorded_releases(deleting, binding).items():
            assert as_json(settled.project_release(binding)) == as_json(expected), name
            compared += 1
    assert compared == len(deleting.all("RenderedRelease")) == 5
