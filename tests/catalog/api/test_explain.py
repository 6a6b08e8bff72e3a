"""The REST endpoint that explains a binding's manifests."""

from __future__ import annotations

import pytest

from tests.catalog.api.conftest import ApiClient
from tests.catalog.controllers import components as web

pytestmark = pytest.mark.django_db
BINDING = "/api/stagecraft/v1/namespaces/default/releasebindings/web-development"


@pytest.fixture
def deployed() -> None:
    web.install()
    web.deploy()


def test_it_tells_the_origins_of_a_field(reader_api: ApiClient, deployed: None) -> None:
    reply = reader_api.get(f"{BINDING}/explain?object=Deployment&field=spec.replicas")
    assert reply.status_code == 200
    (field,) = reply.json()["fields"]
    assert (field["field"], field["value"]) == ("spec.replicas", 1)
    (origin,) = field["origins"]
    assert origin["document"] == {"kind": "ComponentType", "name": "service"}
    assert origin["template"] == "${environmentConfigs.replicas}"
    assert [item["source"] for item in origin["inputs"]] == ["schema-default"]


def test_without_an_object_it_lists_the_objects(reader_api: ApiClient, deployed: None) -> None:
    objects = reader_api.get(f"{BINDING}/explain").json()["objects"]
    assert [item["kind"] for item in objects] == ["Deployment", "NetworkPolicy"]
    assert objects[0]["id"] == f"deployment-{objects[0]['name']}"


def test_what_is_not_there_is_404_and_needs_a_token(
    reader_api: ApiClient, stranger_api: ApiClient, deployed: None
) -> None:
    assert stranger_api.get(f"{BINDING}/explain").status_code == 401
    assert reader_api.get(f"{BINDING}/explain?object=Secret").status_code == 404
    assert reader_api.get(f"{BINDING}/explain?object=Deployment&field=spec.x").status_code == 404
    assert reader_api.get(f"{BINDING.replace('web', 'other')}/explain").status_code == 404
    assert (
        reader_api.get(BINDING.replace("releasebindings/web-development", "components/web/explain")).status_code == 404
    )


def test_a_release_that_cannot_be_rendered_is_409_with_the_reason(reader_api: ApiClient, deployed: None) -> None:
    web.apply_type(preRenderValidations=[{"rule": "${false}", "message": "never"}])
    web.settle()
    reply = reader_api.get(f"{BINDING}/explain?object=Deployment")
    assert reply.status_code == 409
    assert "never" in reply.json()["error"]
