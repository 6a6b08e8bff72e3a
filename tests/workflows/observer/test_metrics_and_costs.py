"""Metrics, topology, costs and recommendations by REST."""

from __future__ import annotations

from typing import Any

import pytest

from tests.catalog.api.conftest import ApiClient
from tests.workflows.observer.adapter_server import AdapterServer
from tests.workflows.observer.conftest import END, START, metadata, question

pytestmark = pytest.mark.django_db
METRICS, TOPOLOGY = "/observer/api/v1/metrics/query", "/observer/api/v1alpha1/metrics/runtime-topology"
COSTS = "/observer/api/v1alpha1/costs/namespaces/{}/environments/{}"
POINTS = [{"timestamp": "2026-05-01T10:00:00Z", "value": 0.25}, {"timestamp": "2026-05-01T10:05:00Z", "value": 1}]
Objects = dict[str, Any]


def test_series_come_by_name_and_unknown_ones_do_not(viewer: ApiClient, adapter: AdapterServer) -> None:
    adapter.series = {"cpuUsage": POINTS, "memoryUsage": [], "secretSeries": POINTS}
    reply = viewer.post(METRICS, question(metric="resource", step="5m"))
    assert reply.json() == {"cpuUsage": POINTS, "memoryUsage": []}
    assert (adapter.asked[0][2]["metric"], adapter.asked[0][2]["step"]) == ("resource", "5m")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "metric is required"),
        ({"metric": "disk"}, "metric must be either resource or http"),
        ({"metric": "http", "step": "often"}, "step must be a valid duration"),
        ({"metric": "http", "step": "0s"}, "step must be greater than 0"),
    ],
)
def test_a_question_about_metrics_that_makes_no_sense_is_400(
    viewer: ApiClient, adapter: AdapterServer, given: dict[str, Any], said: str
) -> None:
    reply = viewer.post(METRICS, question(**given))
    assert reply.status_code == 400
    assert said in reply.json()["message"]


def test_a_value_that_is_no_number_is_the_adapters_fault(viewer: ApiClient, adapter: AdapterServer) -> None:
    adapter.series = {"requestCount": [{"timestamp": "2026-05-01T10:00:00Z", "value": "many"}]}
    reply = viewer.post(METRICS, question(metric="http"))
    assert (reply.status_code, reply.json()["errorCode"]) == (500, "OBS-V1-M-05")
    assert "value must be a number" in reply.json()["message"]


def test_topology_is_told_in_the_observers_words(viewer: ApiClient, adapter: AdapterServer, objects: Objects) -> None:
    gateway = {"kind": "gateway", "gatewayName": "public"}
    cart = {"kind": "component", "component": "cart", "componentUid": str(objects["cart"].uid), "namespace": "acme"}
    outside = {"kind": "external", "externalHost": "pay.example", "metrics": {"requestCount": 2}}
    edge = {"id": "e1", "source": gateway, "target": cart, "protocol": "http", "metrics": {"latencyP99": 12.5}}
    summary = {"startTime": START, "endTime": END, "generatedAt": END}
    adapter.topology = {"nodes": [gateway, cart, outside], "edges": [edge], "summary": summary}
    found = viewer.post(TOPOLOGY, question(component="", scope={"environment": "development"})).json()
    assert found["nodes"][0] == {"kind": "gateway", "name": "public"}
    assert found["nodes"][2]["host"] == "pay.example"
    assert found["nodes"][2]["metrics"]["requestCount"] == 2
    assert found["edges"][0]["source"]["name"] == "public"
    assert found["edges"][0]["metrics"]["latencyP99"] == 12.5
    assert found["summary"] == summary


def test_topology_needs_an_environment_and_an_adapter_that_has_it(viewer: ApiClient, adapter: AdapterServer) -> None:
    assert viewer.post(TOPOLOGY, question()).status_code == 400
    assert viewer.post(TOPOLOGY, question(scope={"environment": "development"})).status_code == 501


def item(objects: Objects, component: str = "cart", **more: Any) -> dict[str, Any]:
    held = metadata(objects, component)
    names = {"namespace": held["namespaceName"], "project": held["projectName"], "component": component}
    uids = {name: held[name] for name in ("projectUid", "componentUid", "environmentUid")}
    return {**names, "environment": "development", **uids, **more}


def test_costs_come_by_component(viewer: ApiClient, adapter: AdapterServer, objects: Objects) -> None:
    cost = item(objects, startTime=START, endTime=END, cpuCost=1.5, memoryCost=0.5, efficiency=0.4)
    adapter.costs = [cost, item(objects, "vault", cpuCost=9)]
    query = f"?startTime={START}&endTime={END}&project=shop&component=cart&granularity=1d"
    assert viewer.get(COSTS.format("acme", "development") + query).json() == {"items": [cost]}
    _, path, asked, _ = adapter.asked[0]
    assert path.endswith(f"/namespaces/acme/environments/{objects['acme/development'].uid}")
    assert asked["granularity"] == "1d"
    assert asked["componentUid"] == str(objects["cart"].uid)


def test_recommendations_name_the_scope_too_and_hand_on_no_token(
    viewer: ApiClient, adapter: AdapterServer, objects: Objects
) -> None:
    now = {
        "cpuRequest": "500m",
        "cpuLimit": "1",
        "memoryRequest": "1Gi",
        "memoryLimit": "2Gi",
        "cpuCost": 2,
        "memoryCost": 1,
    }
    adapter.recommendations = [item(objects, current=now, recommendation={**now, "cpuRequest": "100m"})]
    query = f"/recommendations?startTime={START}&endTime={END}&project=shop"
    found = viewer.get(COSTS.format("acme", "development") + query).json()["items"][0]
    assert (found["current"]["cpuRequest"], found["recommendation"]["cpuRequest"]) == ("500m", "100m")
    _, _, asked, headers = adapter.asked[0]
    assert (asked["environment"], asked["project"]) == ("development", "shop")
    assert "Authorization" not in headers


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        (COSTS.format("acme", "development"), 400, "startTime is required"),
        (COSTS.format("acme", "nowhere") + f"?startTime={START}&endTime={END}", 404, "Environment 'nowhere'"),
        (
            COSTS.format("acme", "development") + f"?startTime={START}&endTime={END}&component=cart",
            400,
            "requires project",
        ),
        (COSTS.format("acme", "development") + f"?startTime={START}&endTime={END}&granularity=1y", 400, "granularity"),
        (COSTS.format("globex", "development") + f"?startTime={START}&endTime={END}", 403, "Access denied"),
    ],
)
def test_costs_that_cannot_be_told(
    viewer: ApiClient, adapter: AdapterServer, path: str, status: int, said: str
) -> None:
    reply = viewer.get(path)
    assert reply.status_code == status, reply.content
    assert said in reply.json()["message"]
    assert not adapter.asked
