"""Trait and ClusterTrait: what a trait creates, patches and removes, and never does to a workload."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.compiler.admission import trait_errors
from tests.compiler.admission.specs import manifest, paths, schema, texts

TARGET = {"group": "gateway.networking.k8s.io", "version": "v1", "kind": "HTTPRoute"}
PARAMETERS = schema(names={"type": "array", "items": {"type": "string"}}, size={"type": "integer"})


def found(**spec: Any) -> list[str]:
    return texts(trait_errors({"parameters": PARAMETERS, **spec}))


def patch(*operations: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    return [{"target": TARGET, "operations": list(operations), **more}]


def test_a_sound_trait_passes() -> None:
    assert trait_passes(
        creates=[{"template": manifest(data={"a": "${trait.instanceName}"}), "includeWhen": "${parameters.size > 1}"}],
        patches=patch(
            {"op": "add", "path": "/metadata/labels/${name}", "value": {"${name}": ["${name + metadata.name}"]}},
            {"op": "remove", "path": "/spec/x"},
            forEach="${parameters.names}",
            var="name",
            target={**TARGET, "where": "${resource.metadata.name == name}"},
        ),
        removes=[{"target": TARGET, "forEach": "${parameters.names}", "var": "name"}],
        preRenderValidations=[{"rule": "${parameters.size > 0}", "message": "none"}],
        postRenderValidations=[{"target": TARGET, "rule": "${resource.spec != null}", "message": "none"}],
    )
    assert trait_passes()


def trait_passes(**spec: Any) -> bool:
    return found(**spec) == []


@pytest.mark.parametrize("kind", ["Deployment", "statefulset", "DaemonSet", "Job", "CronJob"])
def test_a_trait_never_creates_a_workload(kind: str) -> None:
    assert found(creates=[{"template": manifest(kind)}]) == [
        f'spec.creates[0].template.kind: Forbidden: traits must not create workload resources (kind "{kind}"); '
        "the primary workload is defined by the ComponentType"
    ]


@pytest.mark.parametrize(("group", "kind"), [("apps", "Deployment"), ("batch", "CronJob"), ("batch", "Job")])
def test_a_trait_never_removes_a_workload(group: str, kind: str) -> None:
    (error,) = found(removes=[{"target": {"group": group, "version": "v1", "kind": kind}}])
    assert error.startswith("spec.removes[0].target.kind: Forbidden: traits must not remove workload resources")


def test_kinds_of_other_groups_may_have_the_name_of_a_workload() -> None:
    assert trait_passes(removes=[{"target": {"group": "example.org", "version": "v1", "kind": "Deployment"}}])
    assert trait_passes(removes=[{"target": {"group": "", "version": "v1", "kind": "Deployment"}}])


def test_what_a_trait_creates_is_complete_and_in_the_platforms_namespace() -> None:
    template = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "default"}}
    assert paths(trait_errors({"creates": [{"template": template}]})) == [
        "spec.creates[0].template.metadata.name",
        "spec.creates[0].template.metadata.namespace",
    ]


@pytest.mark.parametrize(
    ("operation", "path", "reason"),
    [
        ({"op": "move", "path": "/a"}, "op", "invalid patch operation (valid: add, replace, remove)"),
        ({"op": "add", "path": "", "value": 1}, "path", "patch path is required"),
        ({"op": "add", "path": "/a"}, "value", "value is required for 'add' operation"),
        ({"op": "replace", "path": "/a", "value": None}, "value", "value is required for 'replace' operation"),
        ({"op": "remove", "path": "/a", "value": 1}, "value", "value should not be specified for 'remove' operation"),
        ({"op": "add", "path": "/a", "value": "${absent}"}, "value", "undeclared reference to 'absent'"),
        ({"op": "add", "path": "/a", "value": {"b": "${absent}"}}, "value[b]", "undeclared reference to 'absent'"),
    ],
)
def test_operations_of_a_patch_are_checked(operation: dict[str, Any], path: str, reason: str) -> None:
    (error,) = found(patches=patch(operation))
    assert error.startswith(f"spec.patches[0].operations[0].{path}: ")
    assert reason in error


def test_as_in_the_contract_expressions_in_a_path_are_left_to_the_render() -> None:
    assert trait_passes(patches=patch({"op": "remove", "path": "/metadata/${absent}"}))


@pytest.mark.parametrize(
    ("entry", "path"),
    [
        ({"target": {**TARGET, "where": "${1}"}}, "target.where"),
        ({"target": {**TARGET, "where": "${resource.metadata.name == parameters.absent}"}}, "target.where"),
        ({"target": {**TARGET, "version": ""}}, "target.version"),
        ({"target": {**TARGET, "kind": ""}}, "target.kind"),
        ({"target": TARGET, "forEach": "${parameters.size}", "var": "x"}, "forEach"),
        ({"target": TARGET, "forEach": "${absent}", "var": "x"}, "forEach"),
    ],
)
def test_selections_of_patches_and_removals_are_checked_alike(entry: dict[str, Any], path: str) -> None:
    operations = [{"op": "remove", "path": "/a"}]
    assert paths(trait_errors({"parameters": PARAMETERS, "removes": [entry]})) == [f"spec.removes[0].{path}"]
    assert paths(trait_errors({"parameters": PARAMETERS, "patches": [{**entry, "operations": operations}]})) == [
        f"spec.patches[0].{path}"
    ]


def test_a_trait_sees_its_own_parameters_only() -> None:
    (error,) = found(creates=[{"template": manifest(data="${parameters.replicas}")}])
    assert error.startswith("spec.creates[0].template[data]: ")
    assert "undefined field 'replicas'" in error


def test_the_recorded_refusal() -> None:
    template = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "${nowhere.x}"}}
    assert texts(trait_errors({"creates": [{"template": template}]})) == [
        'spec.creates[0].template[metadata][name]: Invalid value: "${nowhere.x}": '
        "invalid CEL expression 'nowhere.x': type check error: "
        "ERROR: <input>:1:1: undeclared reference to 'nowhere' (in container '')\n | nowhere.x\n | ^"
    ]
