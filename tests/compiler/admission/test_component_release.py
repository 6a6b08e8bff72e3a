"""ComponentRelease: what it froze fits together; and a type is checked once, however many releases carry it."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.compiler.admission import component_release_errors, component_type_errors, verdicts
from tests.compiler.admission.specs import component_release, component_type, manifest, paths, resource, schema, texts

ALERT: dict[str, Any] = {
    "kind": "ClusterTrait",
    "name": "alert",
    "spec": {"parameters": schema(severity={"type": "string"}), "creates": [{"template": manifest()}]},
}


def frozen(**more: Any) -> dict[str, Any]:
    return {"kind": "ComponentType", "name": "deployment/web", "spec": component_type(**more)}


def instance(name: str = "alert", kind: str = "ClusterTrait", **more: Any) -> dict[str, Any]:
    return {"kind": kind, "name": name, "instanceName": name, **more}


def found(**spec: Any) -> list[str]:
    return texts(component_release_errors(component_release(**spec)))


def test_a_sound_release_passes() -> None:
    profile = {"parameters": {"size": 1}, "traits": [instance(parameters={"severity": "high"})]}
    section = schema(size={"type": "integer"})
    assert found(componentType=frozen(parameters=section), traits=[ALERT], componentProfile=profile) == []
    assert found() == []


def test_traits_are_frozen_once_by_kind_and_name() -> None:
    other = {**ALERT, "kind": "Trait"}
    assert found(traits=[ALERT, other, ALERT]) == ['spec.traits[2]: Duplicate value: "ClusterTrait:alert"']


def test_instances_have_names_of_their_own_and_a_frozen_trait() -> None:
    profile = {"traits": [instance(), instance(), instance("scale"), instance(kind="Trait", instanceName="c")]}
    place, missing = "spec.componentProfile.traits", "referenced in componentProfile but not found in traits snapshot"
    assert found(traits=[ALERT], componentProfile=profile) == [
        f'{place}[1].instanceName: Duplicate value: "alert"',
        f"{place}[2].name: Invalid value: \"scale\": trait 'scale' (kind ClusterTrait) {missing}",
        f"{place}[3].name: Invalid value: \"alert\": trait 'alert' (kind Trait) {missing}",
    ]


def test_parameters_fit_their_schemas_and_are_not_defaulted() -> None:
    section = schema(size={"type": "integer", "default": 1})
    section["openAPIV3Schema"]["required"] = ["size"]
    profile = {"traits": [instance(parameters={"severity": 5})]}
    errors = found(componentType=frozen(parameters=section), traits=[ALERT], componentProfile=profile)
    place, misfit = "spec.componentProfile", "Invalid value: parameters do not match"
    assert errors[0] == f"{place}.parameters: {misfit} ComponentType schema: .size is required"
    assert errors[1].startswith(
        f'{place}.traits[0].parameters: {misfit} Trait "alert" schema: severity must be of type'
    )


def test_the_frozen_type_and_traits_must_render() -> None:
    broken = {**ALERT, "spec": {"creates": [{"template": manifest("Job", data="${absent}")}]}}
    errors = component_release_errors(
        component_release(
            componentType={"spec": component_type(resource("StatefulSet", includeWhen="${1}"))},
            traits=[ALERT, {**broken, "name": "broken"}],
        )
    )
    assert paths(errors) == [
        "spec.componentType.spec.resources[1].includeWhen",
        "spec.componentType.spec.resources[1].template.kind",
        "spec.traits[1].spec.creates[0].template.kind",
        "spec.traits[1].spec.creates[0].template[data]",
    ]


def test_keywords_unknown_to_the_contract_stay_in_releases_made_before_they_were_refused() -> None:
    assert found(componentType=frozen(parameters={"openAPIV3Schema": {"const": 1}})) == []


def test_a_workload_has_an_image() -> None:
    assert found(workload={"container": {}}) == [
        "spec.workload.container.image: Required value: workload container must have an image"
    ]


@pytest.fixture
def count_of_checks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often an expression is compiled."""
    from catalog.compiler.admission.expressions import Expressions

    verdicts._verdict.cache_clear()
    calls = [0]
    compile_expression = Expressions.compile

    def counted(self: Expressions, source: str) -> Any:
        calls[0] += 1
        return compile_expression(self, source)

    monkeypatch.setattr(Expressions, "compile", counted)
    return calls


def test_a_type_is_checked_once_for_its_content_wherever_it_stands(count_of_checks: list[int]) -> None:
    broken = component_type(resource(includeWhen="${absent}"))
    first = list(component_type_errors(broken, cluster=False))
    checks = count_of_checks[0]
    assert checks > 0
    assert list(component_type_errors(component_type(resource(includeWhen="${absent}")), cluster=False)) == first
    elsewhere = list(component_type_errors(broken, cluster=False, path="spec.componentType.spec"))
    assert count_of_checks[0] == checks
    assert [error.path for error in elsewhere] == ["spec.componentType.spec.resources[1].includeWhen"]


def test_a_thousand_releases_of_one_type_check_it_once(count_of_checks: list[int]) -> None:
    assert found() == []
    checks = count_of_checks[0]
    for number in range(1000):
        assert found(workload={"container": {"image": f"registry.example/web:{number}"}}) == []
    assert count_of_checks[0] == checks


def test_changed_content_is_checked_anew(count_of_checks: list[int]) -> None:
    spec = component_type()
    assert list(component_type_errors(spec, cluster=False)) == []
    spec["resources"][0]["template"]["spec"] = "${absent}"
    assert len(list(component_type_errors(spec, cluster=False))) == 1
