"""Returning an environment to a release that it ran before."""

from __future__ import annotations

import pytest

from catalog import store
from catalog.releases.promote import promote
from catalog.releases.rollback import RollbackRefused, roll_back
from tests.catalog.controllers import components as c
from tests.catalog.controllers.installation import TESTER

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def installation() -> None:
    """Two releases have passed through development to staging."""
    c.install()
    for image in ("web:1", "web:2"):
        c.deploy(image=image)
        promote(c.component(), "staging", TESTER)
    c.settle()


def test_an_environment_returns_to_what_it_ran_before() -> None:
    first, second = c.releases()
    rollback = roll_back(c.component(), "staging", TESTER)
    assert (rollback.from_release, rollback.to_release) == (second, first)
    c.settle()
    assert c.container_of("staging")["image"] == "web:1"
    assert c.container_of("development")["image"] == "web:2"


def test_a_second_rollback_goes_back_to_where_the_first_came_from() -> None:
    second = c.releases()[-1]
    roll_back(c.component(), "staging", TESTER)
    assert roll_back(c.component(), "staging", TESTER).to_release == second


def test_a_release_may_be_named() -> None:
    c.deploy(image="web:3")
    promote(c.component(), "staging", TESTER)
    first = c.releases()[0]
    assert roll_back(c.component(), "staging", TESTER, first).to_release == first
    assert c.binding("staging").spec["releaseName"] == first


def test_settings_of_the_environment_stay() -> None:
    c.apply_binding("", "staging", spec={"componentTypeEnvironmentConfigs": {"replicas": 3}})
    roll_back(c.component(), "staging", TESTER)
    assert c.binding("staging").spec["componentTypeEnvironmentConfigs"] == {"replicas": 3}


def test_a_release_that_is_gone_is_passed_over() -> None:
    c.deploy(image="web:3")
    promote(c.component(), "staging", TESTER)
    first, second, _ = c.releases()
    store.delete("ComponentRelease", "default", second, TESTER)
    assert roll_back(c.component(), "staging", TESTER).to_release == first


def test_where_auto_deploy_would_undo_it_a_rollback_is_refused() -> None:
    with pytest.raises(RollbackRefused, match='auto-deploy keeps environment "development" at the newest release'):
        roll_back(c.component(), "development", TESTER)
    c.settle()
    assert c.container_of("development")["image"] == "web:2"


def test_unless_it_may_stop_auto_deploy_with_it() -> None:
    rollback = roll_back(c.component(), "development", TESTER, stop_auto_deploy=True)
    assert rollback.has_stopped_auto_deploy
    c.settle()
    assert c.component().spec["autoDeploy"] is False
    assert c.container_of("development")["image"] == "web:1"


def test_auto_deploy_goes_on_where_it_does_not_matter() -> None:
    assert not roll_back(c.component(), "staging", TESTER, stop_auto_deploy=True).has_stopped_auto_deploy
    assert c.component().spec["autoDeploy"] is True


def refusal(environment: str, release: str | None = None) -> str:
    before = store.position()
    with pytest.raises(RollbackRefused) as refused:
        roll_back(c.component(), environment, TESTER, release)
    assert store.position() == before
    return str(refused.value)


def test_there_must_be_somewhere_to_go_back_to() -> None:
    promote(c.component(), "production", TESTER)
    expected = 'environment "production" has not run another release that still exists'
    assert refusal("production") == expected


def test_there_must_be_a_binding() -> None:
    assert refusal("production") == 'no release is bound in environment "production"'


def test_the_release_must_exist_and_be_the_component_s_own() -> None:
    c.deploy("api")
    other = c.binding(name="api").spec["releaseName"]
    assert refusal("staging", "absent") == 'ComponentRelease "absent" not found'
    assert refusal("staging", other) == f'ComponentRelease "{other}" belongs to another component, "api"'
