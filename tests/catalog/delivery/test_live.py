"""Looking at what a plane holds of a release."""

from __future__ import annotations

import pytest

from catalog.delivery.live import live_objects, plane_of
from catalog.delivery.plane import PlaneNotConfigured
from tests.catalog.delivery.deliveries import config_map, deployment, git
from tests.catalog.delivery.test_rendered_release import CART, look, release, repository, reread

__all__ = ["repository"]
pytestmark = pytest.mark.django_db


def test_before_its_first_delivery_there_is_nothing_to_see(repository):
    held = release(config_map(a="1"))
    assert live_objects(held) == []
    with pytest.raises(PlaneNotConfigured, match="not been delivered yet"):
        plane_of(held)


def test_it_shows_the_objects_as_they_are_there_also_when_somebody_has_edited_them(repository, tmp_path):
    held = release(config_map(a="1"), deployment())
    look(held)
    git(tmp_path, "clone", "-q", str(repository), "clone")
    file = tmp_path / "clone" / CART / "configmap-settings.yaml"
    file.write_text(file.read_text().replace('a: "1"', 'a: "by hand"'))
    git(tmp_path / "clone", "commit", "-q", "-a", "-m", "by hand")
    git(tmp_path / "clone", "push", "-q")
    settings, cart = live_objects(reread(held))
    assert (settings.key.kind, settings.version, settings.health) == ("ConfigMap", "v1", "Unknown")
    assert settings.body["data"] == {"a": "by hand"}
    assert (cart.key.group, cart.id) == ("apps", "deployment-cart")
