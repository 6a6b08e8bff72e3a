"""Every leaf of every object has one origin, and going back to it gives the leaf's value again."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catalog.compiler import component
from catalog.compiler.explain import Input, explain_component, find_fault, inputs_of, path_text
from catalog.compiler.explain.input import found_at
from catalog.compiler.explain.origin import FieldPath, Origin, Place
from catalog.compiler.manifest import to_json
from catalog.compiler.template import compile_template
from tests.compiler.component_input import config_map, render_input, schema, use
from tests.compiler.explain.samples import CONTAINER, live_inputs, recorded_inputs, rich_input


def leaf_paths(value: Any, path: FieldPath = ()) -> Iterator[tuple[FieldPath, Any]]:
    """Every scalar and empty container of a document: counted here without any help of what is tested."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not entries or not value:
        yield path, value
    for key, entry in entries:
        yield from leaf_paths(entry, (*path, key))


def written_at(given: dict, place: Place) -> Any:
    """What stands at a place in the documents of a render input, read by its path alone."""
    if place.kind in ("Trait", "ClusterTrait"):
        (document,) = [
            item for item in given["Traits"]
            if (item.get("kind") or "Trait", item["metadata"]["name"]) == (place.kind, place.name)
        ]  # fmt: skip
    else:
        field = {"ClusterComponentType": "ComponentType", "ClusterDataPlane": "DataPlane"}.get(place.kind, place.kind)
        document = given[field]
    value, is_there = found_at(document, place.path)
    assert is_there, f"{place.kind} has no {path_text(place.path)}"
    return value


def check_origin(given: dict, value: Any, origin: Origin) -> None:
    step = origin.step
    if step.kind in ("platform-label", "pod-hash", "network-policy"):
        assert origin.replay() == value
        return
    assert step.place is not None and step.frame is not None
    written = None
    if not step.operation.startswith("remove") and step.text not in ({}, []):
        written = written_at(given, step.place)
        assert written == step.text, "the place does not hold the template that the origin tells of"
    else:
        written = step.text
    scope = step.frame.scope
    result = compile_template(written, scope.variables, component_macros=True).render(scope.bindings)
    again, is_there = found_at(result, origin.within)
    assert is_there and to_json(again) == value


def check_input(given: dict, found: Input) -> None:
    if found.source in ("parameter", "environment-config", "schema-default") and not found.inputs:
        assert found.place is not None, found
        assert to_json(written_at(given, found.place)) == found.value
    for inner in found.inputs:
        check_input(given, inner)


def check_all(given: dict) -> int:
    rendered = component.render(given)
    explained = explain_component(given)
    assert [item.object for item in explained[:-1]] == [item for item, _ in rendered.resources]
    count = 0
    for item in explained:
        expected = dict(leaf_paths(item.object))
        assert list(item.origins) == list(expected), "not one origin for each leaf"
        for path, origin in item.origins.items():
            check_origin(given, expected[path], origin)
            for found in inputs_of(origin, given):
                check_input(given, found)
            count += 1
    return count


def test_every_leaf_of_a_rich_component_has_one_origin_that_replays_to_its_value() -> None:
    assert check_all(rich_input()) > 40


def test_every_leaf_of_every_recorded_render_has_one_origin_that_replays_to_its_value(conformance: Path) -> None:
    counts = [check_all(given) for given in recorded_inputs(conformance)]
    assert len(counts) > 20 and sum(counts) > 300


def test_every_leaf_of_every_sample_component_has_one_origin_that_replays_to_its_value(conformance: Path) -> None:
    counts = [check_all(given) for given in live_inputs(conformance)]
    assert len(counts) > 30 and sum(counts) > 1000


def origin_of(given: dict, name: str, field: str) -> Origin:
    (found,) = [item for item in explain_component(given) if item.object["metadata"]["name"] == name]
    return {path_text(path): origin for path, origin in found.origins.items()}[field]


