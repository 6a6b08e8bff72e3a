"""Who may reach a component's endpoints."""

from __future__ import annotations

from catalog.compiler.component.network_policy import network_policy

METADATA = {
    "componentName": "web",
    "componentNamespace": "acme",
    "environmentName": "dev",
    "namespace": "dp-acme-shop-dev-1",
    "podSelectors": {"openchoreo.dev/component": "web"},
}
CILIUM = {"metadata": {"annotations": {"openchoreo.dev/networkpolicyprovider": "cilium"}}}
ENDPOINTS = {
    "z-http": {"type": "HTTP", "port": 80, "visibility": ["external", "internal"]},
    "a-udp": {"type": "UDP", "port": 9, "visibility": ["namespace"]},
    "m-tcp": {"type": "TCP", "port": 1000},
}
HTTP, UDP, TCP = ({"protocol": p, "port": n} for p, n in (("TCP", 80), ("UDP", 9), ("TCP", 1000)))


def test_a_component_without_endpoints_denies_all_ingress() -> None:
    assert network_policy(METADATA, {}, {}) == {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "openchoreo-web", "namespace": "dp-acme-shop-dev-1"},
        "spec": {"podSelector": {"matchLabels": METADATA["podSelectors"]}, "policyTypes": ["Ingress"]},
    }


def test_each_visibility_opens_a_port_to_its_callers() -> None:
    cell, environment, gateways = network_policy(METADATA, ENDPOINTS, {})["spec"]["ingress"]
    assert cell == {"from": [{"podSelector": {}}], "ports": [UDP, TCP, HTTP]}
    assert environment["ports"] == [UDP]
    assert environment["from"] == [
        {
            "namespaceSelector": {
                "matchLabels": {"openchoreo.dev/namespace": "acme", "openchoreo.dev/environment": "dev"}
            }
        }
    ]
    # Two visibilities behind the gateways give two entries.
    assert gateways["ports"] == [HTTP, HTTP]
    assert gateways["from"][0]["podSelector"]["matchExpressions"][0]["key"] == "openchoreo.dev/system-component"


def test_a_long_name_is_shortened_with_a_hash() -> None:
    name = network_policy({**METADATA, "componentName": "c" * 250}, {}, {})["metadata"]["name"]
    assert len(name) <= 253
    assert name.startswith("openchoreo-ccc")
    assert name != "openchoreo-" + "c" * 242


def test_cilium_gets_ports_as_text_with_http_rules_apart() -> None:
    policy = network_policy(METADATA, ENDPOINTS, CILIUM)
    assert (policy["apiVersion"], policy["kind"]) == ("cilium.io/v2", "CiliumNetworkPolicy")
    cell, environment, gateways = policy["spec"]["ingress"]
    assert cell == {
        "fromEndpoints": [{}],
        "toPorts": [
            {"ports": [{"port": "80", "protocol": "TCP"}], "rules": {"http": [{}]}},
            {"ports": [{"port": "1000", "protocol": "TCP"}, {"port": "9", "protocol": "UDP"}]},
        ],
    }
    any_namespace = {"key": "k8s:io.kubernetes.pod.namespace", "operator": "Exists"}
    assert environment["fromEndpoints"][0]["matchExpressions"] == [any_namespace]
    assert any_namespace in gateways["fromEndpoints"][0]["matchExpressions"]


def test_cilium_without_endpoints_has_empty_ingress() -> None:
    assert network_policy(METADATA, {}, CILIUM)["spec"]["ingress"] == []
