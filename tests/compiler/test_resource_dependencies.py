"""How outputs of a resource become variables, files and volumes of a workload."""

from __future__ import annotations

import pytest

from catalog.compiler.component.resource_dependencies import (
    OutputNotUsableError,
    resolve_resource_dependency,
    resource_dependency_item,
)

OUTPUTS = [
    {"name": "host", "value": "db.local"},
    {"name": "empty", "value": ""},
    {"name": "password", "secretKeyRef": {"name": "creds", "key": "pw"}},
    {"name": "user", "secretKeyRef": {"name": "creds", "key": "user"}},
    {"name": "ca", "configMapKeyRef": {"name": "trust", "key": "ca.crt"}},
]
TARGET = {"namespace": "acme", "project": "shop", "resourceName": "db", "environment": "dev"}


def test_outputs_become_variables_by_sorted_output_name() -> None:
    declared = {"ref": "db", "envBindings": {"password": "PW", "host": "HOST", "ca": "CA", "empty": "NONE"}}
    assert resource_dependency_item(declared, OUTPUTS)["envVars"] == [
        {"name": "CA", "valueFrom": {"configMapKeyRef": {"name": "trust", "key": "ca.crt"}}},
        {"name": "NONE"},
        {"name": "HOST", "value": "db.local"},
        {"name": "PW", "valueFrom": {"secretKeyRef": {"name": "creds", "key": "pw"}}},
    ]


def test_outputs_become_files_with_one_volume_for_each_source() -> None:
    declared = {"ref": "db", "fileBindings": {"user": "/run/user", "password": "/run/pw", "ca": "/run/ca"}}
    item = resource_dependency_item(declared, OUTPUTS)
    config, secret = item["volumes"]
    assert config["configMap"] == {"name": "trust"}
    assert secret["secret"] == {"secretName": "creds"}
    assert item["volumeMounts"] == [
        {"name": config["name"], "mountPath": "/run/ca", "subPath": "ca.crt"},
        {"name": secret["name"], "mountPath": "/run/pw", "subPath": "pw"},
        {"name": secret["name"], "mountPath": "/run/user", "subPath": "user"},
    ]
    assert secret["name"].startswith("r-") and len(secret["name"]) == 10


@pytest.mark.parametrize("bindings", [{"envBindings": {"gone": "X"}}, {"fileBindings": {"host": "/x"}}])
def test_missing_outputs_and_plain_files_are_refused(bindings: dict) -> None:
    with pytest.raises(OutputNotUsableError):
        resource_dependency_item({"ref": "db", **bindings}, OUTPUTS)


def ready(generation: int = 3, **condition: object) -> dict:
    condition = {"type": "Ready", "status": "True", "observedGeneration": 3, **condition}
    return {
        "metadata": {"name": "db-dev", "generation": generation},
        "status": {"conditions": [condition], "outputs": OUTPUTS},
    }


@pytest.mark.parametrize(
    ("providers", "reason"),
    [
        ([], "ResourceReleaseBinding not found for shop/db in environment dev"),
        ([{}, {}], "multiple ResourceReleaseBindings found for shop/db in environment dev"),
        ([ready(generation=4)], 'ResourceReleaseBinding "db-dev" not ready'),
        ([ready(status="False")], 'ResourceReleaseBinding "db-dev" not ready'),
        ([ready()], "output not resolved on resource release binding: gone"),
    ],
)
def test_a_dependency_that_waits_says_for_what(providers: list[dict], reason: str) -> None:
    item, pending = resolve_resource_dependency({"ref": "db", "envBindings": {"gone": "X"}}, TARGET, providers)
    assert item is None
    assert pending == {"namespace": "acme", "project": "shop", "resourceName": "db", "reason": reason}


def test_a_ready_resource_resolves() -> None:
    item, pending = resolve_resource_dependency({"ref": "db", "envBindings": {"host": "H"}}, TARGET, [ready()])
    assert pending is None
    assert item is not None and item["envVars"] == [{"name": "H", "value": "db.local"}]
