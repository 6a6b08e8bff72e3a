"""Rendering a workflow run and what it needs."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.compiler import workflow
from catalog.compiler.errors import CompilerError

SCHEMA = {
    "openAPIV3Schema": {
        "type": "object",
        "properties": {"n": {"type": "integer", "default": 1000000}, "items": {"type": "array", "items": {}}},
    }
}
CONTEXT = {"NamespaceName": "acme", "WorkflowRunName": "build-1", "WorkflowPlane": {"SecretStore": "vault"}}


def run(*parameters: Any, **spec: Any) -> dict:
    values = [{"name": f"p{index}", "value": value} for index, value in enumerate(parameters)]
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": "${metadata.workflowRunName}", "namespace": "${metadata.namespace}"},
        "spec": {"arguments": {"parameters": values}, **spec},
    }


def render_input(template: dict, *resources: dict, given: dict | None = None, **more: Any) -> dict:
    context = {**CONTEXT, **more.pop("context", {})}
    spec = {"runTemplate": template, "resources": list(resources), "parameters": SCHEMA, **more}
    return {
        "Workflow": {"spec": spec},
        "WorkflowRun": {"spec": {"workflow": {"parameters": given}}},
        "Context": context,
    }


def arguments(given: dict, text_arguments: bool = False) -> list[Any]:
    rendered = workflow.render(given, text_arguments).resource
    return [parameter["value"] for parameter in rendered["spec"]["arguments"]["parameters"]]


def test_a_run_lives_in_the_namespace_of_workflows() -> None:
    rendered = workflow.render(render_input(run(store="${workflowplane.secretStore}"))).resource
    assert rendered["metadata"] == {"name": "build-1", "namespace": "workflows-acme"}
    assert rendered["spec"]["store"] == "vault"


def test_a_default_is_an_integer_and_a_given_number_is_not() -> None:
    template = run("n=${parameters.n}")
    assert arguments(render_input(template)) == ["n=1000000"]
    assert arguments(render_input(template, given={"n": 1000000})) == ["n=1e+06"]
    assert arguments(render_input(run("${parameters.n + 1}"))) == [1000001]
    with pytest.raises(CompilerError, match="no such overload"):
        workflow.render(render_input(run("${parameters.n + 1}"), given={"n": 1}))


def test_maps_become_texts_and_lists_come_back() -> None:
    template = run(
        {"b": [1], "a": "<"}, ["${1}", {"value": {"c": 1}}], "[1, 2]", "[no list", other="[3]", value="${[4]}"
    )
    rendered = workflow.render(render_input(template)).resource
    assert arguments(render_input(template)) == [
        '{"a":"\\u003c","b":[1]}',
        [1, {"value": {"c": 1}}],
        [1, 2],
        "[no list",
    ]
    assert (rendered["spec"]["other"], rendered["spec"]["value"]) == ([3], [4])


def test_arguments_can_be_sent_as_texts() -> None:
    template = run("text", "${1}", 1000000, 8080, True, None, ["a", 1], "${{'k': 1.5}}")
    assert arguments(render_input(template), text_arguments=True) == [
        "text",
        "1",
        "1e+06",
        "8080",
        "true",
        "<nil>",
        '["a",1]',
        '{"k":1.5}',
    ]


def test_needed_objects_are_forced_into_the_namespace_of_the_run() -> None:
    def secret(name: str) -> dict:
        return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "elsewhere"}}

    output = workflow.render(
        render_input(
            run(),
            {"id": "kept", "template": secret("a")},
            {"id": "skipped", "template": secret("-a")},
            {"id": "excluded", "includeWhen": "${'git' in parameters}", "template": secret("${absent}")},
        )
    )
    assert [(entry.id, entry.object["metadata"]) for entry in output.resources] == [
        ("kept", {"name": "a", "namespace": "workflows-acme"})
    ]


def test_external_references_are_a_variable_only_when_one_resolved() -> None:
    references = [{"id": "git", "kind": "SecretReference", "name": "${parameters.secret}"}, {"id": "none", "name": ""}]
    given = render_input(run("${externalRefs.git.spec.kind}"), given={"secret": "s"}, externalRefs=references)
    assert workflow.external_reference_names(given) == {"git": "s"}
    with pytest.raises(CompilerError) as raised:
        workflow.render(given)
    assert raised.value.error_class == "compile"
    given["Context"]["ExternalRefs"] = {"git": {"spec": {"kind": "basic"}}}
    assert arguments(given) == ["basic"]


@pytest.mark.parametrize(
    ("given", "error_class"),
    [
        (render_input(run(), context={"NamespaceName": ""}), "input"),
        (render_input(run(), context={"WorkflowRunName": ""}), "input"),
        ({**render_input(run()), "Workflow": {"spec": {}}}, "input"),
        ({**render_input(run()), "WorkflowRun": None}, "input"),
        (render_input({"apiVersion": "v1"}), "structure"),
        (render_input(run(), {"id": "x", "template": {"kind": "A"}}), "structure"),
        (render_input(run(), {"id": "x", "template": "${[1]}"}), "type"),
        (render_input(run("${absent}")), "compile"),
    ],
)
def test_faults_have_their_class(given: dict, error_class: str) -> None:
    with pytest.raises(CompilerError) as raised:
        workflow.render(given)
    assert raised.value.error_class == error_class
