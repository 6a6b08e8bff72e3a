"""The REST endpoint that renders documents together with what is stored."""

from __future__ import annotations

import pytest

from catalog.compiler.yaml_dump import dump
from catalog.store.models import Revision
from tests.catalog.api.conftest import ApiClient
from tests.catalog.preview.conftest import platform, service_type, with_policy  # noqa: F401 - a fixture

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("platform")]
RENDER = "/api/stagecraft/v1/render"


def test_documents_are_rendered_with_what_is_stored_and_nothing_is_stored(api: ApiClient) -> None:
    before = Revision.objects.system("test").count()
    reply = api.post(RENDER, dump(with_policy("Always")).encode())
    assert reply.status_code == 200, reply.content
    items = reply.json()["items"]
    assert {item["environment"] for item in items} >= {"development", "staging"}
    assert all(item["objects"] and item["targetPlane"] for item in items)
    assert "Always" in str(items)
    assert Revision.objects.system("test").count() == before


def test_one_environment_can_be_asked_for(api: ApiClient) -> None:
    items = api.post(f"{RENDER}?environment=staging", dump(with_policy("Always")).encode()).json()["items"]
    assert {item["environment"] for item in items} == {"staging"}


def test_what_would_be_refused_is_told_with_its_fields(api: ApiClient) -> None:
    reply = api.post(RENDER, dump(service_type(workloadType="never")).encode())
    assert (reply.status_code, reply.json()["code"]) == (422, "UNPROCESSABLE_CONTENT")
    assert reply.json()["refused"][0]["problems"][0]["path"] == "spec.workloadType"


def test_it_takes_the_right_to_apply(reader_api: ApiClient, stranger_api: ApiClient) -> None:
    edit = dump(with_policy("Always")).encode()
    assert stranger_api.post(RENDER, edit).status_code == 401
    assert reader_api.post(RENDER, edit).status_code in (403, 404)


def test_what_the_caller_may_not_see_is_not_rendered_for_it(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    from portal.access.engine import Access

    allowed = Access.may
    monkeypatch.setattr(
        Access, "may", lambda self, verb, obj: allowed(self, verb, obj) and not obj.name.startswith("a-")
    )
    names = {item["name"] for item in api.post(RENDER, dump(with_policy("Always")).encode()).json()["items"]}
    assert names and "a" not in names
