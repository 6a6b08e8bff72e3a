"""Rendering a resource, resolving its outputs, and telling whether it is ready."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.compiler import resource
from catalog.compiler.errors import CompilerError, ResultTypeError

CLAIM = {"apiVersion": "db/v1", "kind": "Claim", "metadata": {"name": "${metadata.name}"}}


def render_input(*resources: dict, outputs: list[dict] | None = None, **more: Any) -> dict:
    return {
        "ResourceType": {"spec": {"resources": list(resources), "outputs": outputs or []}},
        "Resource": {"spec": {"parameters": {"size": 3}}},
        "Metadata": {"name": "r-db-dev", "namespace": "dp"},
        "DataPlane": {},
        "Environment": {},
        **more,
    }


def test_manifests_keep_order_and_ids_and_need_no_kind() -> None:
    entries = resource.render(
        render_input(
            {"id": "z", "template": CLAIM},
            {"id": "x", "includeWhen": "${has(gateway.ingress)}", "template": {}},
            {"id": "a", "template": {"size": "${parameters.size}", "gone": "${oc_omit()}"}},
        )
    )
    assert [(entry.id, entry.object) for entry in entries] == [
        ("z", {"apiVersion": "db/v1", "kind": "Claim", "metadata": {"name": "r-db-dev"}}),
        ("a", {"size": 3}),
    ]


def test_environment_values_come_from_the_binding() -> None:
    binding = {"spec": {"resourceTypeEnvironmentConfigs": {"tier": "gold"}}}
    given = render_input({"id": "a", "template": {"t": "${environmentConfigs.tier}"}}, ResourceReleaseBinding=binding)
    assert resource.render(given)[0].object == {"t": "gold"}


def test_what_is_applied_is_unknown_while_rendering() -> None:
    with pytest.raises(CompilerError) as raised:
        resource.render(render_input({"id": "a", "template": {"x": "${applied.a.status}"}}))
    assert raised.value.error_class == "compile"


def test_outputs_read_the_status_of_what_was_applied() -> None:
    outputs = [
        {"name": "url", "value": "tcp://${applied.db.status.host}:${applied.db.status.port}"},
        {"name": "password", "secretKeyRef": {"name": "${metadata.name}-creds", "key": "pw"}},
        {"name": "ca", "configMapKeyRef": {"name": "trust", "key": "${'ca' + '.crt'}"}},
    ]
    assert resource.outputs(render_input(outputs=outputs), {"db": {"host": "h", "port": 5432}}) == [
        {"name": "url", "value": "tcp://h:5432"},
        {"name": "password", "secretKeyRef": {"name": "r-db-dev-creds", "key": "pw"}},
        {"name": "ca", "configMapKeyRef": {"name": "trust", "key": "ca.crt"}},
    ]


def test_outputs_that_fail_do_not_hide_those_that_resolve() -> None:
    outputs = [
        {"name": "port", "value": "${applied.db.status.port}"},
        {"name": "host", "value": "${applied.db.status.host}"},
        {"name": "key", "secretKeyRef": {"name": "${applied.x.status}", "key": "k"}},
        {"name": "none"},
    ]
    with pytest.raises(resource.OutputsNotResolvedError) as raised:
        resource.outputs(render_input(outputs=outputs), {"db": {"host": "h", "port": 5432}})
    assert raised.value.resolved == [{"name": "host", "value": "h"}]
    assert raised.value.failed == ["port", "key", "none"]
    assert str(raised.value).splitlines() == [
        'output "port": expected string, got float64',
        "output \"key\": name: CEL evaluation error in expression 'applied.x.status': no such key: x",
        'output "none": no source kind set (value, secretKeyRef, or configMapKeyRef)',
    ]


def test_readiness_is_a_condition_over_what_was_applied() -> None:
    given = render_input()
    expression = "${applied.db.status.ready}"
    assert resource.ready_when(given, {"db": {"ready": True}}, expression) is True
    assert resource.ready_when(given, {"db": {"ready": False}}, expression) is False
    assert resource.ready_when(given, None, "") is True
    with pytest.raises(ResultTypeError):
        resource.ready_when(given, {"db": {"ready": "yes"}}, expression)
    with pytest.raises(CompilerError) as raised:
        resource.ready_when(given, {"db": {}}, expression)
    assert raised.value.error_class == "evaluate"


@pytest.mark.parametrize("absent", ["ResourceType", "Resource"])
def test_an_incomplete_input_is_refused(absent: str) -> None:
    with pytest.raises(CompilerError) as raised:
        resource.render({**render_input(), absent: None})
    assert raised.value.error_class == "input"
