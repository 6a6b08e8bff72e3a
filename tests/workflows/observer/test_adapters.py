"""Adapters that are slow, broken, huge or not there, and which of them is asked."""

from __future__ import annotations

import socket
import time
from threading import BoundedSemaphore
from typing import Any

import pytest

from catalog import store
from tests.catalog.access.conftest import apply
from tests.catalog.api.conftest import ApiClient
from tests.factories import TESTER
from tests.workflows.observer.adapter_server import AdapterServer, running
from tests.workflows.observer.conftest import line, question
from workflows.observer import asking

pytestmark = pytest.mark.django_db
LOGS = "/observer/api/v1/logs/query"
AGENT = {"planeID": "p", "clusterAgent": {"clientCA": {"value": "-----"}}}
Objects = dict[str, Any]


def failing(viewer: ApiClient, path: str = LOGS, **more: Any) -> str:
    """The message of a question that must fail with the contract's 500."""
    reply = viewer.post(path, question(**more))
    assert reply.status_code == 500, reply.content
    body = reply.json()
    assert (body["title"], body["errorCode"]) == ("internalServerError", "OBS-V1-L-05")
    assert body["message"].startswith("Failed to retrieve logs: the logs adapter")
    return str(body["message"])


GARBAGE = (
    b"<html>hello</html>",
    b"",
    b"[]",
    b'{"logs": 7}',
    b'{"logs": [7]}',
    b'{"logs": [{"log": 7}]}',
    b'{"total": "many"}',
    b'{"logs": [{"timestamp": "noon"}]}',
    b'{"logs": [{"metadata": []}]}',
    b"\xff\xfe",
    b'{"logs": NaN}',
    b"[" * 100_000,
)


def test_garbage_is_called_by_its_name(viewer: ApiClient, adapter: AdapterServer) -> None:
    for number, content in enumerate(GARBAGE, 1):
        adapter.misbehave = lambda handler, content=content: handler.send(200, content) or True
        said = failing(viewer)
        assert "answered" in said
        assert "check that LOGS_ADAPTER_URL names an adapter of OpenChoreo's contract" in said
        assert len(adapter.asked) == number


def test_an_error_of_the_adapter_is_told_in_its_own_words(viewer: ApiClient, adapter: AdapterServer) -> None:
    adapter.misbehave = lambda handler: handler.reply(500, {"message": "index\nclosed " + "x" * 5000}) or True
    said = failing(viewer)
    assert "answered HTTP 500: index closed xxx" in said
    assert len(said) < 500


def test_a_503_is_tried_again_and_may_turn_out_well(
    viewer: ApiClient, adapter: AdapterServer, objects: Objects
) -> None:
    adapter.logs = [line(objects, "there", 1)]
    adapter.misbehave = lambda handler: len(adapter.asked) == 1 and (handler.reply(503, {}) or True)
    assert viewer.post(LOGS, question()).json()["logs"][0]["log"] == "there"
    assert len(adapter.asked) == 2


def test_a_connection_that_breaks_is_tried_again(viewer: ApiClient, adapter: AdapterServer, objects: Objects) -> None:
    def hang_up(handler: Any) -> bool:
        if len(adapter.asked) > 1:
            return False
        handler.connection.shutdown(socket.SHUT_RDWR)
        handler.close_connection = True
        return True

    adapter.misbehave = hang_up
    assert viewer.post(LOGS, question()).status_code == 200
    assert len(adapter.asked) == 2


def test_a_500_is_not_tried_again(viewer: ApiClient, adapter: AdapterServer) -> None:
    adapter.misbehave = lambda handler: handler.reply(500, {}) or True
    failing(viewer)
    assert len(adapter.asked) == 1


def test_one_that_says_nothing_is_given_up_in_time(viewer: ApiClient, adapter: AdapterServer, settings: Any) -> None:
    settings.OBSERVER_TIMEOUT_SECONDS = 0.3
    adapter.misbehave = lambda handler: time.sleep(1.0) or True
    began = time.monotonic()
    assert "did not answer within 0.3 s; ask for less" in failing(viewer)
    assert time.monotonic() - began < 5
    assert len(adapter.asked) == 1


def test_one_that_drips_is_given_up_in_time(viewer: ApiClient, adapter: AdapterServer, settings: Any) -> None:
    settings.OBSERVER_TIMEOUT_SECONDS = 0.5
    adapter.misbehave = lambda handler: handler.drip(20) or True
    began = time.monotonic()
    assert "did not answer within 0.5 s" in failing(viewer)
    assert time.monotonic() - began < 10


def test_a_huge_answer_is_cut_off(viewer: ApiClient, adapter: AdapterServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "MAX_BYTES", 1024 * 1024)
    adapter.misbehave = lambda handler: handler.send(200, b'{"logs": "' + b"x" * 3_000_000 + b'"}') or True
    assert "answered more than 1 MiB; ask for less" in failing(viewer)


