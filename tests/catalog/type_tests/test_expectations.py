"""What a case may expect, and what is said when it does not come."""

from __future__ import annotations

from typing import Any

import pytest

from tests.catalog.type_tests.workplace import DEPLOYMENT, Workplace


def failures(workplace: Workplace, expect: dict[str, Any], **given: Any) -> list[str]:
    workplace.type()
    workplace.test({"given": given, "expect": expect})
    return workplace.failures()


PUBLIC = {
    "parameters": {"public": True, "replicas": 2},
    "workload": {"endpoints": {"http": {"type": "HTTP", "port": 80}}},
}
NAME = "demo-development-b6b8d0d6"


@pytest.mark.parametrize(
    "expect",
    [
        {},
        {"objects": [{"kind": "Deployment", "spec": {"replicas": 2}}]},
        {"objects": [{"kind": "Service", "metadata": {"name": "demo"}, "spec": {"ports": [{"port": 80}]}}]},
        {"kinds": {"Deployment": 1, "Service": 1}},
        {"absent": [{"kind": "Ingress"}, {"kind": "Deployment", "spec": {"replicas": 1}}]},
        {"checks": [{"that": "size(objects) == 2"}, {"that": "${objects.exists(o, o.kind == 'Service')}"}]},
        {"checks": [{"that": "resource.spec.replicas == 2", "for": {"kind": "Deployment"}}]},
    ],
)
def test_what_comes_passes(workplace: Workplace, expect: dict[str, Any]) -> None:
    assert failures(workplace, expect, **PUBLIC) == []


@pytest.mark.parametrize(
    ("expect", "said"),
    [
        ({"objects": [{"kind": "Deployment", "spec": {"replicas": 3}}]}, ".spec.replicas: expected 3, got 2"),
        ({"objects": [{"kind": "Deployment", "spec": {"paused": True}}]}, ".spec.paused is missing, expected true"),
        ({"objects": [{"kind": "Service", "spec": {"ports": []}}]}, "Service/demo.spec.ports: expected [], got ["),
        ({"objects": [{"kind": "Ingress"}]}, "Ingress/None is missing; there are: Deployment/demo-development-"),
        ({"objects": [{"kind": "Service", "metadata": {"name": "x"}}]}, "Service/x is missing; there are: "),
        ({"kinds": {"Deployment": 1}}, "expected 0 of kind Service, got 1"),
        ({"kinds": {"Deployment": 1, "Service": 1, "Job": 2}}, "expected 2 of kind Job, got 0"),
        ({"absent": [{"kind": "Service"}]}, "Service/demo is there, but should not be"),
        ({"checks": [{"that": "size(objects) == 1"}]}, "size(objects) == 1"),
        ({"checks": [{"that": "false", "message": "as it should"}]}, "as it should"),
        ({"checks": [{"that": "1 + 1"}]}, "1 + 1 (it gave 2)"),
        ({"checks": [{"that": "objects[0].nothing"}]}, "no such key: nothing"),
        (
            {"checks": [{"that": "resource.kind == 'x'", "for": {"kind": "Service"}}]},
            "Service/demo: resource.kind == 'x'",
        ),
        (
            {"checks": [{"that": "true", "for": {"kind": "Job"}}]},
            'no object is like {"kind":"Job"}, which a check is about',
        ),
        ({"error": {"class": "schema"}}, "expected an error, but it rendered"),
    ],
)
def test_what_does_not_come_is_told(workplace: Workplace, expect: dict[str, Any], said: str) -> None:
    (failure,) = failures(workplace, expect, **PUBLIC)
    assert said in failure


def test_true_and_one_are_not_the_same(workplace: Workplace) -> None:
    assert failures(workplace, {"objects": [{"kind": "Deployment", "spec": {"replicas": True}}]}) != []


def test_an_expected_error_is_known_by_its_class_and_its_words(workplace: Workplace) -> None:
    wrong = {"parameters": {"replicas": -1}}
    words = "replicas should be greater than or equal to 0"
    assert failures(workplace, {"error": {"class": "schema", "message": words}}, **wrong) == []
    assert (
        "expected an error of class evaluate, got schema"
        in failures(workplace, {"error": {"class": "evaluate"}}, **wrong)[0]
    )
    assert 'expected an error with "other", got: ' in failures(workplace, {"error": {"message": "other"}}, **wrong)[0]


def test_an_error_that_nobody_expected_is_told_with_its_place(workplace: Workplace) -> None:
    template = {**DEPLOYMENT["template"], "spec": {"replicas": "${parameters.replicas + 1}"}}
    workplace.type(resources=[{"id": "deployment", "template": template}])
    workplace.test({})
    (failure,) = workplace.failures()
    assert "no such overload" in failure
    assert failure.endswith("\nat ComponentType web: spec.resources[0].template.spec.replicas")


def test_a_snapshot_is_written_when_it_is_accepted_and_compared_as_a_whole_from_then_on(workplace: Workplace) -> None:
    workplace.type()
    workplace.test({"expect": {"snapshot": "expected/web.yaml"}})
    assert "there is no snapshot web.yaml yet" in workplace.failures()[0]
    report = workplace.run(accept=True)
    assert [result.accepted for result in report.results] == [False, True]
    written = (workplace.folder / "expected/web.yaml").read_text()
    assert "replicas: 1" in written and "openchoreo.dev/component: demo" in written
    assert workplace.failures() == []
    (workplace.folder / "expected/web.yaml").write_text(written.replace("replicas: 1", "paused: true"))
    assert sorted(failure.partition(".")[2] for failure in workplace.failures()) == [
        "spec.paused is missing, expected true",
        "spec.replicas is 1, not expected at all",
    ]


def test_a_snapshot_knows_how_many_objects_there_are(workplace: Workplace) -> None:
    workplace.type()
    workplace.test({"expect": {"snapshot": "web.snapshot"}})
    workplace.run(accept=True)
    workplace.test({"given": PUBLIC, "expect": {"snapshot": "web.snapshot"}})
    assert workplace.failures()[0].startswith("2 objects, but 1 in web.snapshot; there are: ")


def test_a_snapshot_that_cannot_be_read_is_told(workplace: Workplace) -> None:
    workplace.type()
    workplace.test({"expect": {"snapshot": "web.snapshot"}})
    (workplace.folder / "web.snapshot").write_text("a: [")
    assert workplace.failures()[0].startswith("snapshot web.snapshot: ")
