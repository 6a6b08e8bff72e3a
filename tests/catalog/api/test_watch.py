"""The watch and the feed behind it: what is shown, from where on, to whom, and for how many at once.

What comes while a stream is open, and how soon, is tested on real servers (`tests/real/test_watch.py`).
"""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog import store
from catalog.access.feed import HEAD, Wanted, look_up, read_feed
from catalog.access.revisions import visible_revisions
from catalog.api.stagecraft import watch
from catalog.store.models import LogHorizon
from portal.access.engine import Access
from portal.accounts.models import User, issue_token
from portal.audit.models import AuditEvent
from portal.serving import streams
from portal.wire.selectors import parse_selector
from tests.catalog.access.conftest import bind, person, role
from tests.catalog.api.conftest import ApiClient
from tests.factories import TESTER, ComponentFactory, NamespaceFactory, ProjectFactory, WorkloadFactory

pytestmark = pytest.mark.django_db
WATCH = "/api/stagecraft/v1/watch"
TRAITS = "/api/v1/namespaces/acme/traits"


@pytest.fixture(autouse=True)
def nobody_reads_the_log_afterwards() -> Iterator[None]:
    yield
    deadline = time.monotonic() + 10
    while HEAD.is_running() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not HEAD.is_running()


def events(reply: Any) -> list[tuple[str, str, Any]]:
    """Name, id and data of the events that a stream begins with; then the client leaves."""
    assert (reply.status_code, reply["Content-Type"]) == (200, "text/event-stream"), reply
    chunks = reply._iterator  # the client leaves by closing this; closing the reply would close the database
    chunk = next(chunks)
    chunks.close()
    found = []
    for block in chunk.decode().strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        if "event" in fields:
            found.append((fields["event"], fields.get("id", ""), orjson.loads(fields["data"])))
    return found


def changed(reply: Any) -> list[tuple[str, str]]:
    return [(data["action"], data["name"]) for name, _, data in events(reply) if name == "change"]


def make(api: ApiClient, name: str, **labels: str) -> int:
    api.create(TRAITS, {"metadata": {"name": name, "labels": labels}})
    return store.position()


def test_a_stream_begins_by_saying_where_it_stands(api: ApiClient, namespace: str) -> None:
    assert events(api.get(WATCH)) == [("position", str(store.position()), {"position": store.position()})]


def test_whoever_names_the_last_event_gets_what_came_after_it_once_and_in_order(api: ApiClient, namespace: str) -> None:
    start = store.position()
    first = make(api, "a")
    make(api, "b")
    assert changed(api.get(f"{WATCH}?since={start}")) == [("created", "a"), ("created", "b")]
    # A browser that comes again keeps the address and adds the header.
    again = events(api.get(f"{WATCH}?since={start}", **{"Last-Event-ID": str(first)}))
    assert [(name, key) for name, key, _ in again] == [("position", str(first)), ("change", str(store.position()))]


def test_a_change_is_told_as_the_feed_tells_it(api: ApiClient, namespace: str) -> None:
    start = store.position()
    make(api, "a")
    (_, _, told) = events(api.get(f"{WATCH}?since={start}&documents=true"))[1]
    assert told == api.get(f"/api/stagecraft/v1/changes?since={start}&documents=true").json()["items"][0]
    assert told["after"]["metadata"]["name"] == "a"


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("kinds=Trait", ["a", "b"]),
        ("kinds=Trait,Project", ["a", "shop", "b"]),
        ("kinds=Component", []),
        ("namespace=acme&name=b", ["b"]),
        ("namespace=other", []),
        ("labelSelector=team%3Dx", ["b"]),
        ("labelSelector=team%21%3Dx", ["a", "shop"]),
    ],
)
def test_a_watch_can_be_narrowed(api: ApiClient, namespace: str, query: str, names: list[str]) -> None:
    start = store.position()
    make(api, "a")
    ProjectFactory(name="shop", namespace="acme")
    make(api, "b", team="x")
    assert [name for _, name in changed(api.get(f"{WATCH}?since={start}&{query}"))] == names


def test_what_ceases_to_match_the_selector_is_told_a_last_time(api: ApiClient, namespace: str) -> None:
    make(api, "a", team="x")
    start = store.position()
    api.put(f"{TRAITS}/a", {"metadata": {"labels": {"team": "y"}}})
    api.put(f"{TRAITS}/a", {"metadata": {"labels": {"team": "z"}}})
    (_, (_, _, told)) = events(api.get(f"{WATCH}?since={start}&labelSelector=team%3Dx"))
    assert (told["action"], told["left"]) == ("changed", True)


