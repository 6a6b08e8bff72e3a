"""The lists that templates read instead of computing them."""

from __future__ import annotations

import pytest

from catalog.compiler.component.dependencies import dependencies_context
from catalog.compiler.component.derived import derived_context, service_ports
from catalog.compiler.component.workload import configurations_context, with_overrides, workload_context

SECRETS = {
    "creds": {"spec": {"data": [{"secretKey": "s", "remoteRef": {"key": "path/x", "property": "p"}}]}},
}
FROM_SECRET = {"valueFrom": {"secretKeyRef": {"name": "creds", "key": "s"}}}
WORKLOAD = {
    "container": {
        "image": "i",
        "env": [{"key": "A", "value": "1"}, {"key": "S", **FROM_SECRET}],
        "files": [
            {"key": "app.toml", "mountPath": "/etc/app", "value": "x"},
            {"key": "tls.crt", "mountPath": "/etc/tls", **FROM_SECRET},
        ],
    }
}


def derived(workload: dict) -> dict:
    return derived_context(
        configurations_context(workload, SECRETS),
        workload_context(workload),
        dependencies_context([], []),
        "comp-dev",
        {},
    )


def test_configuration_becomes_named_config_maps_and_secrets() -> None:
    lists = derived(WORKLOAD)
    assert lists["containerEnvFrom"] == [
        {"configMapRef": {"name": "comp-dev-env-configs-e0534591"}},
        {"secretRef": {"name": "comp-dev-env-secrets-c8140e90"}},
    ]
    assert lists["configEnvs"] == [
        {"resourceName": "comp-dev-env-configs-e0534591", "envs": [{"name": "A", "value": "1"}]}
    ]
    (secret_envs,) = lists["secretEnvs"]
    assert secret_envs["envs"] == [{"name": "S", "value": "", "remoteRef": {"key": "path/x", "property": "p"}}]
    (config_file,) = lists["configFileList"]
    assert config_file == {
        "name": "app.toml",
        "mountPath": "/etc/app",
        "value": "x",
        "resourceName": "comp-dev-config-app-toml-3ccf8289",
    }
    (secret_file,) = lists["secretFileList"]
    assert secret_file["resourceName"] == "comp-dev-secret-tls-crt-09b67d1d"
    assert "value" not in secret_file


def test_files_become_mounts_in_order_and_volumes_by_name() -> None:
    lists = derived(WORKLOAD)
    app, tls = lists["configVolumeMounts"]
    assert app == {"name": "file-mount-aea56832", "mountPath": "/etc/app/app.toml", "subPath": "app.toml"}
    assert tls["name"] == "file-mount-9b2ef275"
    assert lists["configVolumes"] == [
        {"name": "file-mount-9b2ef275", "secret": {"secretName": "comp-dev-secret-tls-crt-09b67d1d"}},
        {"name": "file-mount-aea56832", "configMap": {"name": "comp-dev-config-app-toml-3ccf8289"}},
    ]


def test_a_changed_remote_reference_makes_another_secret() -> None:
    before = derived(WORKLOAD)["secretEnvs"][0]["resourceName"]
    changed = {"creds": {"spec": {"data": [{"secretKey": "s", "remoteRef": {"key": "path/y"}}]}}}
    configurations = configurations_context(WORKLOAD, changed)
    after = derived_context(configurations, workload_context(WORKLOAD), dependencies_context([], []), "comp-dev", {})
    assert after["secretEnvs"][0]["resourceName"] != before


def test_a_secret_that_does_not_resolve_is_left_out() -> None:
    assert configurations_context(WORKLOAD, {})["secrets"] == {"envs": [], "files": []}
    assert len(configurations_context(WORKLOAD, {})["configs"]["envs"]) == 1


def test_a_workload_without_configuration_has_empty_lists() -> None:
    lists = derived({"container": {"image": "i"}})
    assert lists.pop("endpointResources") == {}
    assert all(value == [] for value in lists.values())


@pytest.mark.parametrize(
    ("names", "ports"),
    [
        (["http"], ["http"]),
        (["My_Port"], ["my-port"]),
        (["_-!-_"], ["port-80"]),
        (["a-very-long-endpoint-name"], ["a-very-long-end"]),
        (["grpc", "GRPC"], ["grpc", "grpc-2"]),
        (["abcdefghijklmno-x", "abcdefghijklmno-y"], ["abcdefghijklmno", "abcdefghijklm-2"]),
    ],
)
def test_port_names_are_valid_and_unique(names: list[str], ports: list[str]) -> None:
    endpoints = {name: {"type": "HTTP", "port": 80 + index} for index, name in enumerate(sorted(names))}
    seen = workload_context({"endpoints": endpoints})["endpoints"]
    assert [port["name"] for port in service_ports(seen)] == ports


def test_a_port_and_protocol_is_served_once() -> None:
    endpoints = {
        "b": {"type": "HTTP", "port": 80, "targetPort": 8080},
        "a": {"type": "TCP", "port": 80},
        "c": {"type": "UDP", "port": 80},
    }
    assert service_ports(workload_context({"endpoints": endpoints})["endpoints"]) == [
        {"name": "a", "port": 80.0, "targetPort": 80.0, "protocol": "TCP"},
        {"name": "c", "port": 80.0, "targetPort": 80.0, "protocol": "UDP"},
    ]


def test_every_endpoint_is_visible_in_its_project_first() -> None:
    endpoint = {"type": "HTTP", "port": 80, "visibility": ["external", "project", "external"], "basePath": "/v1"}
    assert workload_context({"endpoints": {"e": endpoint}})["endpoints"]["e"] == {
        "port": 80.0,
        "targetPort": 80.0,
        "type": "HTTP",
        "visibility": ["project", "external"],
        "basePath": "/v1",
    }


def test_an_override_replaces_the_entry_with_its_key_in_place() -> None:
    overrides = {
        "container": {
            "image": "ignored",
            "env": [
                {"key": "S", "value": "plain"},
                {"key": "N", "value": "1"},
                {"key": "S", "value": "last"},
                {"key": "N", "value": "2"},
            ],
        }
    }
    merged = with_overrides(WORKLOAD, overrides)
    assert merged["container"]["image"] == "i"
    assert merged["container"]["env"] == [
        {"key": "A", "value": "1"},
        {"key": "S", "value": "last"},
        {"key": "N", "value": "1"},
        {"key": "N", "value": "2"},
    ]
    assert merged["container"]["files"] == WORKLOAD["container"]["files"]
    assert WORKLOAD["container"]["env"][1] == {"key": "S", **FROM_SECRET}