def sources(given: dict, origin: Origin) -> list[tuple[str, str, Any]]:
    return [(item.name, item.source, item.value) for item in inputs_of(origin, given)]


def test_given_and_defaulted_parameters_are_told_apart_also_within_one_object() -> None:
    given = rich_input()
    level, size = (origin_of(given, "settings", f"data.{name}") for name in ("level", "size"))
    assert sources(given, level) == [("parameters.log.level", "parameter", "debug")]
    assert sources(given, size) == [("parameters.log.size", "schema-default", 3)]
    (default,) = inputs_of(size, given)
    assert default.place is not None
    assert path_text(default.place.path) == "spec.parameters.openAPIV3Schema.properties.log.properties.size.default"


def test_a_field_of_a_whole_parameter_is_traced_to_that_field() -> None:
    given = rich_input()
    assert sources(given, origin_of(given, "settings", "data.whole.log.size")) == [
        ("parameters.log.size", "schema-default", 3)
    ]


def test_what_the_binding_sets_for_the_environment_is_traced_to_the_binding() -> None:
    given = rich_input()
    (found,) = inputs_of(origin_of(given, "settings", "data.count"), given)
    assert (found.source, found.value) == ("environment-config", 2)
    assert found.place == Place("ReleaseBinding", "web-dev", ("spec", "componentTypeEnvironmentConfigs", "replicas"))


def test_an_overridden_variable_is_traced_through_its_loop_to_the_binding() -> None:
    given = rich_input()
    (configs,) = [item for item in explain_component(given) if "env-configs" in item.object["metadata"]["name"]]
    origins = {path[-1]: origin for path, origin in configs.origins.items() if path[0] == "data"}
    assert configs.object["data"] == {"LEVEL": "trace", "PORT": "80"}
    ends = {}
    for name, origin in origins.items():
        (found,) = inputs_of(origin, given)
        assert found.source == "loop"
        while found.inputs:
            (found,) = found.inputs
        ends[name] = (found.source, found.value)
    assert ends == {"LEVEL": ("binding-override", "trace"), "PORT": ("workload", "80")}


def test_a_patched_value_keeps_the_history_of_what_it_replaced() -> None:
    given = rich_input()
    origin = origin_of(given, "web-dev-1", "spec.template.spec.containers[0].image")
    told = [(step.kind, step.frame.trait.instance if step.frame and step.frame.trait else "", step.text)
            for step in (item.step for item in origin.history)]  # fmt: skip
    assert told == [
        ("template", "", "${workload.container.image}"),
        ("trait-patch", "built-in", "proxy-${workload.container.image}"),
        ("trait-patch", "mine", "proxy-${workload.container.image}"),
    ]


def test_items_that_a_patch_inserts_move_the_origins_of_those_behind_them() -> None:
    given = rich_input()
    arguments = "spec.template.spec.containers[0].args"
    texts = [origin_of(given, "web-dev-1", f"{arguments}[{index}]").step.text for index in range(4)]
    assert texts == ["first", "first", "--cpu=${environmentConfigs.cpu}", "--cpu=${environmentConfigs.cpu}"]
    instances = [
        origin.step.frame.trait.instance  # type: ignore[union-attr]
        for index in range(4)
        if (origin := origin_of(given, "web-dev-1", f"{arguments}[{index}]"))
    ]
    assert instances == ["mine", "built-in", "built-in", "mine"]


def test_a_container_that_a_patch_has_emptied_is_the_doing_of_that_patch() -> None:
    origin = origin_of(rich_input(), "web-dev-1", "spec.extra")
    assert (origin.step.kind, origin.step.operation) == ("trait-patch", "remove /spec/extra/only")


