"""The REST endpoint that previews documents."""

from __future__ import annotations

import orjson
import pytest

from catalog.compiler.yaml_dump import dump
from catalog.store.models import Revision
from tests.catalog.api.conftest import ApiClient
from tests.catalog.controllers import components as web
from tests.catalog.preview.conftest import platform, service_type, with_policy  # noqa: F401 - a fixture

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("platform")]
PREVIEW = "/api/stagecraft/v1/preview"


@pytest.mark.parametrize("encode", [lambda item: dump(item).encode(), orjson.dumps])
def test_yaml_and_json_give_the_report_and_store_nothing(api: ApiClient, encode) -> None:  # type: ignore[no-untyped-def]
    before = Revision.objects.system("test").count()
    reply = api.post(PREVIEW, encode(with_policy("Always")))
    assert reply.status_code == 200, reply.content
    body = reply.json()
    assert body["summary"]["changed"] == 8 and body["summary"]["hidden"] == 0
    assert [item["environments"] for item in body["environments"]] == [["development"], ["staging"]]
    assert Revision.objects.system("test").count() == before


def test_a_refused_document_is_422_with_the_report(api: ApiClient) -> None:
    reply = api.post(PREVIEW, dump(service_type(workloadType="never")).encode())
    assert reply.status_code == 422
    body = reply.json()
    assert body["error"] == "1 of 1 documents would be refused"
    assert body["documents"][0]["problems"][0]["path"] == "spec.workloadType"


def test_it_takes_the_right_to_apply(reader_api: ApiClient, stranger_api: ApiClient) -> None:
    edit = dump(with_policy("Always")).encode()
    assert stranger_api.post(PREVIEW, edit).status_code == 401
    assert reader_api.post(PREVIEW, edit).status_code in (403, 404)


def test_an_empty_body_is_refused(api: ApiClient) -> None:
    assert api.post(PREVIEW, b"").status_code == 400


def test_what_the_caller_may_not_see_is_counted_and_not_shown(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    from portal.access.engine import Access

    allowed = Access.may
    monkeypatch.setattr(
        Access, "may", lambda self, verb, obj: allowed(self, verb, obj) and not obj.name.startswith("a-")
    )
    body = api.post(PREVIEW, dump(with_policy("Always")).encode()).json()
    assert body["summary"]["hidden"] == 2
    names = {owner["name"] for item in body["environments"] for group in item["groups"] for owner in group["owners"]}
    assert names == {"b", "c", "d"}
    assert web.component("a").name not in names
