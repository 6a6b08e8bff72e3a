"""Checks the compiler against recorded results of the contract's reference.

A case is one line of a conformance file: an operation with its inputs and what must come of them. ``run`` evaluates
cases and says, per operation, how many agree and where the others differ. Results are compared as JSON values:
numbers by value, lists in order, null apart from an absent key; of errors only the class counts, and of resource
outputs also those that resolved. Called by ``python -m catalog.compiler conformance`` and by the tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from catalog.compiler import component, project, resource, workflow
from catalog.compiler.cel.values import OMIT, from_json
from catalog.compiler.errors import CompilerError, InvalidValuesError
from catalog.compiler.patch import Operation, apply_operations
from catalog.compiler.schema import compile_schema, resolve_refs
from catalog.compiler.template import compile_template

Case = Mapping[str, Any]
TEMPLATE = "template"
_OMITTED: dict[str, object] = {"omitted": True}


@dataclass(frozen=True)
class Difference:
    """A case that does not agree: what was expected, what came, and the first place where they differ."""

    id: str
    expected: object
    got: object
    place: str


@dataclass
class Score:
    """How an operation fares."""

    passed: int = 0
    total: int = 0
    failures: list[Difference] = field(default_factory=list)


def run(cases: Iterable[Case], only: str = "", fail_fast: bool = False) -> dict[str, Score]:
    """Evaluate ``cases`` and return the score of each operation, in order of first appearance.

    ``only`` leaves out other operations; ``fail_fast`` stops after the first difference. Cases marked as a defect of
    the reference are left out.
    """
    scores: dict[str, Score] = {}
    for case in cases:
        operation = operation_of(case)
        if case.get("defect") or (only and operation != only):
            continue
        score = scores.setdefault(operation, Score())
        score.total += 1
        difference = check(case)
        if difference is None:
            score.passed += 1
            continue
        score.failures.append(difference)
        if fail_fast:
            break
    return scores


def operation_of(case: Case) -> str:
    """The operation of a case; one without ``op`` is a single call of the template engine."""
    return str(case.get("op", TEMPLATE))


def check(case: Case) -> Difference | None:
    """Evaluate one case and return how it differs from what was recorded, None if it agrees."""
    expected = _expected(case)
    got = _evaluate(case)
    place = _first_difference(expected, got, "")
    return None if place is None else Difference(str(case["id"]), expected, got, place)


def _expected(case: Case) -> dict[str, object]:
    if case.get("omitted"):
        return _OMITTED
    expected: dict[str, object] = {}
    if "errorClass" in case:
        expected["errorClass"] = case["errorClass"]
    if "output" in case:
        expected["output"] = _comparable(operation_of(case), case["output"])
    if "failedOutputs" in case:
        expected["failedOutputs"] = case["failedOutputs"]
    return expected


def _evaluate(case: Case) -> dict[str, object]:
    operation = operation_of(case)
    evaluate = _OPERATIONS.get(operation)
    if evaluate is None:
        return {"unknown operation": operation}
    try:
        output = evaluate(case)
    except resource.OutputsNotResolvedError as error:
        got = {"errorClass": error.error_class, "output": _comparable(operation, _named_outputs(error.resolved))}
        return {**got, "failedOutputs": error.failed} if "failedOutputs" in case else got
    except CompilerError as error:
        return {"errorClass": error.error_class}
    except Exception as error:
        # Whatever else escapes is a bug of the compiler; the other cases should still be heard.
        return {"crash": f"{type(error).__name__}: {error}"}
    return _OMITTED if output is OMIT else {"output": _comparable(operation, output)}


def _render_template(case: Case) -> object:
    inputs = from_json(case["inputs"])
    template = compile_template(case["template"], frozenset(inputs), bool(case.get("componentMacros")))
    return template.render(inputs)


def _render_component(case: Case) -> object:
    output = component.render(case["inputs"][0])
    counts = output.counts
    return {
        "Resources": [{"Resource": rendered, "TargetPlane": plane} for rendered, plane in output.resources],
        "Metadata": {
            "ResourceCount": counts.resources,
            "BaseResourceCount": counts.base_resources,
            "TraitCount": counts.traits,
            "TraitResourceCount": counts.trait_resources,
        },
    }


def _entries(entries: Iterable[project.Entry]) -> object:
    return {"Entries": [{"ID": entry.id, "Object": entry.object} for entry in entries]}


def _named_outputs(outputs: Iterable[Mapping[str, object]]) -> object:
    names = {"name": "Name", "value": "Value", "secretKeyRef": "SecretKeyRef", "configMapKeyRef": "ConfigMapKeyRef"}
    return [{"Value": ""} | {names[key]: value for key, value in output.items()} for output in outputs]


def _render_workflow(case: Case) -> object:
    output = workflow.render(case["inputs"][0])
    return {
        "Resource": output.resource,
        "Resources": [{"ID": entry.id, "Resource": entry.object} for entry in output.resources],
    }


def _apply_patch(case: Case) -> object:
    document, operations = case["inputs"]
    changes = [Operation(o["op"], o["path"], from_json(o.get("value"))) for o in operations]
    return apply_operations(from_json(document), changes)


def _validate(case: Case) -> object:
    values, schema = case["inputs"]
    compiled = compile_schema(schema)
    if reasons := compiled.validate(from_json(values)):
        raise InvalidValuesError(reasons)
    return True


_OPERATIONS: dict[str, Callable[[Case], object]] = {
    TEMPLATE: _render_template,
    "component.render": _render_component,
    "project.render": lambda case: _entries(project.render(case["inputs"][0])),
    "resource.render": lambda case: _entries(resource.render(case["inputs"][0])),
    "resource.outputs": lambda case: _named_outputs(resource.outputs(*case["inputs"])),
    "resource.readyWhen": lambda case: resource.ready_when(*case["inputs"]),
    "workflow.render": _render_workflow,
    "patch.apply": _apply_patch,
    "schema.default": lambda case: compile_schema(case["inputs"][1]).default(from_json(case["inputs"][0])),
    "schema.validate": _validate,
    "schema.resolve": lambda case: resolve_refs(case["inputs"][0]),
}


def _comparable(operation: str, output: Any) -> object:
    """Take away what is not to be compared: warnings, empty lists against null, key references that are null."""
    if operation == "resource.outputs":
        return [{key: value for key, value in entry.items() if value is not None} for entry in output or []]
    if operation == "workflow.render":
        return {"Resource": output["Resource"], "Resources": output.get("Resources") or []}
    if operation == "component.render":
        counts = {key: value for key, value in output["Metadata"].items() if key != "Warnings"}
        return {"Resources": output["Resources"] or [], "Metadata": counts}
    return output


def _first_difference(expected: object, got: object, path: str) -> str | None:
    """Where and how two JSON values differ; None if they are equal."""
    if isinstance(expected, dict) and isinstance(got, dict):
        for key in sorted(expected.keys() | got.keys()):
            if key not in got:
                return f"{path}.{key} is missing"
            if key not in expected:
                return f"{path}.{key} is there and should not be"
            if (place := _first_difference(expected[key], got[key], f"{path}.{key}")) is not None:
                return place
        return None
    if isinstance(expected, list) and isinstance(got, list):
        for index, (left, right) in enumerate(zip(expected, got, strict=False)):
            if (place := _first_difference(left, right, f"{path}[{index}]")) is not None:
                return place
        return None if len(expected) == len(got) else f"{path} has {len(got)} items instead of {len(expected)}"
    return None if _is_equal(expected, got) else f"{path or 'the result'} is {got!r} instead of {expected!r}"


def _is_equal(expected: object, got: object) -> bool:
    if isinstance(expected, bool) or isinstance(got, bool):
        return expected is got
    if isinstance(expected, (int, float)) and isinstance(got, (int, float)):
        return float(expected) == float(got)
    return type(expected) is type(got) and expected == got
