"""What the gateway refuses, at both of its ports, and in which words."""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
import requests

from catalog.delivery.agent.authority import Signed, sign_both, sign_client, sign_server
from tests.real.agent_stage import HEAD, AgentStage, plane_behind_agent, until
from tests.real.agents import DAY, GatewayProcess, Process, start_agent, start_gateway, write_files

pytestmark = [pytest.mark.real("kubernetes"), pytest.mark.xdist_group("kubernetes")]
DEFAULT = "planeType=dataplane&planeID=default"
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
UPGRADE = {
    "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}  # fmt: skip


def dial(stage: AgentStage, signed: Signed | None, query: str = DEFAULT, path: str = "/ws") -> tuple[int, str]:
    """Knock at the agents' port as an agent does: the status, and what is said."""
    context = ssl.create_default_context(cafile=str(stage.gateway.authority))
    if signed is not None:
        directory = stage.directory / "caller"
        write_files(directory, signed)
        context.load_cert_chain(directory / "tls.crt", directory / "tls.key")
    connection = http.client.HTTPSConnection("127.0.0.1", stage.gateway.port, context=context, timeout=30)
    try:
        connection.request("GET", f"{path}?{query}", headers=UPGRADE)
        answer = connection.getresponse()
        return answer.status, "" if answer.status == 101 else answer.read().decode()
    finally:
        connection.close()


def test_the_planes_own_certificate_is_let_in(agent_stage: AgentStage):
    assert dial(agent_stage, agent_stage.signed) == (101, "")


def test_without_a_certificate_nobody_is_let_in(agent_stage: AgentStage):
    assert dial(agent_stage, None) == (401, "no client certificate presented\n")


def test_a_certificate_of_another_authority_is_refused(agent_stage: AgentStage):
    status, text = dial(agent_stage, sign_client("agent", DAY))
    assert (status, "unable to get local issuer certificate" in text) == (401, True), text


def test_an_expired_certificate_is_refused(agent_stage: AgentStage):
    expired = sign_client("agent", timedelta(seconds=1))
    both = Signed(expired.certificate, expired.key, f"{agent_stage.signed.authority}{expired.authority}")
    trust(agent_stage, both.authority)
    status, text = dial(agent_stage, expired)
    trust(agent_stage, agent_stage.signed.authority)
    assert (status, "certificate has expired" in text) == (401, True), text


def trust(stage: AgentStage, authority: str) -> None:
    stage.installation.apply(plane_behind_agent(stage.installation, authority))


def test_the_certificate_of_another_plane_is_refused_and_its_requests_too(agent_stage: AgentStage):
    other = sign_client("agent", DAY)
    agent_stage.installation.apply(another_plane("edge", "edge", other.authority))
    status, text = dial(agent_stage, other)
    assert (status, "ClusterDataPlane default" in text) == (401, True), text
    assert dial(agent_stage, agent_stage.signed, "planeType=dataplane&planeID=edge")[0] == 401
    # Of the same id, but with an authority of its own: an agent of the one does not speak for the other.
    agent_stage.installation.apply(another_plane("tenant", "default", other.authority))
    answer = agent_stage.ask(CONFIG_MAPS, head="dataplane/default/_cluster/tenant")
    assert (answer.status_code, answer.headers["Stagecraft-Gateway"]) == (403, "not-authorized")
    assert answer.text == "Forbidden: Agent not authorized for CR /tenant\n"


def another_plane(name: str, plane_id: str, authority: str) -> dict:
    return {
        "apiVersion": "openchoreo.dev/v1alpha1", "kind": "ClusterDataPlane", "metadata": {"name": name},
        "spec": {"planeID": plane_id, "clusterAgent": {"clientCA": {"value": authority}}},
    }  # fmt: skip


def test_a_certificate_for_servers_lets_no_agent_in(agent_stage: AgentStage):
    server = sign_server(["127.0.0.1"])
    trust(agent_stage, f"{agent_stage.signed.authority}{server.authority}")
    status, text = dial(agent_stage, server)
    trust(agent_stage, agent_stage.signed.authority)
    assert (status, "not for clients" in text) == (401, True), text


@pytest.mark.parametrize(
    ("query", "status", "why"),
    [
        ("", 400, "missing planeType parameter"),
        ("planeType=dataplane", 400, "missing planeID parameter"),
        ("planeType=cluster&planeID=default", 400, "invalid planeType"),
        ("planeType=dataplane&planeID=nowhere", 401, "there is no dataplane with planeID 'nowhere'"),
        ("planeType=workflowplane&planeID=default", 401, "client certificate verification failed"),
    ],
)
def test_who_does_not_say_for_which_plane_is_told_so(agent_stage: AgentStage, query, status, why):
    found, text = dial(agent_stage, agent_stage.signed, query)
    assert (found, why in text) == (status, True), text


def test_the_agents_port_has_nothing_but_agents(agent_stage: AgentStage):
    assert dial(agent_stage, agent_stage.signed, path="/api/v1/planes/status")[0] == 404
    with pytest.raises(requests.RequestException):
        requests.get(f"http://127.0.0.1:{agent_stage.gateway.port}/ws", timeout=10)


def test_our_agent_says_why_it_was_refused(agent_stage: AgentStage):
    refused = start_agent(
        agent_stage.gateway, agent_stage.cluster, sign_client("x", DAY), agent_stage.directory / "refused"
    )
    try:
        refused.wait_for("the gateway refuses this agent: 401 client certificate verification failed")
    finally:
        refused.stop()


# The internal port ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["", "Bearer nonsense", "Bearer internal:1:x"])
def test_the_internal_port_is_for_the_platforms_own_processes(agent_stage: AgentStage, header):
    answer = agent_stage.ask(CONFIG_MAPS, headers={"Authorization": header})
    assert (answer.status_code, answer.headers["Stagecraft-Gateway"]) == (401, "credentials")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/namespaces/kube-system/secrets", 403),
        ("GET", "/api/v1/namespaces/kube-system/secrets/x", 403),
        ("GET", "/api/v1/namespaces/kube%2Dsystem/secrets", 403),
        ("GET", "/api/v1/namespaces/kube-system//secrets", 400),
        ("GET", "/api/v1/namespaces/default/../kube-system/secrets", 400),
        ("GET", "/api/v1/namespaces/default/%2e%2e/kube-system/secrets", 400),
        ("GET", "/api/v1/namespaces/default/%252e%252e/kube-system/secrets", 400),
        ("GET", "/api/v1/namespaces/a%00b/pods", 400),
        ("POST", "/api/v1/namespaces/default/serviceaccounts/default/token", 403),
        ("GET", "/api/v1/nodes/node-1/proxy/pods", 403),
        ("POST", "/api/v1/namespaces/default/pods/p/exec?command=ls", 501),
        ("TRACE", "/api/v1/pods", 405),
    ],
)
def test_what_nobody_may_ask_of_a_cluster_is_refused_at_the_gateway(agent_stage: AgentStage, method, path, status):
    answer = agent_stage.ask(path, method)
    assert (answer.status_code, answer.headers.get("Stagecraft-Gateway")) == (status, "forbidden"), answer.text


