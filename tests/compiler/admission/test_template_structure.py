"""Manifest templates: kind, name and namespace, and how many workloads a type may have."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.compiler.admission.template_structure import read_structure, workload_errors
from tests.compiler.admission.specs import manifest, resource, texts


def found(**changes: Any) -> list[str]:
    return texts(read_structure({**manifest(), **changes}, "t").errors)


@pytest.mark.parametrize(
    "metadata",
    [
        {"name": "plain"},
        {"name": "${metadata.name}-x"},
        {"name": 5},
        {"name": "a", "namespace": "${metadata.namespace}"},
        {"name": "a", "namespace": "  ${ metadata.namespace } \n"},
        {"name": "a", "namespace": None},
    ],
)
def test_a_complete_template_passes(metadata: dict[str, Any]) -> None:
    assert found(metadata=metadata) == []


@pytest.mark.parametrize(
    "namespace", ["default", "", "${metadata.name}", "${metadata.namespace}-x", "metadata.namespace"]
)
def test_the_namespace_is_the_platforms(namespace: str) -> None:
    assert found(metadata={"name": "a", "namespace": namespace}) == [
        f't.metadata.namespace: Invalid value: "{namespace}": '
        'if metadata.namespace is specified, it must be "${metadata.namespace}"'
    ]


def test_a_namespace_that_is_no_text_is_refused() -> None:
    assert found(metadata={"name": "a", "namespace": 5})[0].startswith("t.metadata.namespace: Invalid value: 5: ")


def test_all_that_is_missing_is_told() -> None:
    assert texts(read_structure({}, "t").errors) == [
        "t.apiVersion: Required value: apiVersion is required in resource template",
        "t.kind: Required value: kind is required in resource template",
        "t.metadata.name: Required value: metadata.name is required in resource template",
    ]
    assert len(found(apiVersion="", kind=None, metadata={"name": ""})) == 3


def test_a_kind_is_never_an_expression() -> None:
    assert found(kind="${parameters.kind}") == [
        "t.kind: Forbidden: kind must be a literal value, not a template expression"
    ]


@pytest.mark.parametrize("changes", [{"apiVersion": 1}, {"kind": ["A"]}, {"metadata": "${x}"}])
def test_what_no_expression_can_mend_is_told_as_unreadable(changes: dict[str, Any]) -> None:
    (error,) = found(**changes)
    assert error.startswith('t: Invalid value: "<invalid>": failed to parse template: ')
    assert read_structure({**manifest(), **changes}, "t").kind == ""


def workloads(workload_type: str, *kinds: str) -> list[str]:
    return texts(workload_errors(workload_type, [resource(kind) for kind in kinds], "r"))


@pytest.mark.parametrize(
    ("workload_type", "kinds"),
    [
        ("deployment", ("Deployment", "Service")),
        ("cronjob", ("ConfigMap", "CRONJOB")),
        ("proxy", ("Service", "HTTPRoute")),
        ("proxy", ()),
    ],
)
def test_one_workload_of_the_declared_kind_passes_and_a_proxy_without_any(
    workload_type: str, kinds: tuple[str, ...]
) -> None:
    assert workloads(workload_type, *kinds) == []


def test_a_type_without_its_workload_is_refused() -> None:
    assert workloads("statefulset", "Service") == [
        'r: Required value: must have exactly one resource with kind matching workloadType "statefulset"'
    ]


def test_two_workloads_are_refused_at_each_of_them() -> None:
    assert workloads("job", "Job", "ConfigMap", "job") == [
        'r[0].template.kind: Duplicate value: "job"',
        'r[2].template.kind: Duplicate value: "job"',
        'r: Invalid value: "2 resources": '
        'must have exactly one resource with kind matching workloadType "job", found 2',
    ]


@pytest.mark.parametrize("kind", ["DaemonSet", "StatefulSet", "CronJob", "Job"])
def test_another_workload_beside_the_declared_one_is_refused(kind: str) -> None:
    (error,) = workloads("deployment", "Deployment", kind)
    assert error.startswith(f'r[1].template.kind: Forbidden: resource kind "{kind}" is a workload type that does not')


def test_a_proxy_has_no_workload() -> None:
    assert workloads("proxy", "Deployment") == [
        'r[0].template.kind: Forbidden: proxy ComponentType must not contain workload resources (kind "Deployment")'
    ]