def test_a_parameter_of_an_embedded_trait_is_traced_through_the_type_to_the_component() -> None:
    given = rich_input()
    (found,) = inputs_of(origin_of(given, "web-dev-1", "metadata.labels.level"), given)
    assert (found.source, found.text) == ("trait-binding", "${parameters.log.level}")
    assert [(item.name, item.source, item.value) for item in found.inputs] == [
        ("parameters.log.level", "parameter", "debug")
    ]
    (memory,) = inputs_of(
        origin_of({**given, "Component": {"metadata": {}, "spec": {"parameters": {}}}}, "web-dev-1",
                  "spec.template.spec.containers[0].resources.limits.memory"), given)  # fmt: skip
    assert (memory.source, memory.value) == ("schema-default", "64Mi")


def test_platform_labels_tell_what_they_replaced() -> None:
    labelled = config_map("a")
    labelled["metadata"]["labels"] = {"openchoreo.dev/component": "mine"}
    origin = origin_of(render_input(labelled), "a", "metadata.labels[openchoreo.dev/component]")
    assert origin.step.kind == "platform-label"
    assert origin.before is not None and origin.before.step.text == "mine"


def test_the_policy_of_the_platform_is_explained_with_the_objects() -> None:
    policy = explain_component(rich_input())[-1]
    assert policy.object["kind"] == "NetworkPolicy"
    assert {origin.step.kind for origin in policy.origins.values()} == {"network-policy"}


@pytest.mark.parametrize(
    ("broken", "kind", "path"),
    [
        ({"more": [config_map("a", x="${parameters.nothing}")]}, "ComponentType", "spec.resources[1].template.data.x"),
        ({"more": [config_map("a", x="${1 +}")]}, "ComponentType", "spec.resources[1].template.data.x"),
        (
            {"trait": {"patches": [{"target": {"kind": "Deployment"},
                                    "operations": [{"op": "replace", "path": "/spec/nothing", "value": 1}]}]}},
            "Trait", "spec.patches[0].operations[0].value",
        ),
        (
            {"trait": {"patches": [{"target": {"kind": "Deployment"},
                                    "operations": [{"op": "add", "path": f"{CONTAINER}/x", "value": {"y": "${z}"}}]}]}},
            "Trait", "spec.patches[0].operations[0].value.y",
        ),
        ({"type_spec": {"parameters": schema(x={"type": "integer"})}, "parameters": {"x": "no"}},
         "ComponentType", "spec"),
    ],
)  # fmt: skip
def test_the_place_of_a_fault_is_found(broken: dict, kind: str, path: str) -> None:
    trait = broken.pop("trait", None)
    given = render_input(
        *broken.pop("more", []), traits={"t": trait} if trait else {}, uses=[use("t")] if trait else [], **broken
    )
    place = find_fault(given)
    assert place is not None
    assert (place.kind, path_text(place.path)) == (kind, path)


def test_a_render_that_succeeds_has_no_fault() -> None:
    assert find_fault(rich_input()) is None


def test_a_variable_that_a_dependency_gives_is_traced_to_the_dependency() -> None:
    deployment = config_map("envs")
    deployment["data"] = "${dependencies.toContainerEnvs()}"
    item = {"namespace": "acme", "project": "p", "component": "api", "endpoint": "http", "visibility": "project"}
    given = render_input(deployment, DependencyItems=[{**item, "envVars": [{"name": "API", "value": "http://api"}]}])
    given["Workload"]["spec"]["dependencies"] = {
        "endpoints": [{"component": "api", "name": "http", "visibility": "project", "envBindings": {"address": "API"}}]
    }
    (found,) = inputs_of(origin_of(given, "envs", "data[0].value"), given)
    (entry,) = found.inputs
    assert (entry.name, entry.source, entry.value) == ("API", "dependency", "http://api")
    assert entry.place == Place("Workload", "web", ("spec", "dependencies", "endpoints", 0))


def test_rendering_knows_nothing_of_explaining() -> None:
    """So it cannot pay for it."""
    program = "import sys, catalog.compiler.component; sys.exit(any('explain' in name for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
