"""Environments: their variables, macros, types and limits."""

from __future__ import annotations

import threading

import pytest

from catalog.compiler.cel import CelCompileError, CelEvaluationError, Environment, from_json
from catalog.compiler.cel.budget import MAX_SIZE
from catalog.compiler.cel.schema_types import field_name, schema_type
from catalog.compiler.cel.types import DYN, INT, STRING, list_of, map_of, object_of
from catalog.compiler.errors import CompilerError

RESOURCE = Environment(frozenset(), bare=True, variable_types={"resource": map_of(STRING, DYN)})


def test_equal_environments_share_programs() -> None:
    first = Environment(frozenset({"a", "b"})).compile("a + b")
    assert Environment(frozenset({"b", "a"})).compile("a + b") is first
    assert Environment(frozenset({"a", "b"}), component_macros=True).compile("a + b") is not first


def test_errors_carry_the_class_of_the_contract() -> None:
    assert issubclass(CelCompileError, CompilerError)
    assert CelCompileError.error_class == "compile"
    assert CelEvaluationError.error_class == "evaluate"


def test_authorization_conditions_know_the_standard_library_only() -> None:
    condition = RESOURCE.compile("resource.environment in ['dev', 'test'] && resource.name.startsWith('a')")
    assert condition.evaluate(from_json({"resource": {"environment": "dev", "name": "abc"}})) is True
    for expression in (
        "oc_hash('a')",
        "'a'.split(',')",
        "resource.?a",
        "[?resource]",
        "optional.none()",
        "{'a': 1}.transformList(k, v, k)",
        "math.greatest(1, 2)",
        "subject.name",
    ):
        with pytest.raises(CelCompileError):
            RESOURCE.compile(expression)


def test_helpers_of_components_read_the_derived_lists() -> None:
    environment = Environment(frozenset({"derived", "workload", "configurations"}), component_macros=True)
    bindings = from_json(
        {
            "derived": {
                "servicePorts": [{"port": 80}],
                "configFileList": [],
                "endpointResources": {"web": [{"path": "/"}]},
            },
            "workload": {},
            "configurations": {},
        }
    )
    assert environment.compile("workload.toServicePorts()[0].port").evaluate_native(bindings) == 80
    assert environment.compile("size(configurations.toConfigFileList())").evaluate_native(bindings) == 0
    assert environment.compile("workload.toEndpointResources('web')").evaluate_native(bindings) == [{"path": "/"}]
    assert environment.compile("workload.toEndpointResources('rpc')").evaluate_native(bindings) is None
    with pytest.raises(CelCompileError, match="undeclared reference to 'toServicePorts'"):
        environment.compile("derived.toServicePorts()")
    with pytest.raises(CelCompileError, match="undeclared reference to 'toServicePorts'"):
        Environment(frozenset({"derived", "workload"})).compile("workload.toServicePorts()")


SCHEMA = {
    "type": "object",
    "properties": {
        "replicas": {"type": "integer"},
        "ratio": {"type": "number"},
        "name": {"type": "string"},
        "since": {"type": "string", "format": "date-time"},
        "wait": {"type": "string", "format": "duration"},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "ports": {"type": "array", "items": {"type": "object", "properties": {"port": {"type": "integer"}}}},
        "either": {"oneOf": [{"type": "string"}, {"type": "integer"}]},
        "anything": {"x-kubernetes-preserve-unknown-fields": True},
        "my-key": {"type": "string"},
        "namespace": {"type": "string"},
    },
}


def typed() -> Environment:
    declared = schema_type(SCHEMA, "Parameters")
    assert declared is not None
    return Environment(frozenset({"metadata"}), variable_types={"parameters": declared})


@pytest.mark.parametrize(
    "expression",
    [
        "parameters.replicas + 1",
        "parameters.ratio + 1.0",
        "parameters.name + 'x'",
        "parameters.since.getFullYear() == 2020",
        "parameters.wait < duration('1h')",
        "parameters.labels['any'] + parameters.labels.other",
        "parameters.ports.map(p, p.port + 1)",
        "has(parameters.ports)",
        "parameters.either + 1",
        "parameters.my__dash__key + parameters.__namespace__",
        "metadata.anything.goes",
        "oc_merge(parameters.labels, {})",
    ],
)
def test_typed_variables_are_accepted(expression: str) -> None:
    typed().compile(expression)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("parameters.replicas + 1.0", "found no matching overload for '_+_' applied to '(int, double)'"),
        ("parameters.nope", "undefined field 'nope'"),
        ("has(parameters.nope)", "undefined field 'nope'"),
        ("parameters.anything", "undefined field 'anything'"),
        ("parameters.ports[0].nope", "undefined field 'nope'"),
        ("parameters.replicas.x", "type 'int' does not support field selection"),
        ("size(parameters)", "found no matching overload for 'size' applied to '(Parameters)'"),
        ("oc_merge(parameters, {})", "found no matching overload for 'oc_merge'"),
        ("metadata.x ? parameters : {}", "found no matching overload for '_?_:_'"),
        ("parameters.labels.map(k, k + 1)", "found no matching overload for '_+_' applied to '(string, int)'"),
    ],
)
def test_typed_variables_are_held_to_their_types(expression: str, message: str) -> None:
    with pytest.raises(CelCompileError) as caught:
        typed().compile(expression)
    assert message in str(caught.value)


