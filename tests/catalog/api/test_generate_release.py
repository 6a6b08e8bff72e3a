"""Cutting a release over REST."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from portal.accounts.models import issue_token
from portal.audit.models import AuditEvent
from tests.catalog.access.conftest import bind, person, role
from tests.catalog.api.conftest import ApiClient
from tests.catalog.api.shop import make_component, make_types, make_workload

pytestmark = pytest.mark.django_db
URL = "/api/v1/namespaces/acme/components/web/generate-release"


@pytest.fixture
def component(api, namespace):
    make_types(api, namespace)
    make_component(api, namespace)
    make_workload(api, namespace)


def test_the_default_name_is_the_component_the_day_and_a_counter(api, component):
    first, second = api.post(URL, {}), api.post(URL, {})
    day = f"{timezone.now():%Y%m%d}"
    assert [first.status_code, second.status_code] == [201, 201]
    assert first.json()["metadata"]["name"] == f"web-{day}-1"
    assert second.json()["metadata"]["name"] == f"web-{day}-2"


def test_the_release_freezes_type_workload_and_values_and_is_labelled(api, component):
    made = api.post(URL, {"releaseName": " v1 "}).json()
    assert (made["kind"], made["metadata"]["name"]) == ("ComponentRelease", "v1")
    assert made["metadata"]["labels"] == {"openchoreo.dev/project": "shop", "openchoreo.dev/component": "web"}
    assert made["spec"]["owner"] == {"projectName": "shop", "componentName": "web"}
    assert made["spec"]["componentProfile"]["parameters"] == {"tier": "gold"}
    assert made["spec"]["workload"]["container"]["image"] == "web:1"
    stored = api.get("/api/v1/namespaces/acme/componentreleases/v1").json()
    assert stored == made


def test_a_name_that_is_in_use_is_a_conflict(api, component):
    assert api.post(URL, {"releaseName": "v1"}).status_code == 201
    reply = api.post(URL, {"releaseName": "v1"})
    assert (reply.status_code, reply.json()) == (
        409,
        {"code": "CONFLICT", "error": "ComponentRelease already exists"},
    )


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "can't decode JSON body: EOF"),
        (b'{"releaseName": 5}', "cannot unmarshal number into Go struct field GenerateReleaseRequest.releaseName"),
        (b"[]", "cannot unmarshal array into Go value of type GenerateReleaseRequest"),
        (b'{"releaseName": "a\\u0000"}', "NUL"),
    ],
)
def test_a_body_that_cannot_be_read_is_told_in_plain_text(api, component, body, words):
    reply = api.post(URL, body)
    assert (reply.status_code, reply["Content-Type"]) == (400, "text/plain; charset=utf-8")
    assert words in reply.content.decode()


def test_it_names_the_piece_that_is_missing(api, namespace):
    assert api.post(URL, {}).json()["error"] == "Component not found"
    make_component(api, namespace)
    assert api.post(URL, {}).json() == {"code": "NOT_FOUND", "error": "Workload not found"}
    make_workload(api, namespace)
    assert api.post(URL, {}).json() == {"code": "NOT_FOUND", "error": "ComponentType not found"}


def test_a_missing_trait_is_named_as_a_trait(api, namespace):
    make_types(api, namespace)
    make_component(api, namespace, traits=[{"name": "absent", "instanceName": "one"}])
    make_workload(api, namespace)
    assert api.post(URL, {}).json() == {"code": "NOT_FOUND", "error": "Trait not found"}


def test_values_that_break_the_types_rules_are_refused(api, namespace):
    make_types(api, namespace)
    make_component(api, namespace, parameters={"tier": 5})
    make_workload(api, namespace)
    reply = api.post(URL, {})
    assert reply.status_code == 422
    assert "tier" in reply.json()["error"]


def test_an_invalid_name_is_refused(api, component):
    reply = api.post(URL, {"releaseName": "Not A Name"})
    assert reply.status_code == 422
    assert "metadata.name" in reply.json()["error"]


def api_of(name, *actions):
    user = person(name)
    role(f"{name}-role", *actions)
    bind(f"{name}-binding", f"sub:{name}", f"{name}-role")
    return ApiClient(Client(), issue_token(user, "tests"))


def test_it_needs_the_right_to_create_releases(api, component):
    assert api_of("cutter", "componentrelease:create").post(URL, {}).status_code == 201
    assert api_of("viewer", "component:view", "component:update").post(URL, {}).status_code == 403
    assert api_of("nobody", "project:view").post(URL, {}).json()["error"] == "Component not found"


def test_one_release_is_one_audit_event_with_its_author(api, component):
    events = AuditEvent.objects.system("test")
    before = events.count()
    api.post(URL, {"releaseName": "v1"})
    (event,) = events.order_by("-pk")[: events.count() - before]
    assert (event.action, event.name, event.actor, event.outcome) == (
        "componentrelease:create",
        "v1",
        "admin",
        "success",
    )
