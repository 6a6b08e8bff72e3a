"""The hash in release names, against every release that the reference cut while it was recorded."""

import copy
import json
import re

import pytest

from catalog.compiler.errors import InputError
from catalog.compiler.gohash import hash_text
from catalog.compiler.release_document import (
    stored_component_release_spec,
    stored_project_release_spec,
    stored_resource_release_spec,
)
from catalog.compiler.release_hash import component_release_hash, project_release_hash, resource_release_hash

HASHES = {
    "ComponentRelease": (component_release_hash, "componentName"),
    "ProjectRelease": (project_release_hash, "projectName"),
    "ResourceRelease": (resource_release_hash, "resourceName"),
}
STORED = {
    "ComponentRelease": stored_component_release_spec,
    "ProjectRelease": stored_project_release_spec,
    "ResourceRelease": stored_resource_release_spec,
}
MADE_BY_HAND = re.compile(r"-\d{8}-\d+$")  # {component}-{yyyymmdd}-{n}: no hash in it


@pytest.fixture(scope="module")
def recorded(conformance):
    lines = (conformance / "live" / "objects.jsonl").read_text().splitlines()
    return [(line["stage"], line["object"]) for line in map(json.loads, lines)]


@pytest.fixture(scope="module")
def releases(recorded):
    return [(stage, item) for stage, item in recorded if item["kind"] in HASHES]


def test_recorded_releases_get_the_names_that_the_reference_gave_them(recorded, releases):
    workloads = {
        (stage, item["metadata"]["namespace"], item["spec"]["owner"]["componentName"]): item["spec"]
        for stage, item in recorded
        if item["kind"] == "Workload"
    }
    expected, got = [], []
    for stage, release in releases:
        metadata, spec = release["metadata"], release["spec"]
        compute, owner = HASHES[release["kind"]]
        if MADE_BY_HAND.search(metadata["name"]):
            continue
        workload = workloads.get((stage, metadata["namespace"], spec["owner"].get("componentName")))
        expected.append((stage, metadata["name"]))
        got.append((stage, f"{spec['owner'][owner]}-{compute(as_it_was_cut(spec, workload))}"))
    assert got == expected
    assert len(got) > 90


def as_it_was_cut(spec, workload):
    """The release with its workload as declared: the stored release has lost its empty lists, which the hash saw."""
    if workload is None:
        return spec
    declared = {key: value for key, value in workload.items() if key != "owner"}
    cut = {**spec, "workload": declared}
    return cut if stored_component_release_spec(cut) == spec else spec


def test_recorded_releases_hold_no_empty_optional_fields(releases):
    for _, release in releases:
        assert STORED[release["kind"]](release["spec"]) == release["spec"]


SPEC = {
    "owner": {"projectName": "p", "componentName": "c"},
    "componentType": {
        "kind": "ComponentType",
        "name": "deployment/service",
        "spec": {
            "workloadType": "deployment",
            "parameters": {"openAPIV3Schema": {"type": "object"}},
            "postRenderValidations": [
                {"target": {"group": "apps", "kind": "Deployment", "mustMatch": False}, "rule": "r", "message": "m"}
            ],
            "resources": [{"id": "deployment", "template": {"b": 1.0, "a": "<x>"}}],
        },
    },
    "traits": [
        {"kind": "Trait", "name": "b", "spec": {}},
        {"kind": "ClusterTrait", "name": "z", "spec": {}},
        {"kind": "Trait", "name": "a", "spec": {}},
    ],
    "componentProfile": {"parameters": {"n": 1}},
    "workload": {
        "container": {"image": "i", "env": [{"key": "K", "value": "v"}]},
        "endpoints": {"http": {"port": 80, "type": "HTTP", "visibility": ["external"]}},
    },
}


def changed(path, value):
    spec = copy.deepcopy(SPEC)
    *parents, last = path
    node = spec
    for step in parents:
        node = node[step]
    node[last] = value
    return spec


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("owner",), {"projectName": "other"}),
        (("traits",), list(reversed(SPEC["traits"]))),
        (("workload", "dependencies"), None),
        (("workload", "endpoints", "http", "port"), 80.0),
        (("componentType", "spec", "resources", 0, "template"), {"a": "<x>", "b": 1}),
    ],
)
def test_what_does_not_change_a_release_does_not_change_its_hash(path, value):
    assert component_release_hash(changed(path, value)) == component_release_hash(SPEC)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("workload", "container", "args"), []),
        (("workload", "container", "image"), "j"),
        (("workload", "endpoints", "http", "port"), 81),
        (("workload", "dependencies"), {}),
        (("componentType", "kind"), "ClusterComponentType"),
        (("componentType", "spec", "resources", 0, "template", "a"), "<y>"),
        (("componentType", "spec", "postRenderValidations", 0, "target", "mustMatch"), True),
        (("componentType", "spec", "postRenderValidations", 0, "target", "group"), ""),
        (("componentProfile", "parameters", "n"), 2),
        (("componentProfile", "parameters"), None),
    ],
)
def test_what_changes_a_release_changes_its_hash(path, value):
    assert component_release_hash(changed(path, value)) != component_release_hash(SPEC)


def test_the_text_that_is_hashed_holds_types_nils_and_raw_bytes():
    spec = {"projectType": {"kind": "ProjectType", "name": "n", "spec": {"resources": []}}, "parameters": {}}
    text = (
        "(project.ReleaseSpec){ProjectType:(v1alpha1.ProjectReleaseProjectType){Kind:(v1alpha1.ProjectTypeRefKind)"
        "ProjectType Name:(string)n Spec:(v1alpha1.ProjectTypeSpec){Parameters:(*v1alpha1.SchemaSection)<nil> "
        "EnvironmentConfigs:(*v1alpha1.SchemaSection)<nil> Validations:([]v1alpha1.ValidationRule)<nil> "
        "Resources:([]v1alpha1.ResourceTemplate)[]}} Parameters:(*runtime.RawExtension){Raw:([]uint8)[123 125] "
        "Object:(runtime.Object)<nil>}}"
    )
    assert project_release_hash(spec) == hash_text(text)


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        (("workload", "container", "args"), "x", "spec.workload.container.args must be a list"),
        (("workload", "container"), [], "spec.workload.container must be an object"),
        (("workload", "container", "env", 0, "value"), 5, r"spec.workload.container.env\[0\].value must be a string"),
        (("workload", "endpoints", "http", "port"), "80", "spec.workload.endpoints.http.port must be an integer"),
        (("traits",), [1], "must be an object"),
    ],
)
def test_documents_that_are_no_release_are_refused(path, value, place):
    with pytest.raises(InputError, match=place):
        component_release_hash(changed(path, value))


def test_storing_drops_empty_optional_fields_only():
    cut = changed(("workload", "container"), {"image": "", "args": [], "env": [{"key": "K", "value": ""}]})
    cut["componentProfile"] = {"parameters": {}, "traits": []}
    cut["workload"]["endpoints"]["http"] |= {"targetPort": 0, "schema": {}}
    stored = stored_component_release_spec(cut)
    assert stored["workload"]["container"] == {"image": "", "env": [{"key": "K"}]}
    assert stored["workload"]["endpoints"]["http"] == {
        "port": 80,
        "type": "HTTP",
        "visibility": ["external"],
        "schema": {},
    }
    assert stored["componentProfile"] == {"parameters": {}}
    assert stored["owner"] == cut["owner"]
    target = stored["componentType"]["spec"]["postRenderValidations"][0]["target"]
    assert target == {"group": "apps", "kind": "Deployment", "mustMatch": False}
