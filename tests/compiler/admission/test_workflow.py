"""Workflow and ClusterWorkflow, and Component: structure and names."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.compiler.admission import component_errors, workflow_errors
from tests.compiler.admission.specs import texts, workflow

PLACE = "spec.runTemplate.metadata.namespace"


def found(**more: Any) -> list[str]:
    return texts(workflow_errors(workflow(**more)))


def with_namespace(**namespace: Any) -> list[str]:
    template = {"apiVersion": "v1", "kind": "Run", "metadata": {"name": "a", **namespace}}
    return found(runTemplate=template)


def test_a_sound_workflow_passes_and_its_expressions_are_left_to_its_runs() -> None:
    template = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "${a.b}", "namespace": "${metadata.namespace}"},
    }
    assert found(resources=[{"id": "a", "template": template}, {"id": "b", "template": template}]) == []


def test_a_run_stays_in_the_namespace_made_for_it() -> None:
    required = "metadata.namespace is required and must be set to"
    assert with_namespace() == [f'{PLACE}: Required value: {required} "${{metadata.namespace}}"']
    assert with_namespace(namespace="fixed") == [
        f'{PLACE}: Invalid value: "fixed": if metadata.namespace is specified, it must be "${{metadata.namespace}}"',
        f'{PLACE}: Invalid value: "fixed": metadata.namespace must be set to "${{metadata.namespace}}"',
    ]


def test_the_namespace_is_demanded_to_the_letter() -> None:
    assert len(with_namespace(namespace="${ metadata.namespace }")) == 1


def test_further_resources_are_checked_like_the_run() -> None:
    errors = found(resources=[{"id": "a", "template": {"apiVersion": "v1", "metadata": {"name": "x"}}}])
    assert [error.partition(": ")[0] for error in errors] == [
        "spec.resources[0].template.kind",
        "spec.resources[0].template.metadata.namespace",
    ]


@pytest.mark.parametrize(("field", "word"), [("resources", "resource"), ("externalRefs", "externalRef")])
def test_ids_are_used_once(field: str, word: str) -> None:
    entry = {"id": "a", "template": workflow()["runTemplate"]}
    assert found(**{field: [entry, entry]}) == [
        f'spec.{field}[1].id: Duplicate value: "{word} id \\"a\\" is already used at index 0"'
    ]


def test_the_schema_is_checked() -> None:
    (error,) = found(parameters={"openAPIV3Schema": {"typ": "object"}})
    assert error.startswith("spec.parameters: Invalid value: openAPIV3Schema contains unknown or invalid fields")


def test_instances_of_a_components_traits_have_names_of_their_own() -> None:
    traits = [{"kind": kind, "name": "alert", "instanceName": name} for kind, name in (("Trait", "a"), ("Trait", "b"))]
    assert list(component_errors({"traits": traits})) == []
    assert texts(
        component_errors({"traits": [*traits, {"kind": "ClusterTrait", "name": "x", "instanceName": "a"}]})
    ) == ['spec.traits[2].instanceName: Duplicate value: "a"']
    assert list(component_errors({})) == []
