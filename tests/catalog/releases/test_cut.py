"""Releases that are cut when somebody asks for one."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone

from catalog import store
from catalog.releases.cut import PieceMissing, generate_release
from tests.catalog.controllers import components as c
from tests.catalog.controllers import installation as it
from tests.catalog.controllers.installation import TESTER, apply

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def installation() -> None:
    c.install()


def test_a_release_is_named_by_day_and_number_and_carries_the_component_s_labels() -> None:
    c.apply_component(autoDeploy=False)
    c.apply_workload()
    release = generate_release(c.component(), TESTER)
    assert release.name == f"web-{timezone.now():%Y%m%d}-1"
    assert release.labels == {"openchoreo.dev/project": "shop", "openchoreo.dev/component": "web"}
    assert release.spec["workload"] == {"container": {"image": "web:1"}}
    assert generate_release(c.component(), TESTER).name.endswith("-2")


def test_a_number_in_use_is_skipped() -> None:
    c.apply_component(autoDeploy=False)
    c.apply_workload()
    names = [generate_release(c.component(), TESTER).name for _ in range(3)]
    store.delete("ComponentRelease", "default", names[0], TESTER)
    assert generate_release(c.component(), TESTER).name.endswith("-4")
    assert re.fullmatch(r"web-\d{8}-3", names[2])


def test_a_name_may_be_given_but_not_twice() -> None:
    c.apply_component(autoDeploy=False)
    c.apply_workload()
    assert generate_release(c.component(), TESTER, " v1 ").name == "v1"
    with pytest.raises(store.AlreadyExists, match="ComponentRelease 'v1' already exists"):
        generate_release(c.component(), TESTER, "v1")


def test_it_holds_what_auto_deploy_would_freeze() -> None:
    apply("Trait", "quota", {"creates": []})
    c.apply_component(traits=[{"kind": "Trait", "name": "quota", "instanceName": "q"}])
    c.apply_workload(endpoints={"http": c.HTTP})
    c.settle()
    automatic = it.get("ComponentRelease", c.releases()[0])
    assert generate_release(c.component(), TESTER).spec == automatic.spec


def test_lists_without_entries_are_left_out_of_the_snapshot() -> None:
    c.apply_component(autoDeploy=False)
    c.apply_workload(container={"args": [], "command": ["run"]})
    assert generate_release(c.component(), TESTER).spec["workload"]["container"] == {
        "image": "web:1",
        "command": ["run"],
    }


def test_every_missing_piece_is_named() -> None:
    c.apply_component(
        type_name="deployment/later", autoDeploy=False, traits=[{"kind": "Trait", "name": "quota", "instanceName": "q"}]
    )

    def missing() -> tuple[str, str]:
        with pytest.raises(PieceMissing) as refusal:
            generate_release(c.component(), TESTER)
        return refusal.value.kind, refusal.value.name

    assert missing() == ("Workload", "")
    c.apply_workload()
    assert missing() == ("ComponentType", "later")
    c.apply_type("later")
    assert missing() == ("Trait", "quota")
    apply("Trait", "quota", {"creates": []})
    assert generate_release(c.component(), TESTER).name


def test_a_refused_release_leaves_nothing_behind() -> None:
    c.apply_component(autoDeploy=False)
    c.apply_workload()
    before = store.position()
    with pytest.raises(store.Invalid):
        generate_release(c.component(), TESTER, "Not A Name")
    assert c.releases() == []
    assert store.position() == before