def test_more_entries_than_asked_for_are_not_passed_on(
    viewer: ApiClient, adapter: AdapterServer, objects: Objects
) -> None:
    lines = [line(objects, f"line {minute}", minute) for minute in range(10)]
    adapter.misbehave = lambda handler: handler.reply(200, {"logs": lines}) or True
    found = viewer.post(LOGS, question(limit=3)).json()
    assert (len(found["logs"]), found["total"]) == (3, 10)


def test_an_adapter_that_hangs_does_not_take_every_thread(
    viewer: ApiClient, adapter: AdapterServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = BoundedSemaphore(1)
    taken.acquire()
    monkeypatch.setattr(asking, "asking_now", taken)
    monkeypatch.setattr(asking, "PATIENCE_SECONDS", 0.05)
    assert "questions wait for answers; try again soon" in failing(viewer)
    taken.release()
    assert viewer.post(LOGS, question()).status_code == 200


def test_a_redirect_is_not_followed(viewer: ApiClient, adapter: AdapterServer) -> None:
    def redirect(handler: Any) -> bool:
        handler.send_response(307)
        handler.send_header("Location", "http://169.254.169.254/")
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        return True

    adapter.misbehave = redirect
    assert "answered HTTP 307" in failing(viewer)


def test_one_that_is_not_there_says_where_its_address_is_set(
    viewer: ApiClient, adapter: AdapterServer, settings: Any
) -> None:
    settings.LOGS_ADAPTER_URL = "http://127.0.0.1:1"
    said = failing(viewer)
    assert "cannot be reached; whoever runs the platform may check LOGS_ADAPTER_URL" in said
    assert "127.0.0.1" not in said


def test_none_at_all_says_what_to_set(viewer: ApiClient, settings: Any) -> None:
    reply = viewer.post(LOGS, question())
    assert (reply.status_code, reply.json()["errorCode"]) == (500, "OBS-V1-L-03")
    assert "no logs adapter is configured" in reply.json()["message"]
    assert "LOGS_ADAPTER_URL" in reply.json()["message"]


# Which one ------------------------------------------------------------------------------------------------------------


def make_planes(**annotations: str) -> None:
    """An environment's data plane, watched by a plane with these annotations; the other environment has none."""
    apply("ObservabilityPlane", "eyes", {**AGENT, "observerURL": ""}, "acme", annotations=annotations)
    apply(
        "DataPlane", "data", {**AGENT, "observabilityPlaneRef": {"kind": "ObservabilityPlane", "name": "eyes"}}, "acme"
    )
    environment = store.get("Environment", "acme", "production")
    store.delete("Environment", "acme", environment.name, TESTER)
    for finalizer in environment.finalizers:
        store.remove_finalizer(store.get("Environment", "acme", "production"), finalizer, TESTER)
    apply("Environment", "production", {"dataPlaneRef": {"kind": "DataPlane", "name": "data"}}, "acme")


def test_a_planes_own_adapter_answers_for_its_environments(
    viewer: ApiClient, adapter: AdapterServer, objects: Objects
) -> None:
    with running() as own:
        make_planes(**{"stagecraft.dev/logs-adapter": own.url})
        assert viewer.post(LOGS, question(scope={"environment": "production"})).status_code == 200
        assert (len(own.asked), len(adapter.asked)) == (1, 0)
        assert viewer.post(LOGS, question(scope={"environment": "development"})).status_code == 200
        assert (len(own.asked), len(adapter.asked)) == (1, 1)


def test_two_that_would_both_have_to_answer_ask_for_an_environment(
    viewer: ApiClient, adapter: AdapterServer, objects: Objects
) -> None:
    make_planes(**{"stagecraft.dev/logs-adapter": "http://other.example"})
    reply = viewer.post(LOGS, question())
    assert reply.status_code == 400
    assert "name an environment" in reply.json()["message"]


def test_a_planes_adapter_at_a_private_address_is_not_asked(
    viewer: ApiClient, adapter: AdapterServer, settings: Any, objects: Objects
) -> None:
    settings.OUTGOING_PRIVATE_NETWORKS = []
    make_planes(**{"stagecraft.dev/logs-adapter": adapter.url})
    reply = viewer.post(LOGS, question(scope={"environment": "production"}))
    assert reply.status_code == 500
    assert "may not be asked" in reply.json()["message"]
    assert "OUTGOING_PRIVATE_NETWORKS" in reply.json()["message"]
    assert not adapter.asked


def test_what_another_observer_watches_is_not_answered_from_here(
    viewer: ApiClient, adapter: AdapterServer, objects: Objects
) -> None:
    make_planes()
    store.apply(
        {
            "apiVersion": "openchoreo.dev/v1alpha1",
            "kind": "ObservabilityPlane",
            "metadata": {"name": "eyes", "namespace": "acme"},
            "spec": {**AGENT, "observerURL": "https://observer.example"},
        },
        TESTER,
    )
    reply = viewer.post(LOGS, question(scope={"environment": "production"}))
    assert reply.status_code == 500
    assert "ask https://observer.example" in reply.json()["message"]
    assert not adapter.asked
