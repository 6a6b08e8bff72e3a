"""A whole render is limited, too: many expressions that are harmless alone, and objects without end."""

from __future__ import annotations

import pytest

from catalog.compiler import project
from catalog.compiler.cel.budget import RENDER_FACTOR, default_budget, set_default_budget
from catalog.compiler.errors import CompilerError, PatchError
from catalog.compiler.manifest import to_json
from catalog.compiler.patch import Operation, apply_operations

pytestmark = pytest.mark.timeout(120)
OBJECT = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}
BUDGET = 200_000
RENDER_STEPS = f"the render has done more than {BUDGET * RENDER_FACTOR} steps"


@pytest.fixture(autouse=True)
def smaller_budget():
    before = default_budget()
    set_default_budget(BUDGET)
    yield
    set_default_budget(before)


def rendered(resource, parameters=None, count=1, rules=()):
    spec = {
        "resources": [{"id": f"r{number}", **resource} for number in range(count)],
        "validations": list(rules),
        "parameters": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
    }
    return project.render(
        {"ProjectTypeSpec": spec, "ProjectParameters": parameters or {}, "Metadata": {"namespace": "n", "name": "p"}}
    )


def failure(resource, parameters=None, count=1, rules=()):
    with pytest.raises(CompilerError) as caught:
        rendered(resource, parameters, count, rules)
    return str(caught.value)


def test_many_expressions_share_a_budget():
    expression = "lists.range(90000).all(x, x >= 0)"
    said = failure({"template": {**OBJECT, "data": {f"k{n}": f"${{{expression} && {n} >= 0}}" for n in range(500)}}})
    assert RENDER_STEPS in said
    assert expression in said


def test_broken_rules_do_not_go_on_after_that():
    rules = [{"rule": f"${{lists.range(60000).all(x, dyn(x) != {n}.5)}}", "message": "m"} for n in range(100)]
    assert RENDER_STEPS in failure({"template": OBJECT}, rules=rules)


def test_loops_over_templates_are_limited():
    resource = {"forEach": "${lists.range(110000)}", "var": "i", "template": OBJECT}
    assert "a loop of 110000 turns comes when" in failure(resource)


def test_one_object_is_not_endless():
    template = {**OBJECT, "data": {f"k{n}": "${parameters.text}" for n in range(200)}}
    said = failure({"template": template}, {"text": "a" * 100_000})
    assert "more than 10000000 characters" in said


def test_all_objects_together_are_not_endless():
    template = {**OBJECT, "data": {f"k{n}": "${parameters.text}" for n in range(50)}}
    assert RENDER_STEPS in failure({"template": template}, {"text": "a" * 100_000}, count=10)


def test_a_text_of_many_expressions_is_not_endless():
    said = failure({"template": {**OBJECT, "data": {"k": "${parameters.text} " * 50}}}, {"text": "a" * 100_000})
    assert RENDER_STEPS in said


def test_an_ordinary_render_is_far_from_the_limits():
    template = {**OBJECT, "data": {f"k{n}": "${parameters.text}" for n in range(10)}}
    assert len(rendered({"template": template}, {"text": "a" * 10_000}, count=5)) == 5


def test_the_same_container_held_often_counts_as_often():
    value: list[object] = [1.0]
    for _ in range(60):
        value = [value, value]
    with pytest.raises(CompilerError, match="a rendered object has more than"):
        to_json(value)


def test_adding_to_all_elements_again_and_again_is_refused():
    operations = [Operation("add", "/l[*]", 1.0)] * 40
    with pytest.raises(PatchError, match="places"):
        apply_operations({"l": [1.0]}, operations)
