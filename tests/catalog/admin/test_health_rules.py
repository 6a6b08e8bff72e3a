"""Rules of health in the admin: checked where they are wrong, tried before they count, and in force once saved."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from catalog.delivery import health_models
from catalog.delivery.health import health_of, shipped
from catalog.delivery.health_models import HealthRule, ensure_shipped
from portal.accounts.models import User
from portal.audit.models import AuditEvent

pytestmark = pytest.mark.django_db
WIDGET = {"apiVersion": "example.org/v1", "kind": "Widget", "status": {"phase": "Broken"}}
RULE = 'status.?phase.orValue("") == "Broken" ? "Degraded" : "Healthy"'


@pytest.fixture
def browser(client: Client):
    client.force_login(User.objects.create_superuser("root", "root@example.com", "x"))
    yield client
    health_models.forget()


def post(browser: Client, expression: str, url: str = "", **more: str) -> Any:
    form = {"group": "example.org", "kind": "Widget", "expression": expression, "description": "", "is_enabled": "on"}
    return browser.post(url or reverse("admin:catalog_healthrule_add"), {**form, **more})


def test_a_rule_counts_once_it_is_saved_and_no_more_once_it_is_deleted(browser: Client):
    assert health_of(WIDGET) == "Healthy"
    assert post(browser, RULE).status_code == 302
    assert health_of(WIDGET) == "Degraded"
    row = HealthRule.objects.get(kind="Widget")
    browser.post(reverse("admin:catalog_healthrule_delete", args=[row.pk]), {"post": "yes"})
    assert health_of(WIDGET) == "Healthy"
    assert AuditEvent.objects.system("test").filter(actor="root", name__contains="Widget").count() == 2


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ('status.phase = "x"', "1:14"),
        ('nothing.phase == "x" ? "Healthy" : "Degraded"', "undeclared reference to &#x27;nothing&#x27;"),
        ('status.phase == "x" ? "Healthy" : "Degraded"', "no such key: phase. Read fields with .?"),
        ('"Fine"', "it gave &#x27;Fine&#x27;"),
        ("true", "it gave True"),
    ],
)
def test_what_is_wrong_with_an_expression_is_said_at_the_field(browser: Client, expression: str, words: str):
    reply = post(browser, expression)
    assert reply.status_code == 200
    assert words in reply.content.decode(), reply.context["adminform"].form.errors
    assert "expression" in reply.context["adminform"].form.errors
    assert not HealthRule.objects.filter(kind="Widget").exists()


def test_an_expression_is_tried_on_a_manifest_and_nothing_is_saved(browser: Client):
    reply = post(browser, RULE, try_document="kind: Widget\nstatus: {phase: Broken}\n", _try="Try")
    assert "Degraded. Nothing was saved." in reply.content.decode()
    assert "choose a live object, or paste a manifest" in post(browser, RULE, _try="Try").content.decode()
    assert not HealthRule.objects.filter(kind="Widget").exists()


def test_a_rule_that_was_edited_stays_and_the_others_follow_the_version(browser: Client):
    row = HealthRule.objects.get(kind="Job")
    form = {"group": "batch", "kind": "Job", "description": ""}
    url = reverse("admin:catalog_healthrule_change", args=[row.pk])
    assert post(browser, '"Suspended"', url, **form).status_code == 302
    HealthRule.objects.filter(kind="Pod").update(expression='"Unknown"')
    ensure_shipped()
    assert health_of({"apiVersion": "batch/v1", "kind": "Job"}) == "Suspended"
    assert HealthRule.objects.get(kind="Pod").rule in shipped()


def test_only_who_may_changes_rules(client: Client):
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    assert client.get(reverse("admin:catalog_healthrule_changelist")).status_code == 403
    assert post(client, RULE).status_code == 403