def test_an_unknown_target_and_an_unknown_plane_are_refused(agent_stage: AgentStage):
    assert agent_stage.ask("/x", target="elsewhere").text == "Target not allowed: elsewhere\n"
    assert agent_stage.ask("/x", target="monitoring").text == "unknown target: monitoring\n"
    answer = agent_stage.ask(CONFIG_MAPS, head="dataplane/nowhere/_cluster/default")
    assert (answer.status_code, answer.text) == (502, "no agent is connected for dataplane nowhere\n")
    assert agent_stage.ask(CONFIG_MAPS, head="moon/default/_cluster/default").status_code == 400


def test_the_clusters_own_refusals_are_the_clusters_words(agent_stage: AgentStage):
    answer = agent_stage.ask(f"{CONFIG_MAPS}/absent")
    assert (answer.status_code, answer.json()["reason"], "Stagecraft-Gateway" in answer.headers) == (
        404, "NotFound", False,
    )  # fmt: skip


def test_a_request_that_is_too_large_is_refused(agent_stage: AgentStage):
    answer = agent_stage.ask(CONFIG_MAPS, "POST", data=b"x" * (10 * 1024 * 1024 + 1))
    assert (answer.status_code, answer.headers["Stagecraft-Gateway"]) == (413, "too-large")


