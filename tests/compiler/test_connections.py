"""How a workload's dependencies become addresses and environment variables."""

from __future__ import annotations

import pytest

from catalog.compiler.component.connections import (
    connection_targets,
    endpoint_address,
    endpoint_dependency_items,
    resolve_connection,
)

WORKLOAD = {
    "dependencies": {
        "endpoints": [
            {
                "component": "db",
                "name": "sql",
                "visibility": "project",
                "envBindings": {"address": "DB", "host": "DB_HOST", "port": "DB_PORT", "basePath": "DB_PATH"},
            },
            {"project": "other", "component": "api", "name": "rest", "visibility": "external", "envBindings": {}},
        ]
    }
}


def provider(**endpoint: object) -> dict:
    return {"spec": {"state": "Active"}, "status": {"endpoints": [{"name": "sql", **endpoint}]}}


@pytest.fixture
def target() -> dict:
    return connection_targets(WORKLOAD, "acme", "shop", "dev")[0]


def test_a_dependency_stays_in_its_own_project_unless_it_names_one(target: dict) -> None:
    assert target == {
        "namespace": "acme",
        "project": "shop",
        "component": "db",
        "endpoint": "sql",
        "visibility": "project",
        "environment": "dev",
    }
    assert connection_targets(WORKLOAD, "acme", "shop", "dev")[1]["project"] == "other"


def test_inside_the_cluster_the_service_address_counts(target: dict) -> None:
    url = {"scheme": "tcp", "host": "db.ns.svc.cluster.local", "port": 5432}
    resolved, pending = resolve_connection(target, [provider(serviceURL=url)])
    assert pending is None
    assert resolved == {**{field: target[field] for field in target if field != "environment"}, "url": url}


def test_external_addresses_prefer_https_then_http_then_tls(target: dict) -> None:
    external = {**target, "visibility": "external"}
    urls = {listener: {"host": listener} for listener in ("tls", "http", "https")}
    for wanted in ("https", "http", "tls"):
        resolved, _ = resolve_connection(external, [provider(externalURLs=urls)])
        assert resolved is not None and resolved["url"] == {"host": wanted}
        del urls[wanted]


@pytest.mark.parametrize(
    ("providers", "reason"),
    [
        ([], "ReleaseBinding not found for component shop/db"),
        ([{}, {}], "multiple ReleaseBindings found for component shop/db in environment dev"),
        ([{"spec": {"state": "Undeploy"}}], "component is undeployed"),
        ([{"spec": {}}], 'endpoint "sql" not yet resolved'),
        ([provider()], 'endpoint "sql" has no URL for visibility project'),
    ],
)
def test_what_does_not_resolve_says_why(target: dict, providers: list[dict], reason: str) -> None:
    resolved, pending = resolve_connection(target, providers)
    assert resolved is None
    assert pending == {
        "namespace": "acme",
        "project": "shop",
        "component": "db",
        "endpoint": "sql",
        "reason": reason,
    }


def test_bound_parts_become_variables_in_a_fixed_order(target: dict) -> None:
    url = {"scheme": "tcp", "host": "db", "port": 5432}
    resolved, _ = resolve_connection(target, [provider(serviceURL=url)])
    first, second = endpoint_dependency_items(WORKLOAD, "acme", "shop", [resolved])
    assert first["envVars"] == [
        {"name": "DB", "value": "db:5432"},
        {"name": "DB_HOST", "value": "db"},
        {"name": "DB_PORT", "value": "5432"},
        {"name": "DB_PATH"},
    ]
    assert second["envVars"] == []


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ({"scheme": "https", "host": "h", "port": 443, "path": "v1"}, "https://h:443/v1"),
        ({"scheme": "wss", "host": "h", "path": "/v1"}, "wss://h/v1"),
        ({"scheme": "grpc", "host": "h", "port": 9}, "h:9"),
        ({"host": "h"}, "h"),
    ],
)
def test_only_http_websocket_and_tls_addresses_carry_a_scheme(url: dict, address: str) -> None:
    assert endpoint_address(url) == address