def test_environments_with_other_fields_are_other_environments() -> None:
    small = Environment(frozenset(), variable_types={"p": object_of("P", {"a": INT})})
    large = Environment(frozenset(), variable_types={"p": object_of("P", {"a": INT, "b": list_of(INT)})})
    assert small != large
    large.compile("p.b")
    with pytest.raises(CelCompileError):
        small.compile("p.b")


def test_properties_that_no_expression_can_spell_are_no_fields() -> None:
    assert field_name("a.b/c__d") == "a__dot__b__slash__c__underscores__d"
    assert field_name("a b") is None


@pytest.mark.parametrize(
    "expression",
    [
        "lists.range(4000).map(x, lists.range(4000).map(y, y)).size()",
        "lists.range(4000).all(x, lists.range(4000).all(y, y >= 0))",
        "lists.range(9000).map(x, p.text + string(x)).size()",
        "lists.range(9000).map(x, p.text.replace('a', 'b')).size()",
    ],
)
def test_loops_that_do_too_much_are_stopped_and_named(expression: str) -> None:
    program = Environment(frozenset({"p"}), budget=1_000_000).compile(expression)
    with pytest.raises(CelEvaluationError) as caught:
        program.evaluate({"p": {"text": "a" * 5000}})
    assert expression[:30] in str(caught.value)
    assert "more than 1000000 steps" in str(caught.value)


def test_being_stopped_is_not_absorbed() -> None:
    program = Environment(frozenset(), budget=1000).compile("lists.range(5000).all(x, x >= 0) || true")
    with pytest.raises(CelEvaluationError):
        program.evaluate_exactly({})


@pytest.mark.parametrize(
    "expression",
    [
        "[p].map(x, x.replace('a', x)).map(x, x.replace('a', x))",
        "p.replace('a', p).replace('a', p)",
        "[" + ", ".join(["p"] * 100) + "].join(p).replace('a', p)",
    ],
)
def test_a_single_value_is_not_made_too_long(expression: str) -> None:
    program = Environment(frozenset({"p"}), budget=10**12).compile(expression)
    with pytest.raises(CelEvaluationError, match=f"longer than {MAX_SIZE}"):
        program.evaluate({"p": "a" * 1000})


def test_a_result_that_repeats_itself_without_end_is_refused() -> None:
    doubling = "optional.of([1])" + ".optMap(x, [x, x])" * 40
    program = Environment(frozenset()).compile(doubling)
    with pytest.raises(CelEvaluationError, match="longer than"):
        program.evaluate_native({})


def test_many_threads_can_use_one_program() -> None:
    program = Environment(frozenset({"p"})).compile("p.map(x, {'v': x, ?'w': p[?0]}).filter(x, x.v > 0)")
    results: list[object] = []

    def run() -> None:
        for _ in range(200):
            results.append(program.evaluate_native({"p": [1.0, 2.0]}))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [[{"v": 1.0, "w": 1.0}, {"v": 2.0, "w": 1.0}]] * 800


def test_a_variable_may_have_a_qualified_name() -> None:
    environment = Environment(frozenset({"a", "a.b", "a.b.c"}))
    bindings = {"a": {"b": "field", "x": "other"}, "a.b": {"d": "longer"}, "a.b.c": "longest"}
    expression = (
        "[a.x, a.b.d, a.b.c, .a.b.c, a.?b.d.orValue(''), string(has(a.b.d))] + [{'b': {'c': 'loop'}}].map(a, a.b.c)"
    )
    program = environment.compile(expression)
    for result in (program.evaluate(bindings), program.evaluate_exactly(bindings)):
        assert result == ["other", "longer", "longest", "longest", "", "true", "loop"]