def test_a_status_is_judged_by_the_labels_of_its_object(api: ApiClient, namespace: str) -> None:
    make(api, "a", team="x")
    start = store.position()
    store.write_status(store.get("Trait", "acme", "a"), {"seen": True}, TESTER)
    assert changed(api.get(f"{WATCH}?since={start}&labelSelector=team%3Dx")) == [("status", "a")]
    assert changed(api.get(f"{WATCH}?since={start}&labelSelector=team%3Dy")) == []


@pytest.mark.parametrize(
    "query", ["kinds=Nonsense", "since=-1", "since=x", "wait=61", "wait=-1", "labelSelector=%3D", "since=1&since=2"]
)
def test_what_cannot_be_read_is_refused(api: ApiClient, query: str) -> None:
    assert api.get(f"{WATCH}?{query}").status_code == 400


@pytest.mark.parametrize("header", ["x", "-1", "1.5", "9" * 30])
def test_an_id_that_was_never_given_is_refused(api: ApiClient, header: str) -> None:
    assert api.get(WATCH, **{"Last-Event-ID": header}).status_code == 400


@pytest.mark.parametrize("path", [WATCH, f"{WATCH}?wait=1", "/api/stagecraft/v1/changes"])
def test_a_position_that_the_log_has_not_is_gone(api: ApiClient, namespace: str, path: str) -> None:
    join = "&" if "?" in path else "?"
    beyond = api.get(f"{path}{join}since={store.position() + 1}")
    LogHorizon.objects.create(id=1, oldest_sequence=store.position())
    before = api.get(f"{path}{join}since=0")
    assert [(reply.status_code, reply.json()["code"]) for reply in (beyond, before)] == [(410, "GONE")] * 2
    assert "list the objects and watch from there" in beyond.json()["error"]
    assert "list the objects and watch from there" in before.json()["error"]


# Long poll ------------------------------------------------------------------------------------------------------------


def test_a_long_poll_answers_at_once_when_there_is_something(api: ApiClient, namespace: str) -> None:
    start = api.get(f"{WATCH}?wait=30").json()
    assert start == {"items": [], "position": store.position()}
    make(api, "a")
    reply = api.get(f"{WATCH}?wait=30&since={start['position']}")
    assert reply.json() == api.get(f"/api/stagecraft/v1/changes?since={start['position']}").json()


def test_a_long_poll_ends_when_its_time_is_up_with_where_to_go_on(api: ApiClient, namespace: str) -> None:
    began, position = time.monotonic(), store.position()
    reply = api.get(f"{WATCH}?wait=1&since={position}")
    body = orjson.loads(b"".join(reply.streaming_content))
    assert (reply["Content-Type"], body) == ("application/json", {"items": [], "position": position})
    assert time.monotonic() - began >= 1


# Who ------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def shop(db: None) -> int:
    NamespaceFactory(name="acme")
    NamespaceFactory(name="other")
    ProjectFactory(name="shop", namespace="acme")
    ProjectFactory(name="bank", namespace="acme")
    start = store.position()
    for project in ("shop", "bank"):
        ComponentFactory(name=f"{project}-web", namespace="acme", project=project)
        WorkloadFactory(name=f"{project}-web", namespace="acme", project=project, component=f"{project}-web")
    store.delete("Workload", "acme", "shop-web", TESTER)
    store.delete("Workload", "acme", "bank-web", TESTER)
    return start


@pytest.mark.parametrize(
    ("actions", "scope", "seen"),
    [
        (["component:view"], {"namespace": "acme", "project": "shop"}, ["created shop-web"]),
        (["workload:view"], {"namespace": "acme", "project": "bank"}, ["created bank-web", "deleted bank-web"]),
        (["component:view"], {"namespace": "other"}, []),
        (["project:view"], {}, []),
    ],
)
def test_only_what_the_subject_may_see_is_told(shop: int, actions: list[str], scope: Any, seen: list[str]) -> None:
    role("some", *actions)
    bind("some", "sub:ann", "some", scope=scope)
    ann = ApiClient(Client(), issue_token(person("ann"), "tests"))
    assert [" ".join(pair) for pair in changed(ann.get(f"{WATCH}?since={shop}"))] == seen


def test_the_feed_shows_a_subject_just_what_the_lists_would(shop: int) -> None:
    """Judging in memory and judging in SQL are one rule."""
    role("mixed", "component:view", "workload:view", "namespace:view")
    bind("mixed", "sub:ann", "mixed", scope={"namespace": "acme", "project": "bank"})
    bind("one", "sub:bob", "mixed", scope={"namespace": "acme"})
    role("no", "workload:view")
    bind("never", "sub:bob", "no", scope={"namespace": "acme", "project": "bank"}, effect="deny")
    root = User.objects.create_superuser("root", "root@example.com", "x")
    rows = store.changes_since(0)
    for user in (person("ann"), person("bob"), person("eve"), root):
        access = Access.of(user)
        in_sql = [row.sequence for row in visible_revisions(access, rows)]
        assert [seen.sequence for seen in read_feed(access, 0, limit=1000).changes] == in_sql


