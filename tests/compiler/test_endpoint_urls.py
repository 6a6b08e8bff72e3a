"""The addresses of endpoints, read from rendered routes and services."""

from __future__ import annotations

from typing import Any

from catalog.compiler.component.endpoint_urls import endpoint_statuses

GATEWAY = {
    "http": {"port": 80},
    "https": {"port": 443},
    "tls": {"port": 8443},
}
PLANE = {"spec": {"gateway": {"ingress": {"external": GATEWAY, "internal": {"http": {"port": 8080}}}}}}


def route(kind: str = "HTTPRoute", visibility: str = "external", **more: Any) -> dict:
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": kind,
        "metadata": {
            "name": "r",
            "labels": {"openchoreo.dev/endpoint-name": "e", "openchoreo.dev/endpoint-visibility": visibility},
            "annotations": more.get("annotations"),
        },
        "spec": {
            "hostnames": ["h", "other"],
            "rules": [{"matches": [{"path": {"value": "/p"}}]}],
            **more.get("spec", {}),
        },
    }


def service(name: str, *ports: int) -> dict:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "ns"},
        "spec": {"ports": [{"port": port} for port in ports]},
    }


def status(*objects: dict, type: str = "HTTP", environment: dict | None = None, **endpoint: Any) -> dict:
    endpoints = {"e": {"type": type, "port": 80, **endpoint}}
    (found,) = endpoint_statuses(objects, endpoints, environment or {}, PLANE)
    return found


def test_each_listener_of_the_gateway_gives_an_address() -> None:
    assert status(route()) == {
        "name": "e",
        "type": "HTTP",
        "externalURLs": {
            "http": {"scheme": "http", "host": "h", "port": 80, "path": "/p"},
            "https": {"scheme": "https", "host": "h", "port": 443, "path": "/p"},
        },
    }


def test_the_type_of_the_endpoint_decides_the_scheme() -> None:
    assert [url["scheme"] for url in status(route(), type="Websocket")["externalURLs"].values()] == ["ws", "wss"]
    assert [url["scheme"] for url in status(route("GRPCRoute"), type="gRPC")["externalURLs"].values()] == [
        "grpc",
        "grpcs",
    ]
    assert status(route("TLSRoute"), type="TCP")["externalURLs"] == {
        "tls": {"scheme": "tls", "host": "h", "port": 8443}
    }


def test_any_other_visibility_is_internal() -> None:
    for visibility in ("internal", "namespace", ""):
        assert status(route(visibility=visibility))["internalURLs"]["http"]["port"] == 8080


def test_an_annotation_gives_the_path_before_the_first_match() -> None:
    found = status(route(annotations={"openchoreo.dev/endpoint-base-path": "/base"}))
    assert found["externalURLs"]["http"]["path"] == "/base"


def test_a_route_without_host_or_gateway_gives_no_address() -> None:
    assert status(route(spec={"hostnames": []})) == {"name": "e", "type": "HTTP"}
    without_external = {"spec": {"gateway": {"ingress": {"internal": {}}}}}
    assert status(route(), environment=without_external) == {"name": "e", "type": "HTTP"}


def test_routes_that_cannot_serve_the_endpoint_do_not_count() -> None:
    endpoints = {"e": {"type": "UDP", "port": 80}, "f": {"type": "HTTP", "port": 80}}
    foreign = {**route(), "apiVersion": "example.com/v1"}
    assert endpoint_statuses([route(), foreign, route("GRPCRoute")], endpoints, {}, PLANE) == []


def test_the_service_with_most_of_the_ports_gives_the_inner_address() -> None:
    objects = [service("a", 1), service("b", 80), service("c", 80)]
    assert status(*objects, basePath="/v1") == {
        "name": "e",
        "type": "HTTP",
        "serviceURL": {"scheme": "http", "host": "b.ns.svc.cluster.local", "port": 80, "path": "/v1"},
    }
    assert endpoint_statuses([service("a", 1)], {"e": {"type": "HTTP", "port": 80}}, {}, PLANE) == []


def test_endpoints_with_a_route_come_before_those_with_only_a_service() -> None:
    endpoints = {name: {"type": "HTTP", "port": 80} for name in ("a", "e", "z")}
    found = endpoint_statuses([route(), service("s", 80)], endpoints, {}, PLANE)
    assert [item["name"] for item in found] == ["e", "a", "z"]
    assert all("serviceURL" in item for item in found)


def test_odd_manifests_give_no_address_and_no_fault() -> None:
    odd: list[dict] = [
        route(annotations="text", spec={"hostnames": [1]}),
        route(spec={"rules": ["text"]}),
        {**route(), "spec": "text"},
        {**service("s"), "spec": {"ports": ["80", {"port": "80"}]}},
        {"apiVersion": 1, "kind": [], "metadata": None},
    ]
    assert status(*odd[:1]) == {"name": "e", "type": "HTTP"}
    assert status(odd[1])["externalURLs"]["http"] == {"scheme": "http", "host": "h", "port": 80}
    for item in odd[2:]:
        assert endpoint_statuses([item], {"e": {"type": "HTTP", "port": 80}}, {}, PLANE) in (
            [],
            [{"name": "e", "type": "HTTP"}],
        )
