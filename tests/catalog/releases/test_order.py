"""Where the pipeline asks for it, a release enters an environment only after one that promotes to it."""

from __future__ import annotations

import pytest

from catalog import store
from catalog.releases.promote import promote
from catalog.releases.rollback import roll_back
from tests.catalog.controllers import components as c
from tests.catalog.controllers import installation as it
from tests.catalog.controllers.installation import TESTER

pytestmark = pytest.mark.django_db


def enforce(mode: str) -> None:
    pipeline = it.get("DeploymentPipeline", "default")
    document = store.to_document(pipeline, with_status=False)
    document["metadata"]["annotations"] = {"stagecraft.dev/enforce-order": mode}
    store.replace(document, TESTER)


@pytest.fixture(autouse=True)
def installation() -> None:
    c.install()
    c.deploy(image="web:1")


def test_without_it_any_release_goes_anywhere() -> None:
    c.apply_binding(c.releases()[0], "production")
    assert c.binding("production").spec["releaseName"]


def test_an_environment_is_not_skipped_whatever_writes_the_binding() -> None:
    enforce("true")
    (first,) = c.releases()
    words = f'release "{first}" may enter environment "production" once it has run in staging'
    with pytest.raises(store.Invalid, match=words):
        c.apply_binding(first, "production")
    with pytest.raises(store.Invalid):
        store.create(store.to_document(c.binding(), with_status=False) | {
            "metadata": {"name": "other", "namespace": "default"},
            "spec": {**c.binding().spec, "environment": "production"},
        }, TESTER)  # fmt: skip
    promote(c.component(), "staging", TESTER)
    promote(c.component(), "production", TESTER)
    assert c.binding("production").spec["releaseName"] == first


def test_settings_of_a_binding_may_change_and_auto_deploy_goes_on() -> None:
    enforce("true")
    promote(c.component(), "staging", TESTER)
    c.apply_binding("", "staging", spec={"componentTypeEnvironmentConfigs": {"replicas": 2}})
    c.deploy(image="web:2")
    assert c.binding("development").spec["releaseName"] == c.releases()[-1]


def test_what_has_moved_on_in_the_source_has_still_passed_it_and_a_rollback_needs_no_detour() -> None:
    enforce("true")
    promote(c.component(), "staging", TESTER)
    first = c.releases()[0]
    c.deploy(image="web:2")
    promote(c.component(), "staging", TESTER)
    c.apply_binding(first, "production")
    promote(c.component(), "production", TESTER)
    assert roll_back(c.component(), "production", TESTER).to_release == first


def test_it_may_have_to_be_ready_there() -> None:
    enforce("ready")
    with pytest.raises(store.Invalid, match="once it is Ready in development"):
        promote(c.component(), "staging", TESTER)
    it.plane_reports(c.rendered())
    c.settle()
    assert c.binding().ready == "True"
    promote(c.component(), "staging", TESTER)
