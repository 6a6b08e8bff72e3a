"""Promoting a component's release along its pipeline."""

from __future__ import annotations

import pytest

from catalog import store
from catalog.releases.promote import PromotionRefused, promote
from tests.catalog.controllers import components as c
from tests.catalog.controllers import installation as it
from tests.catalog.controllers.installation import TESTER, apply

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def installation() -> None:
    c.install()
    c.deploy()


def test_the_release_of_the_source_becomes_that_of_the_target() -> None:
    promotion = promote(c.component(), "staging", TESTER)
    (release,) = c.releases()
    assert (promotion.source, promotion.release_name, promotion.action) == ("development", release, "created")
    binding = c.binding("staging")
    assert binding == promotion.binding
    assert binding.spec["releaseName"] == release
    assert binding.labels == {"openchoreo.dev/project": "shop", "openchoreo.dev/component": "web"}


def test_settings_of_the_target_stay() -> None:
    c.apply_binding("", "staging", spec={"componentTypeEnvironmentConfigs": {"replicas": 3}})
    assert promote(c.component(), "staging", TESTER).action == "changed"
    assert c.binding("staging").spec["componentTypeEnvironmentConfigs"] == {"replicas": 3}
    assert c.binding("staging").spec["releaseName"] == c.releases()[0]


def test_promoting_what_is_there_already_changes_nothing() -> None:
    promote(c.component(), "staging", TESTER)
    before = store.position()
    assert promote(c.component(), "staging", TESTER).action == "unchanged"
    assert store.position() == before


def test_a_newer_release_does_not_pass_an_environment_over() -> None:
    promote(c.component(), "staging", TESTER)
    promote(c.component(), "production", TESTER)
    c.apply_workload(image="web:2")
    c.settle()
    first, second = c.releases()
    assert promote(c.component(), "production", TESTER).release_name == first
    promote(c.component(), "staging", TESTER)
    assert promote(c.component(), "production", TESTER).release_name == second


def refusal(target: str, source: str | None = None) -> str:
    before = store.position()
    with pytest.raises(PromotionRefused) as refused:
        promote(c.component(), target, TESTER, source)
    assert store.position() == before
    return str(refused.value)


def test_there_must_be_a_path() -> None:
    pipeline = 'in deployment pipeline "default"'
    assert refusal("development") == f'no promotion path found to environment "development" {pipeline}'
    expected = f'no promotion path found from environment "development" to environment "production" {pipeline}'
    assert refusal("production", "development") == expected


def test_the_source_must_run_a_release_that_exists() -> None:
    assert refusal("production") == 'no release is bound in environment "staging"'
    c.apply_binding("absent", "staging")
    assert refusal("production") == 'ComponentRelease "absent" of environment "staging" not found'


def test_the_target_must_exist() -> None:
    it.apply_pipeline("development", "qa")
    assert refusal("qa") == 'Environment "qa" not found'


def test_several_sources_are_told_apart_by_naming_one() -> None:
    paths = [
        {"sourceEnvironmentRef": {"name": source}, "targetEnvironmentRefs": [{"name": "production"}]}
        for source in ("staging", "development")
    ]
    apply("DeploymentPipeline", "default", {"promotionPaths": paths})
    assert refusal("production") == 'no release is bound in environment "staging"'
    assert promote(c.component(), "production", TESTER, "development").source == "development"


def test_a_project_without_a_pipeline_has_no_paths() -> None:
    store.delete("DeploymentPipeline", "default", "default", TESTER)
    pipeline = it.get("DeploymentPipeline", "default")
    store.remove_finalizer(pipeline, pipeline.finalizers[0], TESTER)
    assert refusal("staging") == 'DeploymentPipeline "default" not found'
