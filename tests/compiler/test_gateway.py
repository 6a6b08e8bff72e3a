"""Which gateways serve an environment, and how expressions see them."""

from __future__ import annotations

from catalog.compiler.gateway import effective_gateway, environment_context, plane_context, plane_gateway


def spec(**directions: dict) -> dict:
    return {"spec": {"gateway": directions}}


EXTERNAL = {"name": "gw", "namespace": "", "http": {"port": 80, "host": "h"}, "https": {"port": 0, "host": ""}}
SEEN = {"name": "gw", "http": {"port": 80.0, "host": "h"}, "https": {}}


def test_empty_fields_are_absent_and_ports_are_doubles() -> None:
    gateway = plane_gateway(spec(ingress={"external": EXTERNAL, "internal": None}), keep_empty_directions=False)
    assert gateway == {"ingress": {"external": SEEN}}
    assert isinstance(gateway["ingress"]["external"]["http"]["port"], float)


def test_a_direction_without_gateways_stays_only_for_components() -> None:
    empty = spec(ingress={})
    assert plane_gateway(empty, keep_empty_directions=True) == {"ingress": {}}
    assert plane_gateway(empty, keep_empty_directions=False) is None
    assert plane_gateway({"spec": {}}, keep_empty_directions=True) is None


def test_an_environment_replaces_gateways_one_by_one_each_as_a_whole() -> None:
    plane = spec(ingress={"external": EXTERNAL, "internal": {"name": "in"}}, egress={"external": {"name": "out"}})
    environment = spec(ingress={"external": {"name": "own"}})
    assert effective_gateway(environment, plane) == {
        "ingress": {"external": {"name": "own"}, "internal": {"name": "in"}},
        "egress": {"external": {"name": "out"}},
    }
    assert effective_gateway({}, {}) is None
    assert environment_context({}, {}) == {}


def test_a_plane_shows_its_secret_store_and_observability_plane() -> None:
    plane = {
        "kind": "DataPlane",
        "spec": {
            "secretStoreRef": {"name": "vault"},
            "observabilityPlaneRef": {"kind": "ObservabilityPlane", "name": "obs"},
        },
    }
    assert plane_context(plane) == {
        "secretStore": "vault",
        "observabilityPlaneRef": {"kind": "ObservabilityPlane", "name": "obs"},
    }
    clustered = {**plane, "kind": "ClusterDataPlane"}
    assert plane_context(clustered)["observabilityPlaneRef"]["kind"] == "ClusterObservabilityPlane"
    assert plane_context({}) == {}