def test_nobody_is_let_in_without_a_token(stranger_api: ApiClient) -> None:
    assert stranger_api.get(WATCH).status_code == 401


def test_a_stream_is_written_down_once(api: ApiClient, namespace: str) -> None:
    before = AuditEvent.objects.system("test").count()
    events(api.get(f"{WATCH}?kinds=Trait&since={store.position()}"))
    event = AuditEvent.objects.system("test").order_by("-pk").first()
    assert AuditEvent.objects.system("test").count() == before + 1
    assert (event.action, event.kind, event.outcome, event.actor) == ("revision:watch", "Trait", "success", "admin")
    assert orjson.loads(event.details)["since"] == store.position()
    for _ in range(3):
        api.get(f"{WATCH}?wait=0&name=polled-here-only")
    assert AuditEvent.objects.system("test").count() == before + 2


# How many -------------------------------------------------------------------------------------------------------------


def test_a_subject_has_so_many_streams_and_its_room_comes_back(api: ApiClient, namespace: str, settings: Any) -> None:
    settings.STREAMS_PER_SUBJECT = 2
    held = [api.get(WATCH) for _ in range(2)]
    refused = api.get(WATCH)
    assert (refused.status_code, refused.json()["code"]) == (429, "TOO_MANY_REQUESTS")
    assert refused["Retry-After"]
    assert "STREAMS_PER_SUBJECT" in refused.json()["error"]
    for reply in held:
        events(reply)
    assert streams.open_streams() == 0
    events(api.get(WATCH))


def test_a_server_has_so_many_streams(api: ApiClient, namespace: str, settings: Any) -> None:
    settings.STREAMS_MAX = 0
    refused = api.get(WATCH)
    assert (refused.status_code, refused.json()["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert api.get(f"{WATCH}?wait=0").status_code == 200


def test_a_stream_that_was_never_read_gives_its_room_back(api: ApiClient, namespace: str) -> None:
    reply = api.get(WATCH)
    assert streams.open_streams() == 1
    del reply
    gc.collect()
    assert streams.open_streams() == 0


def test_a_head_request_opens_nothing(api: ApiClient, namespace: str) -> None:
    reply = api.send("HEAD", WATCH)
    assert (reply.status_code, reply["Content-Type"], streams.open_streams()) == (200, "text/event-stream", 0)


# What it costs --------------------------------------------------------------------------------------------------------


def test_reading_costs_the_same_for_few_changes_and_for_many(db: None) -> None:
    NamespaceFactory(name="acme")
    ProjectFactory(name="shop", namespace="acme")
    role("viewer", "component:view")
    bind("b", "sub:ann", "viewer", scope={"namespace": "acme"})
    ann, costs = person("ann"), []
    read_feed(Access.of(ann), 0)  # what a process learns once
    for number in (1, 30):
        start = store.position()
        for index in range(number):
            ComponentFactory(name=f"c-{number}-{index}", namespace="acme", project="shop")
        with CaptureQueriesContext(connection) as queries:
            page = read_feed(Access.of(ann), start, Wanted(("Component",)))
        assert len(page.changes) == number
        costs.append(len(queries))
    assert costs[0] == costs[1] <= 6


def test_nobody_is_judged_for_what_nobody_wants(shop: int) -> None:
    def access() -> Access:
        raise AssertionError("nothing is to be judged")

    page = read_feed(access, shop, Wanted(requirements=parse_selector("never=there")))
    assert (page.changes, page.position) == ([], store.position())


def test_rows_of_a_kind_that_is_no_more_are_passed_over(api: ApiClient, namespace: str) -> None:
    row = store.changes_since(0)[-1]
    row.kind = "Forgotten"
    assert look_up([row]) == []


def test_a_quiet_stream_says_now_and_then_that_it_is_there(api: ApiClient, namespace: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(watch, "HEARTBEAT_SECONDS", 0.01)
    reply = api.get(f"{WATCH}?kinds=Project")
    chunks = reply._iterator  # the client leaves by closing this; closing the reply would close the database
    assert b"event: position" in next(chunks)
    assert next(chunks) == b": still here\n\n"
    make(api, "unwanted")
    assert f"id: {store.position()}\nevent: position".encode() in next(chunks)
    chunks.close()


def test_a_stream_ends_by_itself_and_says_where_it_stood(api: ApiClient, namespace: str, settings: Any) -> None:
    settings.STREAM_MINUTES = 0
    *_, last = api.get(WATCH).streaming_content
    assert last.startswith(b"event: end\ndata: ")
    assert b'"reason":"time"' in last
    assert f'"position":{store.position()}'.encode() in last
