"""Conditions, loops, templates and rules: what is wrong with them is told at once, each with its path and place."""

from __future__ import annotations

import pytest

from catalog.compiler.admission.expressions import Expressions
from catalog.compiler.schema import FieldError
from tests.compiler.admission.specs import expressions, paths, schema, texts

SEEN = expressions(
    parameters=schema(
        enabled={"type": "boolean"},
        count={"type": "integer"},
        name={"type": "string"},
        names={"type": "array", "items": {"type": "string"}},
        labels={"type": "object", "additionalProperties": {"type": "string"}},
        volumes={"type": "array", "items": {"type": "object", "properties": {"on": {"type": "boolean"}}}},
    )
)


def condition(text: str, seen: Expressions = SEEN) -> list[FieldError]:
    return list(seen.condition({"includeWhen": text}, "includeWhen", ".entry"))


def loop(text: str, variable: str = "") -> tuple[Expressions, list[FieldError]]:
    errors: list[FieldError] = []
    body = SEEN.loop({"forEach": text, **({"var": variable} if variable else {})}, ".entry", errors)
    return body, errors


@pytest.mark.parametrize(
    "text",
    ["${parameters.enabled}", "${parameters.count > 0}", "${ !parameters.enabled }\n", "${dyn(1)}", "${oc_omit()}"],
)
def test_a_condition_may_give_a_boolean_or_something_unknown(text: str) -> None:
    assert condition(text) == []


@pytest.mark.parametrize("text", ["${parameters.count}", "${parameters.name}", "${[true]}", "${parameters.?enabled}"])
def test_a_condition_that_gives_anything_else_is_refused(text: str) -> None:
    (error,) = condition(text)
    assert error.path == ".entry.includeWhen"
    assert "includeWhen must return boolean: expression must return boolean, got " in error.message


def test_the_type_of_a_wrong_condition_is_named() -> None:
    assert texts(condition("${workload.container}")) == [
        '.entry.includeWhen: Invalid value: "${workload.container}": includeWhen must return boolean: '
        "expression must return boolean, got ContainerData"
    ]


def test_a_condition_must_be_one_expression() -> None:
    assert texts(condition("true")) == [
        '.entry.includeWhen: Invalid value: "true": includeWhen must be wrapped in ${...}'
    ]
    (error,) = condition("${parameters.enabled} && ${parameters.enabled}")
    assert "parse error" in error.message


def test_faults_show_the_stage_the_place_and_the_source() -> None:
    (error,) = condition("${parameters.count >}")
    assert "parse error: ERROR: <input>:1:19: Syntax error" in error.message
    (error,) = condition("${parameters.absent\n  || other}")
    assert error.message.endswith(
        "type check error: ERROR: <input>:1:11: undefined field 'absent'\n | parameters.absent\n | ..........^\n"
        "ERROR: <input>:2:6: undeclared reference to 'other' (in container '')\n |   || other\n | .....^"
    )


@pytest.mark.parametrize(
    "text", ["${parameters.names}", "${parameters.labels}", "${['a']}", "${{'a': 1}}", "${dyn(1)}"]
)
def test_a_loop_may_be_over_a_list_or_a_map_or_something_unknown(text: str) -> None:
    assert loop(text)[1] == []


@pytest.mark.parametrize("text", ["${parameters.count}", "${parameters.name}", "${true}", "${parameters.names[0]}"])
def test_a_loop_over_anything_else_is_refused(text: str) -> None:
    (error,) = loop(text)[1]
    assert error.path == ".entry.forEach"
    assert "forEach expression must return list or map, got " in error.message


def test_the_body_of_a_loop_sees_its_variable() -> None:
    body, _ = loop("${parameters.volumes}", "volume")
    assert condition("${volume.on}", body) == []
    assert "undefined field 'off'" in condition("${volume.off}", body)[0].message
    assert "undeclared reference to 'volume'" in condition("${volume.on}")[0].message


def test_without_a_name_the_variable_is_called_item() -> None:
    assert condition("${item == 'a'}", loop("${parameters.names}")[0]) == []


def test_a_loop_over_a_map_gives_entries() -> None:
    body, _ = loop("${workload.endpoints.transformMap(name, endpoint, endpoint.type == 'HTTP', endpoint)}", "route")
    assert condition("${route.key == 'a' && route.value.port == 80}", body) == []
    assert "undefined field 'value2'" in condition("${route.value2}", body)[0].message
    assert "undefined field 'portt'" in condition("${route.value.portt == 80}", body)[0].message


def test_a_loop_that_cannot_be_checked_does_not_spoil_its_body() -> None:
    body, errors = loop("${absent}", "each")
    assert paths(errors) == [".entry.forEach"]
    assert condition("${each.anything}", body) == []


def test_a_variable_may_hide_another() -> None:
    body, _ = loop("${parameters.names}", "metadata")
    assert condition("${metadata == 'a'}", body) == []


def test_texts_keys_and_items_of_a_template_are_all_looked_at() -> None:
    template = {
        "metadata": {"name": "${parameters.absent}", "labels": {"a-${wrong}": "b"}},
        "list": ["fine", "${1 + 'a'} and ${metadata.nothing}", 5, None, True],
    }
    found = list(SEEN.template(template, ".template"))
    assert paths(found) == [
        ".template[metadata][name]",
        ".template[metadata][labels][a-${wrong}]",
        ".template[list][1]",
        ".template[list][1]",
    ]
    assert found[1].message.startswith(
        "Invalid value: \"a-${wrong}\": invalid CEL in map key 'wrong': type check error: "
    )
    assert "invalid CEL expression '1 + 'a'': type check error: " in found[2].message


def test_plain_text_and_unfinished_expressions_are_left_alone() -> None:
    assert list(SEEN.template({"a": "$x {{y}} ${unfinished", "b": "${'${quoted}'}"}, ".template")) == []


def test_an_unquoted_expression_inside_of_another_is_told() -> None:
    (error,) = SEEN.template("${'a' + ${metadata.name}}", ".template")
    assert "failed to parse CEL expressions: nested CEL expressions must be quoted" in error.message


def test_every_rule_is_checked() -> None:
    rules = [{"rule": "${parameters.count > 0}"}, {"rule": "${parameters.name}"}, {"rule": "${1 +}"}]
    assert paths(SEEN.rules(rules, ".validations")) == [".validations[1].rule", ".validations[2].rule"]
