"""ResourceType and ClusterResourceType, and releases of them: what planes report is for outputs and readiness only."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.compiler.admission import resource_release_errors, resource_type_errors
from tests.compiler.admission.specs import manifest, paths, resource_type, schema, texts


def claim(**more: Any) -> dict[str, Any]:
    return {"resources": [{"id": "claim", "template": manifest("Claim"), **more}]}


def found(**more: Any) -> list[str]:
    return texts(resource_type_errors(resource_type(**more)))


def test_a_sound_type_passes() -> None:
    assert (
        found(
            parameters=schema(version={"type": "string"}),
            environmentConfigs=schema(tls={"type": "boolean"}),
            outputs=[
                {"name": "host", "value": "${applied.claim.status.host}:${applied['claim'].status.port}"},
                {"name": "user", "value": "fixed"},
                {"name": "key", "secretKeyRef": {"name": "${metadata.resourceName}-conn", "key": "password"}},
                {"name": "ca", "configMapKeyRef": {"name": "${applied.claim.status.ca}", "key": "ca.crt"}},
            ],
            **claim(
                includeWhen="${environmentConfigs.tls}",
                readyWhen="${has(applied.claim.status.ready) && applied.claim.status.ready}",
                template=manifest("Claim", spec={"version": "${parameters.version}", "${metadata.name}": 1}),
            ),
        )
        == []
    )


@pytest.mark.parametrize(
    ("field", "text", "reason"),
    [
        ("includeWhen", "${parameters}", "must return boolean"),
        ("includeWhen", "${applied.claim.status.ready}", "undeclared reference to 'applied'"),
        ("readyWhen", "${'yes'}", "must return boolean"),
        ("readyWhen", "${applied.claim.ready}", "undefined field 'ready'"),
        ("readyWhen", "${applied.other.status.ready}", "unknown ids [other]; declared ids: [claim]"),
        ("readyWhen", "${has(applied.other.status)}", "unknown ids [other]; declared ids: [claim]"),
        ("readyWhen", "${applied['other'].status.ready}", "unknown ids [other]; declared ids: [claim]"),
    ],
)
def test_conditions_are_checked(field: str, text: str, reason: str) -> None:
    (error,) = found(**claim(**{field: text}))
    assert error.startswith(f"spec.resources[0].{field}: Invalid value: ")
    assert reason in error


def test_templates_cannot_read_what_does_not_exist_yet() -> None:
    (error,) = found(**claim(template=manifest(host="${applied.claim.status.host}")))
    assert error.startswith("spec.resources[0].template[host]: ")


@pytest.mark.parametrize(
    ("output", "path"),
    [
        ({"value": "${applied.other.status.host}"}, "value"),
        ({"value": "x${absent}"}, "value"),
        ({"secretKeyRef": {"name": "${applied.other.status.name}", "key": "k"}}, "secretKeyRef.name"),
        ({"secretKeyRef": {"name": "n", "key": "${1 +}"}}, "secretKeyRef.key"),
        ({"configMapKeyRef": {"name": "n", "key": "${absent}"}}, "configMapKeyRef.key"),
        ({"configMapKeyRef": {"name": "${absent}", "key": "k"}}, "configMapKeyRef.name"),
    ],
)
def test_outputs_are_checked(output: dict[str, Any], path: str) -> None:
    errors = resource_type_errors(resource_type(outputs=[{"name": "host", **output}]))
    assert paths(errors) == [f"spec.outputs[0].{path}"]


def test_ids_that_an_expression_computes_are_left_to_the_plane() -> None:
    assert found(outputs=[{"name": "host", "value": "${applied[metadata.name].status.host}"}]) == []
    assert found(outputs=[{"name": "host", "value": "${applied.?other.?status.orValue('')}"}]) == []


def test_both_schemas_are_checked() -> None:
    broken = {"openAPIV3Schema": {"type": 5}}
    assert paths(resource_type_errors(resource_type(parameters=broken, environmentConfigs=broken))) == [
        "spec.parameters",
        "spec.environmentConfigs",
    ]


def release(values: Any, **more: Any) -> list[Any]:
    spec = {"resourceType": {"kind": "ResourceType", "name": "db", "spec": resource_type(**more)}}
    return list(resource_release_errors({**spec, "parameters": values}))


def test_a_release_holds_a_type_that_renders_and_parameters_that_fit() -> None:
    section = schema(version={"type": "string"})
    assert release({"version": "16"}, parameters=section) == []
    errors = release({"version": 16}, parameters=section, **claim(readyWhen="${applied.other.status.ok}"))
    assert paths(errors) == ["spec.parameters", "spec.resourceType.spec.resources[0].readyWhen"]
    assert "parameters do not match ResourceType schema: " in errors[0].message
