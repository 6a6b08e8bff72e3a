"""What of a type its renders reach: leaves, outcomes of conditions and loops, ways of decisions in expressions."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.compiler import project, resource, workflow
from catalog.compiler.component import pipeline as component
from catalog.compiler.coverage import Coverage, Item, sites_of
from catalog.compiler.coverage.branches import branches_of, decisions_in
from catalog.compiler.errors import CompilerError
from catalog.compiler.template import TemplateSource
from tests.compiler.component_input import config_map, render_input, schema, use


def covered(kind: str, spec: dict[str, Any], *renders: dict[str, Any]) -> Coverage:
    """The coverage of a type after renders, each with changes of the input."""
    coverage = Coverage(kind, spec)
    for changes in renders:
        given = render_input(type_spec=coverage.spec) if kind == "ComponentType" else render_input()
        with coverage.recording():
            try:
                component.render({**given, **changes})
            except CompilerError:
                continue
    return coverage


def missed(coverage: Coverage) -> set[tuple[str, str]]:
    return {(".".join(map(str, item.path[1:])), item.way) for item in coverage.missed()}


def component_type(*resources: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"workloadType": "deployment", "resources": list(resources), **more}


def parameters(**values: Any) -> dict[str, Any]:
    return {"Component": {"metadata": {"name": "web"}, "spec": {"parameters": values, "traits": []}}}


PARAMETERS = schema(on={"type": "boolean", "default": False}, names={"type": "array", "default": []})


def test_a_template_is_reached_when_it_is_rendered() -> None:
    entry = {"id": "a", "template": config_map("a", key="plain"), "includeWhen": "${parameters.on}"}
    spec = component_type(entry, parameters=PARAMETERS)
    untouched = covered("ComponentType", spec, {})
    assert missed(untouched) == {
        ("resources.0.includeWhen", "true"),
        *((f"resources.0.template.{leaf}", "") for leaf in ("apiVersion", "kind", "metadata.name", "data.key")),
    }
    assert untouched.unrendered() == [("spec", "resources", 0, "template")]
    assert untouched.counts() == (0, 4, 1, 2)
    both = covered("ComponentType", spec, {}, parameters(on=True))
    assert both.missed() == [] and both.unrendered() == []
    assert both.counts() == (4, 4, 2, 2)


def test_a_loop_is_reached_with_items_and_without() -> None:
    entry = {"id": "a", "forEach": "${parameters.names}", "var": "name", "template": config_map("${name}")}
    spec = component_type(entry, parameters=PARAMETERS)
    assert ("resources.0.forEach", "some") in missed(covered("ComponentType", spec, {}))
    assert missed(covered("ComponentType", spec, parameters(names=["x"]))) == {("resources.0.forEach", "none")}
    assert covered("ComponentType", spec, {}, parameters(names=["x"])).missed() == []


def test_both_arms_of_a_ternary_count_with_their_place() -> None:
    text = "is ${parameters.on ? 'on' : 'off'}"
    spec = component_type({"id": "a", "template": config_map("a", key=text)}, parameters=PARAMETERS)
    (item,) = covered("ComponentType", spec, {}).missed()
    path = ("spec", "resources", 0, "template", "data", "key")
    assert item == Item(path, "true", "parameters.on ? 'on' : 'off'", 14)
    assert item.is_branch


def test_a_render_that_fails_counts_as_far_as_it_came() -> None:
    entries = [
        {"id": "a", "template": config_map("a")},
        {"id": "b", "template": config_map("b", key="${parameters.absent}")},
        {"id": "c", "template": config_map("c")},
    ]
    reached = covered("ComponentType", component_type(*entries, parameters=PARAMETERS), {})
    assert {path.split(".template")[0] for path, _ in missed(reached)} == {"resources.1", "resources.2"}


def test_equal_texts_at_two_places_are_two_things_to_reach() -> None:
    same = {"includeWhen": "${!parameters.on}", "template": config_map("${metadata.name}")}
    inner = {**same, "forEach": "${parameters.names}", "var": "name"}
    spec = component_type({"id": "a", **same}, {"id": "b", **inner}, parameters=PARAMETERS)
    assert {path.split(".template")[0] for path, _ in missed(covered("ComponentType", spec, {}))} == {
        "resources.0.includeWhen",
        "resources.1.includeWhen",
        "resources.1.forEach",
        "resources.1",
    }


def test_rules_and_traits_count_too() -> None:
    target = {"group": "apps", "version": "v1", "kind": "Deployment", "where": "${resource.metadata.name != ''}"}
    spec = {
        "parameters": schema(size={"type": "integer", "default": 1}),
        "preRenderValidations": [{"rule": "${parameters.size > 0.0}", "message": "none"}],
        "postRenderValidations": [{"target": target, "rule": "${resource.kind == 'Deployment'}", "message": "none"}],
        "creates": [{"template": config_map("${trait.instanceName}")}],
        "patches": [
            {
                "target": {**target, "kind": "Absent"},
                "operations": [{"op": "add", "path": "/metadata/labels/${metadata.name}", "value": "a"}],
            },
            {"target": target, "operations": [{"op": "add", "path": "/spec/replicas", "value": "${parameters.size}"}]},
        ],
        "removes": [{"target": target | {"kind": "Absent"}, "forEach": "${['a']}", "var": "x"}],
    }
    coverage = Coverage("Trait", spec)
    with coverage.recording():
        component.render(render_input(traits={"size": coverage.spec}, uses=[use("size")]))
    assert missed(coverage) == {
        ("preRenderValidations.0.rule", "false"),
        ("postRenderValidations.0.target.where", "false"),
        ("postRenderValidations.0.rule", "false"),
        ("patches.0.target.where", "true"),
        ("patches.0.target.where", "false"),
        ("patches.0.operations.0.path", ""),
        ("patches.0.operations.0.value", ""),
        ("patches.1.target.where", "false"),
        ("removes.0.forEach", "none"),
        ("removes.0.target.where", "true"),
        ("removes.0.target.where", "false"),
    }


def test_the_other_pipelines_are_recorded_too() -> None:
    entry = {"id": "a", "includeWhen": "${has(parameters.on)}", "template": config_map("${metadata.name}")}
    projects = Coverage("ClusterProjectType", {"resources": [entry]})
    metadata = {"name": "x", "namespace": "x"}
    with projects.recording():
        project.render({"ProjectTypeSpec": projects.spec, "Metadata": metadata})
    assert ("resources.0.includeWhen", "true") in missed(projects)

    outputs = [{"name": "a", "value": "${applied.a.status.host}"}]
    resources = Coverage("ResourceType", {"resources": [{**entry, "readyWhen": "${true}"}], "outputs": outputs})
    given = {
        "ResourceType": {"spec": resources.spec},
        "Resource": {"spec": {"parameters": {"on": 1}}},
        "Metadata": metadata,
    }
    with resources.recording():
        resource.render(given)
        resource.outputs(given, {"a": {"host": "h"}})
        resource.ready_when(given, {}, resources.spec["resources"][0]["readyWhen"])
    assert missed(resources) == {("resources.0.includeWhen", "false"), ("resources.0.readyWhen", "false")}

    run = {"apiVersion": "v1", "kind": "Run", "metadata": {"name": "${metadata.workflowRunName}"}}
    workflows = Coverage("Workflow", {"runTemplate": run, "resources": [entry]})
    context = {"NamespaceName": "n", "WorkflowRunName": "r"}
    with workflows.recording():
        workflow.render({"Workflow": {"spec": workflows.spec}, "WorkflowRun": {"spec": {}}, "Context": context})
    assert {path.split(".")[0] for path, _ in missed(workflows)} == {"resources"}


def test_the_copy_with_comments_renders_the_same() -> None:
    entry = {
        "id": "a",
        "template": config_map("a", key="x ${parameters.on ? 'a' : 'b'} ${'}'} y", **{"k${1}": ["${2}"]}),
    }
    spec = component_type(entry, parameters=PARAMETERS)
    coverage = Coverage("ComponentType", spec)
    plain = component.render(render_input(type_spec=spec))
    assert component.render(render_input(type_spec=coverage.spec)).resources == plain.resources


def test_nothing_is_observed_outside_of_a_recording() -> None:
    before = TemplateSource.render
    with pytest.raises(RuntimeError), Coverage("Trait", {}).recording():
        assert TemplateSource.render is not before
        raise RuntimeError
    assert TemplateSource.render is before


def test_kinds_that_render_nothing_have_no_places() -> None:
    assert sites_of("Environment", {"resources": [{"template": {}}]}) == []


def taken(source: str, **bindings: Any) -> set[tuple[int, str]]:
    branches = branches_of(source, frozenset(bindings), False)
    assert branches is not None
    return branches.taken(bindings)


@pytest.mark.parametrize(
    ("source", "bindings", "expected"),
    [
        ("a ? 1 : 2", {"a": True}, {(2, "true")}),
        ("a ? 1 : 2", {"a": False}, {(2, "false")}),
        ("a ? (b ? 1 : 2) : 3", {"a": False, "b": True}, {(2, "false")}),
        ("a && b", {"a": False, "b": True}, {(2, "left")}),
        ("a && b", {"a": True, "b": False}, {(2, "right")}),
        ("a || b", {"a": True, "b": False}, {(2, "left")}),
        ("m.a || b", {"m": {}, "b": True}, {(4, "right")}),
        ("m.?a.orValue('x')", {"m": {"a": "y"}}, {(12, "present")}),
        ("m.?a.orValue('x')", {"m": {}}, {(12, "absent")}),
        ("m.?a.or(m.?b).orValue('x')", {"m": {"b": "y"}}, {(7, "absent"), (21, "present")}),
        ("l.map(x, x > 1.0 ? 'a' : 'b')", {"l": [1.0, 2.0]}, {(17, "true"), (17, "false")}),
        ("l.map(x, x > 1.0, x > 2.0 ? 'a' : 'b')", {"l": [1.0]}, set()),
        ("l.exists(x, x == 1.0 && a)", {"l": [], "a": True}, set()),
        ("m.transformMap(k, v, k == 'a' ? v : 0.0)", {"m": {"a": 1.0}}, {(30, "true")}),
        ("l.transformList(i, v, i == 0 || v == 2.0)", {"l": [1.0, 2.0]}, {(29, "left"), (29, "right")}),
        ("m.?a.optMap(x, x == 1.0 ? 'a' : 'b').orValue('')", {"m": {"a": 1.0}}, {(24, "true"), (44, "present")}),
        ("l.sortBy(x, x > 1.0 ? 0 : 1)", {"l": [2.0]}, {(20, "true")}),
        ("l.exists(x, x == 1.0 || a)", {"l": [1.0, 2.0], "a": True}, {(21, "left")}),
        ("l.all(x, x == 1.0 && a)", {"l": [2.0, 1.0], "a": True}, {(18, "left")}),
        ("m.a ? 1 : 2", {"m": {}}, set()),
    ],
)
def test_the_way_of_each_decision_that_an_evaluation_comes_to(
    source: str, bindings: dict[str, Any], expected: set[tuple[int, str]]
) -> None:
    assert taken(source, **bindings) == expected
    declared = {(offset, way) for offset, ways in decisions_in(source, False) for way in ways}
    assert expected <= declared


def test_what_does_not_compile_has_no_decisions() -> None:
    assert decisions_in("a ? b", False) == []
    assert branches_of("absent ? 1 : 2", frozenset(), False) is None
