"""Network traffic of an environment as server-sent events."""

from __future__ import annotations

import itertools

import pytest
from django.test import Client

from catalog.api import streaming
from catalog.delivery import drivers
from portal.accounts.models import issue_token
from portal.audit.models import AuditEvent
from tests.catalog.access.conftest import bind, person, role, unbind
from tests.catalog.api.cluster import Cluster
from tests.catalog.api.conftest import ApiClient
from tests.catalog.controllers import components as c
from tests.catalog.controllers import installation as it

pytestmark = pytest.mark.django_db
URL = "/api/v1/namespaces/default/environments/development/wirelogs"


@pytest.fixture
def installed():
    c.install()
    c.apply_component()


@pytest.fixture
def cluster(monkeypatch, installed):
    found = Cluster()
    monkeypatch.setitem(drivers.DRIVERS, "kubernetes", drivers.Driver(Cluster.capabilities, lambda location: found))
    return found


def api_of(name):
    return ApiClient(Client(), issue_token(person(name), "tests"))


def text_of(reply):
    assert reply["Content-Type"] == "text/plain; charset=utf-8"
    return reply.status_code, reply.content.decode()


def test_the_planes_events_are_passed_on_as_they_come(api, cluster):
    reply = api.get(URL)
    assert (reply.status_code, reply["Content-Type"]) == (200, "text/event-stream")
    assert reply["Cache-Control"] == "no-cache, no-transform"
    assert b"".join(reply.streaming_content) == b'data: {"namespace": "default", "environment": "development"}\n\n'


def test_a_git_plane_is_a_bad_gateway_that_says_why(api, installed):
    it.apply_data_plane(driver="git")
    status, text = text_of(api.get(URL))
    assert status == 502
    assert text.startswith("gateway error: this environment is delivered through Git")
    assert "cannot show network traffic there" in text


def test_an_environment_that_is_not_there_is_told_as_recorded(api, cluster):
    assert text_of(api.get(URL.replace("development", "absent"))) == (
        400,
        'failed to resolve data plane: environment "absent" not found: environments.openchoreo.dev "absent" '
        "not found\n",
    )


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("?component=web", "component filter requires project filter"),
        ("?project=Shop", "invalid project parameter"),
        ("?project=shop&component=a%2Fb", "invalid component parameter"),
        ("?project=shop&component=absent", 'failed to resolve component: component "absent" not found'),
    ],
)
def test_a_filter_that_makes_no_sense_is_a_bad_request(api, cluster, query, words):
    status, text = text_of(api.get(f"{URL}{query}"))
    assert (status, words in text) == (400, True)


def test_a_project_that_does_not_own_the_component_is_refused(api, cluster):
    it.apply_project("other")
    assert text_of(api.get(f"{URL}?project=other&component=web"))[0] == 403


def test_the_right_is_judged_at_the_scope_and_in_the_environment(cluster):
    role("wire", "wirelogs:view", "component:view")
    bind("wire", "sub:eve", "wire", scope={"namespace": "default", "project": "shop"})
    eve = api_of("eve")
    assert eve.get(f"{URL}?project=shop").status_code == 200
    assert eve.get(f"{URL}?project=shop&component=web").status_code == 200
    assert text_of(eve.get(URL))[0] == 403
    only_staging = [{"actions": ["wirelogs:view"], "expression": 'resource.environment == "default/staging"'}]
    bind("wire", "sub:eve", "wire", conditions=only_staging)
    assert text_of(eve.get(f"{URL}?project=shop"))[0] == 403


def test_a_component_that_may_not_be_seen_looks_absent(cluster):
    text = text_of(api_of("nobody").get(f"{URL}?project=shop&component=web"))
    assert text == (400, 'failed to resolve component: component "web" not found in namespace "default"\n')


def test_the_stream_ends_soon_after_the_right_has_gone(monkeypatch, cluster):
    monkeypatch.setattr(streaming, "ASK_AGAIN_SECONDS", 0.0)
    monkeypatch.setattr(Cluster, "stream_flows", lambda *_: (b"data: %d\n\n" % number for number in itertools.count()))
    role("wire", "wirelogs:view")
    bind("wire", "sub:eve", "wire")
    stream = iter(api_of("eve").get(URL).streaming_content)
    assert next(stream) == b"data: 0\n\n"
    unbind("wire")
    assert list(stream) == []


def test_who_looks_into_traffic_leaves_an_event(api, cluster):
    events = AuditEvent.objects.system("test").filter(action="wirelogs:view")
    api.get(URL)
    event = events.get()
    assert (event.actor, event.outcome, event.status) == ("admin", "success", 200)
    assert '"environment":"development"' in event.details
