"""The order of a component render, and the rules that authors of types and traits rely on."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from catalog.compiler import component
from catalog.compiler.errors import CompilerError
from tests.compiler.component_input import METADATA, config_map, render_input, schema, use


def objects(given: dict) -> dict[str, dict]:
    """The rendered objects by name."""
    return {rendered["metadata"]["name"]: rendered for rendered, _ in component.render(given).resources}


def error_class(given: dict) -> str:
    with pytest.raises(CompilerError) as raised:
        component.render(given)
    return raised.value.error_class


def hash_of(given: dict) -> str | None:
    annotations = objects(given)["web-dev-1"]["spec"]["template"].get("metadata", {}).get("annotations", {})
    return annotations.get("openchoreo.dev/dp-resource-hash")


def patch(path: str, value: Any = None, op: str = "add", **more: Any) -> dict:
    operation = {"op": op, "path": path} if op == "remove" else {"op": op, "path": path, "value": value}
    return {"patches": [{"target": {"kind": "Deployment"}, "operations": [operation], **more}]}


def test_resources_are_sorted_labelled_and_counted() -> None:
    given = render_input(config_map("b"), config_map("a"), traits={"t": {"creates": [{"template": config_map("c")}]}})
    given["Component"]["spec"]["traits"] = [use("t")]
    output = component.render(given)
    assert [(rendered["kind"], rendered["metadata"]["name"]) for rendered, _ in output.resources] == [
        ("ConfigMap", "a"),
        ("ConfigMap", "b"),
        ("ConfigMap", "c"),
        ("Deployment", "web-dev-1"),
    ]
    assert all(rendered["metadata"]["labels"] == METADATA["labels"] for rendered, _ in output.resources)
    assert output.counts == component.Counts(resources=4, base_resources=3, traits=1, trait_resources=1)


def test_platform_labels_win_over_rendered_ones() -> None:
    labelled = config_map("a")
    labelled["metadata"]["labels"] = {"mine": "1", "openchoreo.dev/component": "other"}
    assert objects(render_input(labelled))["a"]["metadata"]["labels"] == {
        "mine": "1",
        "openchoreo.dev/component": "web",
    }


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"a": 1}, "5c6546c97f"),
        ({"a": "${1}"}, "7c4ccffb8"),
        ({"a": "${'a,b'.split(',')}"}, "dfb8c76f6"),
        ({"a": "${null}", "b": None}, "cd7f96c5b"),
    ],
)
def test_the_hash_of_other_resources_tells_types_apart(data: dict, expected: str) -> None:
    assert hash_of(render_input(config_map("c", **data))) == expected


def test_the_hash_ignores_metadata_other_planes_and_other_workload_types() -> None:
    reference = hash_of(render_input(config_map("c", a=1)))
    assert hash_of(render_input(config_map("renamed", a=1))) == reference
    elsewhere = {"id": "o", "template": config_map("o"), "targetPlane": "observabilityplane"}
    assert hash_of(render_input(config_map("c", a=1), elsewhere)) == reference
    assert hash_of(render_input()) is None
    assert hash_of(render_input(config_map("c", a=1), type_spec={"workloadType": "cronjob"})) is None


def test_a_loop_renders_in_order_with_its_variable_after_one_condition() -> None:
    looped = {
        "forEach": "${parameters.m}",
        "var": "entry",
        "includeWhen": "${size(parameters.m) > 1}",
        "template": config_map("${entry.key}", v="${entry.value}"),
    }
    declared = {"parameters": schema(m={"type": "object", "additionalProperties": {"type": "string"}})}
    given = render_input(looped, type_spec=declared, parameters={"m": {"z": "1", "a": "2"}})
    assert {name: item.get("data") for name, item in objects(given).items() if name != "web-dev-1"} == {
        "a": {"v": "2"},
        "z": {"v": "1"},
    }
    given["Component"]["spec"]["parameters"] = {"m": {"a": "1"}}
    assert list(objects(given)) == ["web-dev-1"]


@pytest.mark.parametrize("loop", ["${'a,b'.split(',')}", "${null}", "${'text'}", "${3}"])
def test_only_lists_and_maps_can_be_looped_over(loop: str) -> None:
    assert error_class(render_input({"forEach": loop, "template": config_map("x")})) == "type"


def test_values_without_a_schema_are_dropped_and_defaults_are_doubles() -> None:
    template = config_map("c", has="${has(parameters.x)}", sum="${parameters.n + 1.0}")
    declared = {"parameters": schema(n={"type": "integer", "default": 2}, x={"type": "string"})}
    assert objects(render_input(template, type_spec=declared))["c"]["data"] == {"has": False, "sum": 3}
    undeclared = render_input(config_map("c", size="${size(parameters)}"), parameters={"x": "y"})
    assert objects(undeclared)["c"]["data"] == {"size": 0}


def test_the_gateway_is_a_variable_only_when_there_is_one() -> None:
    template = config_map(
        "c", host="${gateway.ingress.external.http.host}", port="${gateway.ingress.external.http.port}"
    )
    assert error_class(render_input(template)) == "compile"
    plane = {"spec": {"gateway": {"ingress": {"external": {"http": {"host": "plane", "port": 80}}}}}}
    assert objects(render_input(template, DataPlane=plane))["c"]["data"] == {"host": "plane", "port": 80}
    environment = {"spec": {"gateway": {"ingress": {"external": {"http": {"host": "own", "port": 81}}}}}}
    given = render_input(template, DataPlane=plane, Environment=environment)
    assert objects(given)["c"]["data"] == {"host": "own", "port": 81}


def test_embedded_traits_come_before_the_components_own_and_see_its_values() -> None:
    embedded = {"name": "e", "instanceName": "e1", "parameters": {"who": "${metadata.componentName}"}}
    append = {
        "parameters": schema(who={"type": "string"}),
        **patch("/metadata/annotations/order", "${parameters.who}-${trait.instanceName}"),
    }
    late = patch("/metadata/annotations/late", "${trait.name}", "add", forEach="${[1]}")
    late["patches"][0]["target"]["where"] = "${'order' in resource.metadata.annotations}"
    given = render_input(type_spec={"traits": [embedded]}, traits={"e": append, "l": late}, uses=[use("l")])
    assert objects(given)["web-dev-1"]["metadata"]["annotations"] == {"order": "web-e1", "late": "l"}


def test_a_trait_can_be_used_several_times_with_its_own_values() -> None:
    trait = {
        "parameters": schema(p={"type": "string"}),
        "environmentConfigs": schema(size={"type": "integer", "default": 1}),
        "creates": [{"template": config_map("${parameters.p}", size="${environmentConfigs.size}")}],
    }
    given = render_input(
        traits={"t": trait},
        uses=[use("t", "one", p="a"), use("t", "two", p="b")],
        ReleaseBinding={"spec": {"traitEnvironmentConfigs": {"two": {"size": 5}}}},
    )
    found = objects(given)
    assert (found["a"]["data"], found["b"]["data"]) == ({"size": 1}, {"size": 5})


def test_removals_come_after_patches_and_count_against_creates() -> None:
    trait = {
        "creates": [{"template": config_map("gone")}, {"template": config_map("stays")}],
        "removes": [{"target": {"kind": "ConfigMap", "where": "${resource.metadata.name == 'gone'}"}}],
    }
    output = component.render(render_input(config_map("base"), traits={"t": trait}, uses=[use("t")]))
    assert [rendered["metadata"]["name"] for rendered, _ in output.resources] == ["base", "stays", "web-dev-1"]
    assert output.counts.trait_resources == 1


def test_an_empty_group_matches_every_group() -> None:
    change = patch("/metadata/annotations/x", "y")
    change["patches"][0]["target"] |= {"group": "", "version": "v1"}
    assert objects(render_input(traits={"t": change}, uses=[use("t")]))["web-dev-1"]["metadata"]["annotations"]
    change["patches"][0]["target"]["group"] = "batch"
    assert "annotations" not in objects(render_input(traits={"t": change}, uses=[use("t")]))["web-dev-1"]["metadata"]


def test_operations_are_not_rendered_without_a_target_but_are_when_the_condition_leaves_none() -> None:
    broken = patch("/metadata/annotations/x", "${parameters.absent}")
    broken["patches"][0]["target"]["kind"] = "Job"
    component.render(render_input(traits={"t": broken}, uses=[use("t")]))
    broken["patches"][0]["target"] = {"kind": "Deployment", "where": "${false}"}
    assert error_class(render_input(traits={"t": broken}, uses=[use("t")])) == "evaluate"


def test_an_operation_whose_value_is_omitted_does_nothing() -> None:
    change = patch("/metadata/annotations/x", "${oc_omit()}")
    assert "annotations" not in objects(render_input(traits={"t": change}, uses=[use("t")]))["web-dev-1"]["metadata"]


def test_faults_of_traits_have_their_class() -> None:
    assert error_class(render_input(traits={"t": patch("/spec/x/y", op="remove")}, uses=[use("t")])) == "patch"
    assert error_class(render_input(uses=[use("absent")])) == "trait-missing"
    assert error_class(render_input(type_spec={"traits": [{"name": "absent", "instanceName": "i"}]})) == "trait-missing"
    assert error_class(render_input(traits={"t": {"creates": [{"template": "${[1]}"}]}}, uses=[use("t")])) == "type"
    incomplete = {"creates": [{"template": {"kind": "ConfigMap", "metadata": {"name": "x"}}}]}
    assert error_class(render_input(traits={"t": incomplete}, uses=[use("t")])) == "structure"


def test_a_patch_can_complete_what_a_trait_creates() -> None:
    trait = {
        "creates": [{"template": {"kind": "ConfigMap", "metadata": {"name": "x"}}}],
        "patches": [
            {"target": {"kind": "ConfigMap"}, "operations": [{"op": "add", "path": "/apiVersion", "value": "v1"}]}
        ],
    }
    assert objects(render_input(traits={"t": trait}, uses=[use("t")]))["x"]["apiVersion"] == "v1"


def test_rules_after_rendering_see_patched_resources_without_platform_labels() -> None:
    rules = [
        {
            "target": {"kind": "Deployment"},
            "rule": "${resource.spec.replicas == 2 && !has(resource.metadata.labels)}",
            "message": "wrong",
        }
    ]
    trait = patch("/spec/replicas", 2)
    component.render(render_input(type_spec={"postRenderValidations": rules}, traits={"t": trait}, uses=[use("t")]))
    with pytest.raises(
        CompilerError, match='"ComponentType deployment/web" post-render validation: no resource matched'
    ) as missing:
        rules[0]["target"]["kind"] = "Job"
        component.render(render_input(type_spec={"postRenderValidations": rules}))
    assert missing.value.error_class == "post-render"
    rules[0]["target"]["mustMatch"] = False
    component.render(render_input(type_spec={"postRenderValidations": rules}))


def test_all_broken_rules_are_named_together() -> None:
    rules = [
        {"rule": "${1 == 2}", "message": "one"},
        {"rule": "${true}", "message": "fine"},
        {"rule": "${parameters.x}", "message": "two"},
        {"rule": "${'text'}", "message": "${three}"},
    ]
    with pytest.raises(CompilerError) as raised:
        component.render(render_input(type_spec={"preRenderValidations": rules}))
    assert raised.value.error_class == "pre-render"
    assert str(raised.value) == (
        'component type validation failed: rule[0] "${1 == 2}" evaluated to false: one; '
        "rule[2] \"${parameters.x}\" evaluation error: CEL evaluation error in expression 'parameters.x': "
        "no such key: x; rule[3] \"${'text'}\" must evaluate to boolean, got string"
    )


def test_operations_of_an_api_schema_are_an_optional_for_templates() -> None:
    content = "paths: {/a: {get: {}}}"
    workload = {
        "container": {"image": "i"},
        "endpoints": {"e": {"type": "HTTP", "port": 80, "schema": {"content": content}}},
    }
    template = config_map(
        "c",
        known="${workload.toEndpointResources('e').orValue([])}",
        unknown="${workload.toEndpointResources('other').orValue([])}",
    )
    found = objects(render_input(template, Workload={"spec": workload}))["c"]["data"]
    assert found == {"known": [{"kind": "HTTP", "method": "GET", "path": "/a"}], "unknown": []}


def test_a_schema_that_cannot_be_read_is_a_warning() -> None:
    endpoints = {"e": {"type": "HTTP", "port": 80, "schema": {"content": "["}}}
    template = config_map("c", n="${workload.toEndpointResources('e').hasValue()}")
    output = component.render(
        render_input(template, Workload={"spec": {"container": {"image": "i"}, "endpoints": endpoints}})
    )
    assert len(output.warnings) == 1
    assert output.resources[0][0]["data"] == {"n": False}


@pytest.mark.parametrize("absent", ["ComponentType", "Component", "Workload", "Environment", "DataPlane"])
def test_an_incomplete_input_is_refused(absent: str) -> None:
    assert error_class({**render_input(), absent: None}) == "input"


@pytest.mark.parametrize("field", ["componentUID", "name", "labels", "podSelectors"])
def test_incomplete_metadata_is_refused(field: str) -> None:
    assert error_class(render_input(Metadata={**METADATA, field: None})) == "input"


def test_a_render_changes_nothing_that_it_is_given_and_shares_nothing_with_it() -> None:
    trait = patch("/metadata/labels/copied", "${metadata.labels}")
    given = render_input(config_map("c", labels="${metadata.labels}"), traits={"t": trait}, uses=[use("t")])
    before = copy.deepcopy(given)
    output = component.render(given)
    assert given == before
    for rendered, _ in output.resources:
        rendered["metadata"]["labels"].clear()
        rendered.get("data", {}).get("labels", {}).clear()
    assert given == before
    assert objects(given)["c"]["data"]["labels"] == METADATA["labels"]


def test_a_changed_type_is_planned_anew_and_a_given_plan_is_used() -> None:
    given = render_input(config_map("c", v="1"))
    plan = component.plan_component(given["ComponentType"]["spec"], given["Traits"])
    assert component.plan_component(copy.deepcopy(given["ComponentType"]["spec"]), []) is plan
    assert component.render(given, plan) == component.render(given)
    given["ComponentType"]["spec"]["resources"][1]["template"]["data"]["v"] = "2"
    assert objects(given)["c"]["data"] == {"v": "2"}