@pytest.fixture(scope="module")
def small_gateway(agent_stage: AgentStage) -> Iterator[tuple[GatewayProcess, Process]]:
    """A replica that takes only short messages from agents and has TLS inside, too; and an agent of its own."""
    directory = agent_stage.directory / "internal"
    ours = sign_both(["127.0.0.1"], DAY)
    write_files(directory, ours)
    (directory / "ca.crt").write_text(ours.authority)
    files = {"CERTIFICATE": "tls.crt", "KEY": "tls.key", "AUTHORITY": "ca.crt"}
    named = {f"GATEWAY_INTERNAL_{name}": str(directory / file) for name, file in files.items()}
    limits = {"GATEWAY_MESSAGE_BYTES": "100000", "GATEWAY_ANSWER_SECONDS": "2"}
    other = start_gateway(agent_stage.installation, "small", **limits, **named)
    agent = start_agent(other, agent_stage.cluster, agent_stage.signed, agent_stage.directory / "small")
    agent_stage.wait_for_agents(2)
    try:
        yield other, agent
    finally:
        agent.stop()
        other.stop()
        agent_stage.wait_for_agents(1)


def test_an_answer_that_is_too_large_ends_that_agents_connection_and_says_so(agent_stage: AgentStage, small_gateway):
    other, agent = small_gateway
    large = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "large", "namespace": "default"}}
    agent_stage.cluster.apply([{**large, "data": {"text": "x" * 200_000}}])
    answer = agent_stage.ask(f"{CONFIG_MAPS}/large", gateway=other)
    assert (answer.status_code, answer.headers["Stagecraft-Gateway"]) == (502, "cut")
    assert "more than 100000 bytes (GATEWAY_MESSAGE_BYTES)" in answer.text
    until(lambda: agent.said.count("connected to") == 2)
    # An answer that does not come in time is no reason to drop the connection.
    until(lambda: agent_stage.ask("/api", gateway=other).ok)
    agent.process.send_signal(19)  # SIGSTOP
    started = time.monotonic()
    answer = agent_stage.ask("/api", gateway=other)
    agent.process.send_signal(18)
    assert (answer.status_code, answer.headers["Stagecraft-Gateway"]) == (504, "slow")
    assert time.monotonic() - started < 20


def test_what_is_known_of_planes_can_be_asked_and_agents_be_sent_away(agent_stage: AgentStage):
    base, headers = f"{agent_stage.gateway.internal_url}/api/v1/planes", {"Authorization": agent_stage.token()}
    found = requests.get(f"{base}/status", headers=headers, timeout=10).json()
    expected = {"planeType": "dataplane", "planeID": "default", "connected": True, "connectedAgents": 1}
    assert found == {"planes": [expected], "total": 1}
    one = requests.get(f"{base}/dataplane/default/status?namespace=&name=default", headers=headers, timeout=10)
    assert one.json() == expected
    told = {"planeType": "dataplane", "planeID": "default", "event": "updated", "namespace": "", "name": "default"}
    answer = requests.post(f"{base}/notify", headers=headers, json=told, timeout=10)
    assert (answer.json()["success"], answer.json()["disconnectedAgents"]) == (True, 0)
    answer = requests.post(f"{base}/dataplane/default/reconnect", headers=headers, timeout=10)
    assert answer.json() == {"success": True, "disconnectedAgents": 1}
    until(lambda: agent_stage.ask(CONFIG_MAPS).ok)


def test_health_needs_no_credentials(agent_stage: AgentStage):
    assert requests.get(f"{agent_stage.gateway.internal_url}/health", timeout=10).text == "OK"


def test_an_internal_port_with_tls_takes_only_certificates_of_its_authority(agent_stage: AgentStage, small_gateway):
    other, _ = small_gateway
    url, headers = f"{other.internal_url}/api/proxy/{HEAD}/k8s/api", {"Authorization": agent_stage.token()}
    directory = agent_stage.directory / "strangers"
    write_files(directory, sign_both(["127.0.0.1"], DAY))
    for shown in (None, (str(directory / "tls.crt"), str(directory / "tls.key"))):
        with pytest.raises(requests.RequestException):
            requests.get(url, headers=headers, verify=other.trusted["verify"], cert=shown, timeout=20)
    assert agent_stage.ask("/api", gateway=other).json()["kind"] == "APIVersions"
