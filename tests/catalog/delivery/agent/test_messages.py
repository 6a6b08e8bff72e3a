"""The shapes of the agent protocol, as OpenChoreo's gateway and agent write them: told apart without a type field."""

from __future__ import annotations

import base64
import json

import pytest

from catalog.delivery.agent import messages
from catalog.delivery.agent.messages import Answer, Chunk, NoMessage, Request, Stream


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_a_request_is_written_as_openchoreos_agent_reads_it():
    request = Request(
        "r1", "k8s", "PATCH", "/api/v1/x", "force=true", {"content-type": ["application/json"]}, b"{}", "t"
    )
    assert json.loads(messages.write(request)) == {
        "requestID": "r1",
        "gatewayRequestID": "t",
        "target": "k8s",
        "method": "PATCH",
        "path": "/api/v1/x",
        "query": "force=true",
        "headers": {"Content-Type": ["application/json"]},
        "body": text(b"{}"),
    }


@pytest.mark.parametrize(
    ("frame", "meant"),
    [
        ({"requestID": "1", "statusCode": 200, "headers": {"A": ["b"]}, "body": text(b"{}")},
         Answer("1", 200, {"A": ["b"]}, b"{}")),
        ({"requestID": "1", "statusCode": 404, "error": {"code": 404, "message": "unknown target: x"}},
         Answer("1", 404, {}, b"", "unknown target: x")),
        ({"requestID": "1", "statusCode": 204}, Answer("1", 204)),
        ({"requestID": "1", "data": text(b"\x01"), "streamId": 1}, Chunk("1", b"\x01")),
        ({"requestID": "1", "data": ""}, Chunk("1")),
        ({"requestID": "1", "data": None, "isClose": True}, Chunk("1", b"", True)),
        ({"requestID": "1", "data": text(b"no relay"), "isClose": True}, Chunk("1", b"no relay", True)),
    ],
)  # fmt: skip
def test_the_gateway_tells_chunks_from_answers_by_their_fields(frame, meant):
    assert messages.read_at_gateway(json.dumps(frame)) == meant


@pytest.mark.parametrize(
    "message",
    [
        Request("1", "k8s", "GET", "/api", "", {}, b""),
        Request("1", "k8s", "PATCH", "/api", "a=b", {"Accept": ["x", "y"]}, b"\x00\xff", "trace"),
        Stream("1", "k8s", "GET", "/api", "watch=true", messages.HTTP),
        Stream("1", "hubble", "GET", "/wirelogs", "namespace=a", messages.FLOWS, {"A": ["b"]}),
        Chunk("1", b"\x00ls\n"),
        Chunk("1", b"\x00"),
        Chunk("1", b"", True),
    ],
)
def test_the_agent_reads_what_the_gateway_writes(message):
    assert messages.read_at_agent(messages.write(message)) == message


@pytest.mark.parametrize("message", [Answer("1", 200, {"A": ["b"]}, b"x"), Chunk("1", b"x"), Chunk("1", b"", True)])
def test_the_gateway_reads_what_our_agent_writes(message):
    assert messages.read_at_gateway(messages.write(message)) == message


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        ("", "not JSON"),
        ("[]", "no requestID"),
        ('{"requestID": 5}', "no requestID"),
        ('{"requestID": "1"}', "statusCode"),
        ('{"requestID": "1", "statusCode": true}', "statusCode"),
        ('{"requestID": "1", "statusCode": 99}', "statusCode"),
        ('{"requestID": "1", "data": "%"}', "not base64"),
        ('{"requestID": "1", "data": 5}', "not base64"),
        ('{"requestID": "1", "statusCode": 200, "headers": {"A": "b"}}', "headers"),
    ],
)
def test_what_is_no_message_is_refused_with_the_reason(frame, why):
    with pytest.raises(NoMessage, match=why):
        messages.read_at_gateway(frame)


@pytest.mark.parametrize("path", ["", "api", 7])
def test_an_agent_takes_only_paths(path):
    with pytest.raises(NoMessage):
        messages.read_at_agent(json.dumps({"requestID": "1", "target": "k8s", "method": "GET", "path": path}))
