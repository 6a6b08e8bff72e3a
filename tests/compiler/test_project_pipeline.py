"""Rendering a project's cell."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.compiler import project
from catalog.compiler.errors import CompilerError

NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "${metadata.namespace}"}}


def render_input(*resources: dict, **more: Any) -> dict:
    return {
        "ProjectTypeSpec": {"resources": [{"id": "ns", "template": NAMESPACE}, *resources], **more.pop("spec", {})},
        "Metadata": {"namespace": "dp-x", "projectName": "shop"},
        "DataPlane": {},
        "Environment": {},
        **more,
    }


def quota(name: str, **data: Any) -> dict:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def test_entries_keep_the_order_and_ids_of_the_type() -> None:
    looped = {"id": "q", "forEach": "${['b', 'a']}", "var": "name", "template": quota("${name}")}
    excluded = {"id": "x", "includeWhen": "${false}", "template": quota("${undeclared}")}
    entries = project.render(render_input(looped, excluded))
    assert [(entry.id, entry.object["metadata"]["name"]) for entry in entries] == [
        ("ns", "dp-x"),
        ("q-0", "b"),
        ("q-1", "a"),
    ]
    assert "labels" not in entries[0].object["metadata"]


def test_values_without_a_schema_are_kept_and_not_validated() -> None:
    template = {"id": "c", "template": quota("c", days="${parameters.days}", size="${environmentConfigs.size}")}
    given = render_input(template, ProjectParameters={"days": 3}, EnvironmentConfigs={"size": "l"})
    assert project.render(given)[1].object["data"] == {"days": 3, "size": "l"}
    declared = {"parameters": {"openAPIV3Schema": {"type": "object", "properties": {"days": {"type": "string"}}}}}
    given["ProjectTypeSpec"].update(declared)
    assert project.render(given)[1].object["data"]["days"] == 3


def test_the_gateway_is_a_variable_only_when_there_is_one() -> None:
    template = {"id": "c", "template": quota("c", host="${gateway.ingress.external.http.host}")}
    with pytest.raises(CompilerError) as raised:
        project.render(render_input(template))
    assert raised.value.error_class == "compile"
    gateway = {"ingress": {"external": {"http": {"host": "h", "port": 80}}}}
    assert project.render(render_input(template, Environment={"gateway": gateway}))[1].object["data"] == {"host": "h"}


@pytest.mark.parametrize(
    ("given", "error_class"),
    [
        (render_input(spec={"validations": [{"rule": "${false}", "message": "no"}]}), "pre-render"),
        (render_input(Metadata={}), "input"),
        ({**render_input(), "ProjectTypeSpec": None}, "input"),
        (render_input({"id": "x", "template": {"kind": "A"}}), "structure"),
        (render_input({"id": "x"}), "type"),
        (render_input({"id": "x", "template": "${[1]}"}), "type"),
        (render_input({"id": "x", "includeWhen": "${1}", "template": NAMESPACE}), "type"),
        (render_input({"id": "x", "forEach": "${'a'}", "template": NAMESPACE}), "type"),
        (render_input(ProjectParameters=[1]), "input"),
        (render_input({"id": "x", "template": quota("c", a="${workload.toServicePorts()}")}), "compile"),
    ],
)
def test_faults_have_their_class(given: dict, error_class: str) -> None:
    with pytest.raises(CompilerError) as raised:
        project.render(given)
    assert raised.value.error_class == error_class
