"""Deliveries through an agent: what is wanted gets there, is reported, and survives what happens to connections."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import requests

from catalog.delivery.agent.authority import sign_client
from tests.real.agent_stage import AgentStage, plane_behind_agent, until
from tests.real.agents import DAY, Process, start_agent, start_gateway, write_files
from tests.real.installation import greeter

pytestmark = [pytest.mark.real("kubernetes"), pytest.mark.xdist_group("kubernetes")]
SEEN_SECONDS = 20.0
"""The watch sees it at once; a busy machine takes longer to act on it."""
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"


def test_a_component_is_delivered_through_the_agent_and_its_status_comes_back(agent_stage: AgentStage):
    agent_stage.deploy("through")
    (deployment,) = agent_stage.objects("through")
    assert deployment["status"]["availableReplicas"] == 1
    assert deployment["metadata"]["managedFields"][0]["manager"] == "stagecraft"
    held = agent_stage.installation.get("RenderedRelease", "default", "through-development")["status"]
    entry = next(item for item in held["resources"] if item["kind"] == "Deployment")
    assert (entry["healthStatus"], entry["status"]["availableReplicas"]) == ("Healthy", 1)


def test_the_plane_says_that_its_agent_is_connected(agent_stage: AgentStage):
    agent_stage.wait_for_agents(1)
    found = agent_stage.connection()
    assert (found["connected"], found["message"]) == (True, "1 agent connected")
    assert found["lastHeartbeatTime"] >= found["lastConnectedTime"]


def test_an_edit_by_hand_is_seen_by_watch_and_undone(agent_stage: AgentStage):
    agent_stage.deploy("mended")
    (deployment,) = agent_stage.objects("mended")
    metadata = deployment["metadata"]
    where = f"/apis/apps/v1/namespaces/{metadata['namespace']}/deployments/{metadata['name']}?fieldManager=kubectl-edit"
    change = {"metadata": {"labels": {"openchoreo.dev/component": "other"}}}
    agent_stage.cluster.call("PATCH", where, change, content_type="application/merge-patch+json")
    until(
        lambda: agent_stage.objects("mended")[0]["metadata"]["labels"]["openchoreo.dev/component"] != "other",
        lambda: str(agent_stage.objects("mended")), SEEN_SECONDS,
    )  # fmt: skip


def test_a_watch_tells_of_a_change_while_it_goes_on(agent_stage: AgentStage):
    position = agent_stage.ask(CONFIG_MAPS).json()["metadata"]["resourceVersion"]
    query = f"?watch=true&resourceVersion={position}&timeoutSeconds=30"
    with agent_stage.ask(f"{CONFIG_MAPS}{query}", stream=True) as answer:
        document = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "seen", "namespace": "default"}}
        agent_stage.cluster.apply([document])
        assert any(b'"name":"seen"' in line for line in answer.iter_lines())


def test_logs_come_whole_and_can_be_followed(agent_stage: AgentStage):
    agent_stage.deploy("talking")
    (deployment,) = agent_stage.objects("talking")
    namespace = deployment["metadata"]["namespace"]
    pods = agent_stage.ask(f"/api/v1/namespaces/{namespace}/pods").json()["items"]
    pod = next(item["metadata"]["name"] for item in pods if item["metadata"]["name"].startswith("talking-"))
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}/log"
    assert "a line of log" in agent_stage.ask(path).text
    with agent_stage.ask(f"{path}?follow=true", stream=True) as answer:
        assert next(answer.iter_lines()).endswith(b"a line of log")


def test_who_asks_is_the_agents_account_whatever_the_request_says(agent_stage: AgentStage):
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    headers = {"Impersonate-User": "somebody", "Cookie": "a=b", "X-Remote-User": "root"}
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    answer = agent_stage.ask(path, "POST", json=review, headers=headers)
    assert answer.json()["status"]["userInfo"]["username"] == "admin"


def test_an_agent_that_is_killed_and_comes_back_goes_on(agent_stage: AgentStage):
    agent_stage.agent.kill()
    agent_stage.wait_for_agents(0)
    assert agent_stage.connection()["message"] == "No agents connected"
    agent_stage.installation.apply(*greeter("waiting"))
    until(lambda: "no agent" in str(agent_stage.installation.state()["failed"]), lambda: str(agent_stage.connection()))
    agent_stage.agent.start()
    until(lambda: agent_stage.reason("waiting") == "Ready", lambda: str(agent_stage.installation.state()))


def test_a_gateway_that_is_killed_and_comes_back_has_its_agent_again(agent_stage: AgentStage):
    agent_stage.gateway.kill()
    with pytest.raises(requests.ConnectionError):
        agent_stage.ask(CONFIG_MAPS)
    agent_stage.gateway.start()
    until(lambda: agent_stage.ask(CONFIG_MAPS).ok)
    agent_stage.deploy("again")


def test_of_two_agents_one_may_go(agent_stage: AgentStage):
    second = start_agent(agent_stage.gateway, agent_stage.cluster, agent_stage.signed, agent_stage.directory / "second")
    try:
        agent_stage.wait_for_agents(2)
        assert agent_stage.connection()["message"] == "2 agents connected (HA mode)"
        agent_stage.agent.kill()
        try:
            answers = [agent_stage.ask(CONFIG_MAPS) for _ in range(5)]
        finally:
            agent_stage.agent.start()
        assert {answer.status_code for answer in answers} == {200}, [answer.text for answer in answers]
        agent_stage.wait_for_agents(2)
    finally:
        second.stop()
    agent_stage.wait_for_agents(1)


def test_a_request_finds_the_replica_that_has_the_agent(agent_stage: AgentStage):
    with ExitStack() as held:
        other = start_gateway(agent_stage.installation, "other")
        held.callback(other.stop)
        until(lambda: agent_stage.ask(CONFIG_MAPS, gateway=other).status_code == 200)
        body = agent_stage.ask(CONFIG_MAPS, gateway=other).json()
        assert body["kind"] == "ConfigMapList"
        refused = agent_stage.ask("/api/v1/namespaces/absent/pods/none", gateway=other)
        assert (refused.status_code, refused.json()["reason"]) == (404, "NotFound")
        # An agent at each replica; the first replica dies without a word.
        second = start_agent(other, agent_stage.cluster, agent_stage.signed, agent_stage.directory / "second")
        held.callback(second.stop)
        agent_stage.wait_for_agents(2)
        agent_stage.gateway.kill()
        agent_stage.deploy("elsewhere")
        agent_stage.gateway.start()
        agent_stage.wait_for_agents(2)
    agent_stage.wait_for_agents(1)


def test_a_renewed_certificate_is_used_without_a_restart(agent_stage: AgentStage):
    renewed = sign_client("agent", DAY)
    both = f"{agent_stage.signed.authority}{renewed.authority}"
    agent_stage.installation.apply(plane_behind_agent(agent_stage.installation, both))
    write_files(agent_stage.directory / "agent", renewed)
    agent_stage.agent.wait_for("the certificate was renewed")
    # The former authority goes; who was let in by it would have to go, too.
    agent_stage.signed = renewed
    agent_stage.installation.apply(plane_behind_agent(agent_stage.installation, renewed.authority))
    until(lambda: agent_stage.ask(CONFIG_MAPS).ok)


def test_an_agent_has_to_go_when_its_authority_is_taken_from_the_plane(agent_stage: AgentStage):
    other = sign_client("other", DAY)
    agent_stage.installation.apply(plane_behind_agent(agent_stage.installation, other.authority))
    agent_stage.wait_for_agents(0)
    assert "has to go: client certificate verification failed" in agent_stage.gateway.said
    agent_stage.installation.apply(plane_behind_agent(agent_stage.installation, agent_stage.signed.authority))
    agent_stage.wait_for_agents(1)


def test_an_agent_that_stops_leaves_at_once(agent_stage: AgentStage):
    agent_stage.agent.kill(signal.SIGTERM)
    agent_stage.wait_for_agents(0)
    agent_stage.agent.start()
    agent_stage.wait_for_agents(1)


# An agent that can only answer once, as OpenChoreo's ----------------------------------------------------------------

ANSWERS_ONCE = """
import sys
from catalog.delivery.agent.program import __main__, agent
agent.HTTP_STREAMS = ""
sys.exit(__main__.main())
"""
ONCE = "dataplane/once/_cluster/once"


@pytest.fixture
def answers_once(agent_stage: AgentStage) -> Iterator[Process]:
    """Our agent without what it can beyond OpenChoreo's, for a plane of its own."""
    signed = sign_client("once", DAY)
    plane = {
        "apiVersion": "openchoreo.dev/v1alpha1", "kind": "ClusterDataPlane", "metadata": {"name": "once"},
        "spec": {"planeID": "once", "clusterAgent": {"clientCA": {"value": signed.authority}}},
    }  # fmt: skip
    agent_stage.installation.apply(plane)
    found = start_agent(
        agent_stage.gateway, agent_stage.cluster, signed, agent_stage.directory / "once", "once",
        program=[sys.executable, "-c", ANSWERS_ONCE],
    )  # fmt: skip
    try:
        until(lambda: agent_stage.ask(CONFIG_MAPS, head=ONCE).ok, lambda: found.said)
        yield found
    finally:
        found.stop()


def test_a_watch_works_through_an_agent_that_can_only_answer_once(agent_stage: AgentStage, answers_once: Process):
    position = agent_stage.ask(CONFIG_MAPS, head=ONCE).json()["metadata"]["resourceVersion"]
    query = f"?watch=true&allowWatchBookmarks=true&resourceVersion={position}&timeoutSeconds=20"
    with agent_stage.ask(f"{CONFIG_MAPS}{query}", head=ONCE, stream=True) as answer:
        lines = answer.iter_lines()
        for name in ("first", "second"):
            agent_stage.cluster.apply([
                {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}}
            ])  # fmt: skip
            seen = next(json.loads(line) for line in lines if name.encode() in line)
            assert (seen["type"], seen["object"]["metadata"]["name"]) == ("ADDED", name)


def test_following_a_log_is_refused_where_the_agent_cannot(agent_stage: AgentStage, answers_once: Process):
    answer = agent_stage.ask("/api/v1/namespaces/default/pods/p/log?follow=true", head=ONCE)
    assert (answer.status_code, answer.headers["Stagecraft-Gateway"]) == (501, "no-streams")
