"""Notification channels: every environment that has some has a default one."""

from __future__ import annotations

import pytest

from catalog import store
from tests.catalog.controllers import installation as it
from tests.factories import TESTER

pytestmark = pytest.mark.django_db
KIND = "ObservabilityAlertsNotificationChannel"


@pytest.fixture(autouse=True)
def namespace():
    it.apply("Namespace", "default")


def apply_channel(name, environment="development", **spec):
    webhook = {"type": "webhook", "webhookConfig": {"url": "https://chat.example/hook"}}
    it.apply(KIND, name, {"environment": environment, **webhook, **spec})


def defaults():
    rows = it.kind_named(KIND).objects.system("test")
    return sorted(row.name for row in rows if row.spec.get("isEnvDefault"))


def test_the_first_channel_of_an_environment_becomes_its_default():
    apply_channel("first")
    it.settle(KIND)
    apply_channel("second")
    apply_channel("elsewhere", "production")
    it.settle(KIND)
    assert defaults() == ["elsewhere", "first"]
    assert it.get(KIND, "first").status == {}


def test_of_channels_that_come_together_one_becomes_the_default():
    apply_channel("b")
    apply_channel("a")
    it.settle(KIND)
    assert len(defaults()) == 1


def test_a_default_that_people_name_is_the_only_one():
    apply_channel("first", isEnvDefault=False)
    apply_channel("second", isEnvDefault=True)
    it.settle(KIND)
    assert defaults() == ["second"]


def test_when_the_default_goes_another_takes_its_place():
    apply_channel("first")
    it.settle(KIND)
    apply_channel("second")
    it.settle(KIND)
    store.delete(KIND, "default", "first", TESTER)
    it.settle(KIND)
    assert it.gone(KIND, "first")
    assert defaults() == ["second"]
