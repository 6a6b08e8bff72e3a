"""ComponentType and ClusterComponentType: everything wrong with a type is told at once."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.compiler.admission import component_type_errors
from tests.compiler.admission.specs import component_type, manifest, paths, resource, schema, texts

ALERT = {"kind": "ClusterTrait", "name": "alert"}


def found(*resources: Any, cluster: bool = False, **more: Any) -> list[Any]:
    return list(component_type_errors(component_type(*resources, **more), cluster=cluster))


def test_a_sound_type_passes() -> None:
    errors = found(
        resource(forEach="${workload.endpoints}", var="endpoint", includeWhen="${parameters.public}")
        | {"template": manifest(data={"port": "${string(endpoint.value.port)}"})},
        parameters=schema(public={"type": "boolean"}),
        preRenderValidations=[{"rule": "${size(workload.endpoints) > 0}", "message": "no endpoint"}],
        traits=[{**ALERT, "instanceName": "a", "parameters": {"x": "${parameters.unchecked}"}}],
        allowedTraits=[{"kind": "ClusterTrait", "name": "scale"}],
        allowedWorkflows=[{"kind": "ClusterWorkflow", "name": "build"}, {"kind": "Workflow", "name": "build"}],
    )
    assert errors == []


def test_everything_wrong_is_told_at_once_each_with_its_path() -> None:
    errors = found(
        resource(includeWhen="${1}", forEach="${2}") | {"template": {"kind": "ConfigMap", "data": "${absent}"}},
        parameters={"openAPIV3Schema": {"typ": "object"}},
        validations=[{"rule": "${'a'}"}],
        postRenderValidations=[
            {"target": {"group": "", "version": "v1", "kind": "Service"}, "rule": "${resource + 1 +}"}
        ],
        traits=[{**ALERT, "instanceName": "a"}, {**ALERT, "instanceName": "a"}],
        allowedTraits=[ALERT],
    )
    assert paths(errors) == [
        "spec.parameters",
        "spec.resources[1].includeWhen",
        "spec.resources[1].forEach",
        "spec.resources[1].template[data]",
        "spec.validations[0].rule",
        "spec.postRenderValidations[0].rule",
        "spec.resources[1].template.apiVersion",
        "spec.resources[1].template.metadata.name",
        "spec.traits[1].instanceName",
        "spec.allowedTraits[0]",
    ]


def test_the_condition_of_a_resource_does_not_see_the_loop() -> None:
    (error,) = found(resource(forEach="${['a']}", var="each", includeWhen="${each == 'a'}"))
    assert error.path == "spec.resources[1].includeWhen"
    assert "undeclared reference to 'each'" in error.message


def test_parameters_without_a_schema_cannot_be_read() -> None:
    (error,) = found(resource() | {"template": manifest(data="${parameters.size}")})
    assert error.path == "spec.resources[1].template[data]"
    assert "undefined field 'size'" in error.message


TARGET = {"group": "apps", "version": "v1", "kind": "Deployment"}


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ({"when": "${1}", "rule": "${true}"}, "when"),
        ({"when": "${each == 'a'}", "forEach": "${['a']}", "var": "each", "rule": "${each == 'a'}"}, "when"),
        ({"when": "${resource.x}", "rule": "${true}"}, "when"),
        ({"forEach": "${1}", "var": "each", "rule": "${true}"}, "forEach"),
        ({"target": {**TARGET, "where": "${'a'}"}, "rule": "${true}"}, "target.where"),
        ({"target": {**TARGET, "where": "${absent}"}, "rule": "${true}"}, "target.where"),
        ({"target": {**TARGET, "version": ""}, "rule": "${true}"}, "target.version"),
        ({"target": {**TARGET, "kind": ""}, "rule": "${true}"}, "target.kind"),
        ({"rule": "${1}"}, "rule"),
    ],
)
def test_rules_on_rendered_manifests_are_checked(rule: dict[str, Any], path: str) -> None:
    assert paths(found(postRenderValidations=[{"target": TARGET, **rule}])) == [f"spec.postRenderValidations[0].{path}"]


def test_rules_on_rendered_manifests_see_the_manifest_and_the_item() -> None:
    where = "${resource.metadata.name == each}"
    rule = {"forEach": "${['a']}", "var": "each", "rule": "${resource.spec.replicas > 1 && each != ''}"}
    assert found(postRenderValidations=[{"target": {**TARGET, "where": where}, **rule}]) == []


def test_instances_of_embedded_traits_have_names_of_their_own() -> None:
    assert texts(found(traits=[{**ALERT, "instanceName": "a"}, {**ALERT, "name": "other", "instanceName": "a"}])) == [
        'spec.traits[1].instanceName: Duplicate value: "instanceName \\"a\\" is already used by trait at index 0"'
    ]


def test_what_is_allowed_is_named_once_by_kind_and_name() -> None:
    other = {"kind": "Trait", "name": "alert"}
    build = {"kind": "Workflow", "name": "build"}
    errors = found(allowedTraits=[ALERT, other, ALERT], allowedWorkflows=[build, build])
    assert texts(errors) == [
        'spec.allowedTraits[2]: Duplicate value: "ClusterTrait:alert"',
        'spec.allowedWorkflows[1]: Duplicate value: "Workflow:build"',
    ]


def test_of_a_cluster_type_names_are_enough() -> None:
    errors = found(cluster=True, traits=[{**ALERT, "instanceName": "a"}], allowedTraits=[ALERT])
    assert texts(errors) == [
        'spec.allowedTraits[0]: Invalid value: "alert": '
        "trait is already embedded in spec.traits and cannot also be in allowedTraits"
    ]
