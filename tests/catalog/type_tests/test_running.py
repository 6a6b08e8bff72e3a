"""Runs of tests: files, faults of tests, admission of types, coverage, reports; and the command, without a database."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
from django.core.management import call_command

from catalog.type_tests import report as text_report
from catalog.type_tests.junit import junit
from tests.catalog.type_tests.workplace import DEPLOYMENT, SERVICE, Workplace, test_document
from tests.conftest import REPOSITORY


def lines(workplace: Workplace, **options: bool) -> list[str]:
    return list(
        text_report.lines(workplace.run(), missing=options.get("missing", False), quiet=options.get("quiet", False))
    )


def test_a_type_with_faults_fails_with_file_and_line_and_its_cases_do_not_run(workplace: Workplace) -> None:
    path = workplace.type(resources=[DEPLOYMENT, {**SERVICE, "includeWhen": "${parameters.absent}"}])
    workplace.test({})
    report = workplace.run()
    (result,) = report.results
    line = next(number for number, text in enumerate(path.read_text().splitlines(), 1) if "includeWhen" in text)
    assert result.failures[0].startswith(f"{path}:{line}: spec.resources[1].includeWhen: Invalid value: ")
    assert not report.passed and report.coverage == []


def test_a_type_that_is_nowhere_is_told(workplace: Workplace) -> None:
    workplace.test({})
    assert workplace.failures() == [
        "no ComponentType 'web' is defined in these files; name its file in spec.types or --types"
    ]


def test_types_are_found_where_the_test_says_and_where_the_caller_says(workplace: Workplace, tmp_path: Path) -> None:
    elsewhere = Workplace(tmp_path / "elsewhere")
    elsewhere.folder.mkdir()
    elsewhere.type()
    tests = Workplace(tmp_path / "tests")
    tests.test({}, types=["../elsewhere"])
    assert tests.failures() == []
    tests.test({})
    assert tests.failures() != []
    assert tests.failures(types=[elsewhere.folder]) == []


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({}, "spec.cases: Required value"),
        (
            {"target": {"kind": "Component", "name": "a"}, "cases": [{"name": "a"}]},
            "spec.target.kind: Unsupported value",
        ),
        ({"cases": []}, "spec.cases: Invalid value: 0: spec.cases in body should have at least 1 items"),
        ({"cases": [{"name": "a", "expects": {}}]}, "spec.cases[0].expects: there is no such field in a TypeTest"),
        ({"cases": [{"name": "a"}, {"name": "a"}]}, "spec.cases[1].name: another case has this name"),
        (
            {"given": {"observed": {}}, "cases": [{"name": "a"}]},
            "spec.given.observed: a test of a ComponentType has no such",
        ),
        (
            {"cases": [{"name": "a", "given": {"run": "x"}}]},
            "spec.cases[0].given.run: a test of a ComponentType has no such",
        ),
        ({"cases": [{"name": "a", "expect": {"error": {"class": "odd"}}}]}, "expect.error.class: Unsupported value"),
        ([], "spec: Required value: a TypeTest has a target and cases"),
    ],
)
def test_a_document_that_is_no_good_test_is_told_with_its_line(workplace: Workplace, spec: object, said: str) -> None:
    if isinstance(spec, dict) and spec:
        spec = {"target": {"kind": "ComponentType", "name": "web"}, **spec}
    path = workplace.write("bad.yaml", test_document(spec))  # type: ignore[arg-type]
    report = workplace.run()
    assert not report.passed
    assert said in "\n".join(report.problems)
    assert report.problems[0].startswith(f"{path}:")


def test_tests_of_another_version_and_files_that_are_no_yaml_are_told(workplace: Workplace) -> None:
    workplace.write("other.yaml", {**test_document({}), "apiVersion": "stagecraft.dev/v2"})
    (workplace.folder / "broken.yaml").write_text("a: [")
    broken, other = workplace.run().problems
    assert broken.startswith(f"{workplace.folder}/broken.yaml: line ")
    assert other.endswith("a TypeTest has apiVersion stagecraft.dev/v1alpha1")


def test_inputs_of_a_case_are_laid_over_the_shared_ones_and_null_takes_away(workplace: Workplace) -> None:
    workplace.type()
    image = "objects[0].spec.template.spec.containers[0].image"
    workplace.test(
        {
            "given": {"parameters": {"replicas": 3}},
            "expect": {"checks": [{"that": f"{image} == 'a:1' && size(objects) == 2"}]},
        },
        {
            "given": {"parameters": {"public": None}, "workload": None},
            "expect": {"checks": [{"that": f"{image} != 'a:1'"}], "kinds": {"Deployment": 1}},
        },
        given={"parameters": {"public": True}, "workload": {"container": {"image": "a:1"}}},
    )
    assert workplace.failures() == []


def test_the_report_tells_what_passed_what_failed_and_what_no_case_has_reached(workplace: Workplace) -> None:
    path = workplace.type()
    workplace.test({"name": "small"}, {"name": "wrong", "expect": {"kinds": {"Job": 1, "Deployment": 1}}})
    report = lines(workplace, missing=True)
    service = next(number for number, text in enumerate(path.read_text().splitlines(), 1) if "includeWhen" in text)
    assert report[0].endswith("ComponentType-web.test.yaml: ComponentType web")
    assert report[1:5] == [
        "  ok    passes admission", "  ok    small", "  FAIL  wrong", "        expected 1 of kind Job, got 0"
    ]  # fmt: skip
    assert report[5] == "ComponentType web: 6 of 10 leaves, 1 of 2 branches covered"
    assert report[6].endswith(f"{path.name}:{service} spec.resources[1].includeWhen: never true")
    assert report[7].endswith("spec.resources[1].template: never rendered")
    assert report[8] == "2 passed, 1 failed; 58 % covered"
    assert "  ok    small" not in lines(workplace, quiet=True)


def test_decisions_that_went_one_way_are_shown_with_their_place(workplace: Workplace) -> None:
    text = "${parameters.public\n  ? 'yes' : 'no'}"
    template = {**SERVICE["template"], "spec": {"type": text}}
    workplace.type(resources=[DEPLOYMENT, {"id": "service", "template": template}])
    workplace.test({})
    (missing,) = [line for line in lines(workplace, missing=True) if "never" in line]
    assert missing.endswith(
        "spec.resources[1].template.spec.type: never true at column 3 of line 2 of `? 'yes' : 'no'`"
    )


def test_coverage_is_of_a_type_over_all_its_tests(workplace: Workplace) -> None:
    workplace.type()
    workplace.test({})
    workplace.write(
        "second.yaml",
        test_document(
            {
                "target": {"kind": "ComponentType", "name": "web"},
                "cases": [{"name": "public", "given": {"parameters": {"public": True}}}],
            }
        ),
    )
    report = workplace.run()
    ((_, coverage),) = report.coverage
    assert coverage.missed() == []
    assert text_report.percent(report) == "100 %"
    assert workplace.run(cover=False).coverage == []


def test_only_the_chosen_cases_run(workplace: Workplace) -> None:
    workplace.type()
    workplace.test({"name": "first"}, {"name": "second"})
    assert [result.name for result in workplace.run(only="sec").results] == ["passes admission", "second"]


def test_the_report_for_build_servers(workplace: Workplace) -> None:
    workplace.type()
    workplace.test({"name": "good"}, {"name": "bad", "expect": {"kinds": {}}})
    (workplace.folder / "broken.yaml").write_text("a: [")
    root = Xml.fromstring(junit(workplace.run()))  # noqa: S314 - our own
    suite, files = root.findall("testsuite")
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "1", "0")
    assert [case.get("name") for case in suite] == ["passes admission", "good", "bad"]
    failure = suite[2].find("failure")
    assert failure is not None and failure.get("message") == "expected 0 of kind Deployment, got 1"
    assert failure.text is not None and "ComponentType-web.test.yaml:" in failure.text
    assert files.get("errors") == "1" and files[0].find("error") is not None


def test_the_command_says_it_by_its_exit_code(workplace: Workplace, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(workplace.folder)
    workplace.type()
    with pytest.raises(SystemExit, match="2"):
        call_command("test-types", folder)
    workplace.test({"expect": {"snapshot": "web.snapshot"}})
    with pytest.raises(SystemExit, match="1"):
        call_command("test-types", folder)
    call_command("test-types", folder, "--accept", "--junit", f"{folder}/report.xml")
    assert "1 snapshots written; 58 % covered" in capsys.readouterr().out
    assert (workplace.folder / "report.xml").read_bytes().startswith(b"<?xml")
    call_command("test-types", folder, "--min-coverage", "58")
    with pytest.raises(SystemExit, match="1"):
        call_command("test-types", folder, "--min-coverage", "90")
    with pytest.raises(SystemExit, match="2"):
        call_command("test-types", f"{folder}/absent")


def test_the_command_needs_no_database(tmp_path: Path) -> None:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "portal.settings", "STAGECRAFT_HOME": str(tmp_path)}
    environment["DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/none"
    command = [sys.executable, "manage.py", "test-types", "docs/samples/type-tests", "-q", "--min-coverage", "99"]
    result = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.splitlines()[-1].startswith("1")
    assert not list(tmp_path.rglob("*.sqlite3*"))
