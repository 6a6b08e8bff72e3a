"""The compiler agrees with every recorded result of the contract's reference; and the checker notices when not."""

import json

import pytest

from catalog.compiler.__main__ import main
from catalog.compiler.conformance import check, operation_of, run

FILES = ("template.jsonl", "extra-template.jsonl", "ops.jsonl", "extra-ops.jsonl")


@pytest.fixture(scope="module")
def cases(conformance):
    return [json.loads(line) for name in FILES for line in (conformance / "recorded" / name).read_text().splitlines()]


def test_every_recorded_case_agrees(cases):
    scores = run(cases)
    assert {operation: [f"{f.id}: {f.place}" for f in score.failures] for operation, score in scores.items()} == {
        operation: [] for operation in scores
    }
    assert sum(score.total for score in scores.values()) == len(cases) > 1000


def test_a_changed_expectation_is_noticed_in_every_operation(cases):
    noticed = set()
    for case in cases:
        if "output" in case:
            assert check({**case, "output": tampered(case["output"])}) is not None, case["id"]
            noticed.add(operation_of(case))
        if "errorClass" in case:
            assert check({**case, "errorClass": "another"}) is not None, case["id"]
    assert len(noticed) == 11


def tampered(output):
    if isinstance(output, list):
        return [*output, {"tampered": 1}]
    if isinstance(output, dict) and output:
        key = max(output)  # of renders: the resources, which are compared whole
        return {**output, key: tampered(output[key])}
    return "tampered"


RESOLVE = {"op": "schema.resolve", "id": "c"}


@pytest.mark.parametrize(
    ("case", "place"),
    [
        ({**RESOLVE, "inputs": [{"a": 1}], "output": {"a": 1.0}}, None),
        ({**RESOLVE, "inputs": [{"a": 1}], "output": {"a": True}}, ".output.a is 1 instead of True"),
        ({**RESOLVE, "inputs": [{"a": None}], "output": {}}, ".output.a is there and should not be"),
        ({**RESOLVE, "inputs": [{}], "output": {"a": None}}, ".output.a is missing"),
        ({**RESOLVE, "inputs": [{"a": [1, 2]}], "output": {"a": [2, 1]}}, ".output.a[0] is 1 instead of 2"),
        ({**RESOLVE, "inputs": [{"a": [1]}], "output": {"a": [1, 2]}}, ".output.a has 1 items instead of 2"),
        ({**RESOLVE, "inputs": [{"$ref": "x"}], "error": "any text", "errorClass": "ref"}, None),
        ({**RESOLVE, "inputs": [{"$ref": "x"}], "errorClass": "schema"}, ".errorClass is 'ref' instead of 'schema'"),
        ({**RESOLVE, "inputs": [{}], "errorClass": "ref"}, ".errorClass is missing"),
        ({**RESOLVE, "inputs": [], "output": {}}, ".crash is there and should not be"),
        ({"op": "nope", "id": "c", "inputs": [], "output": 1}, ".output is missing"),
        ({"id": "c", "template": "${oc_omit()}", "inputs": {}, "omitted": True}, None),
    ],
)
def test_results_are_compared_as_json_values(case, place):
    difference = check(case)
    assert (difference and difference.place) == place


def test_cases_of_known_defects_are_left_out():
    assert run([{**RESOLVE, "inputs": [{}], "output": 1, "defect": "omit-leak"}]) == {}


def test_the_command_reports_and_writes_the_scores(tmp_path, capsys):
    good = {**RESOLVE, "id": "good", "inputs": [{}], "output": {}}
    bad = {**RESOLVE, "id": "bad", "inputs": [{}], "output": {"a": 1}}
    other = {"id": "text", "template": "${'x'}", "inputs": {}, "output": "x"}
    file, report = tmp_path / "cases.jsonl", tmp_path / "scores.json"
    file.write_text("\n".join(map(json.dumps, [good, bad, other])))

    assert main(["conformance", str(file), "--json", str(report)]) == 1
    assert capsys.readouterr().out == "schema.resolve: 1/2\n  bad: .output.a is missing\ntemplate: 1/1\nall: 2/3\n"
    assert json.loads(report.read_text()) == {
        "schema.resolve": {
            "passed": 1,
            "total": 2,
            "failures": [{"id": "bad", "expected": {"output": {"a": 1}}, "got": {"output": {}}}],
        },
        "template": {"passed": 1, "total": 1, "failures": []},
    }
    assert main(["conformance", str(file), "--op", "template"]) == 0
    assert main(["conformance", str(file), "--fail-fast"]) == 1
    assert "template" not in capsys.readouterr().out.split("schema.resolve")[-1]
