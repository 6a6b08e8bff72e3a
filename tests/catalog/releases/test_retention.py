"""Old releases go by number and age; what is in use, or can be returned to, stays."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from catalog import store
from catalog.kinds.component_release import ComponentRelease
from catalog.manifests.undeleting import undelete
from catalog.releases import retention
from catalog.releases.promote import promote
from catalog.releases.retention import prune, superfluous
from tests.catalog.controllers import components as c
from tests.catalog.controllers.installation import TESTER
from tests.catalog.manifests.conftest import run

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def installation(settings, monkeypatch) -> None:
    """Six releases, of which development has run all and staging the second."""
    settings.RELEASES_KEEP, settings.RELEASES_KEEP_DAYS = 2, 30
    monkeypatch.setattr(retention, "ROLLBACK_STEPS", 2)
    c.install()
    for number in range(1, 7):
        c.deploy(image=f"web:{number}")
        if number == 2:
            promote(c.component(), "staging", TESTER)
    grow_old()


def grow_old() -> None:
    ComponentRelease.objects.system("test").update(created_at=timezone.now() - timedelta(days=60))


def named() -> list[str]:
    return [release.name for release in superfluous()]


def test_those_beyond_number_and_age_go_and_those_in_use_or_lately_run_stay() -> None:
    releases = c.releases()
    assert sorted(named()) == sorted([releases[0], releases[2]])
    # The newest two by number, the third newest because development could return to it, the second because of staging.
    assert len(prune()) == 2
    assert c.releases() == [releases[1], *releases[3:]]


def test_young_ones_stay_however_many() -> None:
    ComponentRelease.objects.system("test").update(created_at=timezone.now() - timedelta(days=29))
    assert named() == []


def test_without_a_number_nothing_goes(settings) -> None:
    settings.RELEASES_KEEP = 0
    assert named() == []


def test_what_somebody_wants_to_keep_stays() -> None:
    first = c.releases()[0]
    document = store.to_document(store.get("ComponentRelease", "default", first), with_status=False)
    document["metadata"]["annotations"] = {"stagecraft.dev/keep": "true"}
    store.replace(document, TESTER)
    grow_old()
    assert first not in named()


def test_what_went_can_be_brought_back() -> None:
    first = c.releases()[0]
    prune()
    undelete("ComponentRelease", "default", first, TESTER)
    assert first in c.releases()


def test_the_command_names_what_would_go_and_lets_it_go() -> None:
    first = c.releases()[0]
    assert f"ComponentRelease default/{first} would go" in run("prune-releases", "--dry-run").out
    assert first in c.releases()
    assert f"ComponentRelease default/{first} is gone" in run("prune-releases").out
    assert run("prune-releases").out == "nothing to drop\n"
