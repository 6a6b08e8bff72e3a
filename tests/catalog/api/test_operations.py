"""What a load balancer asks: healthy, ready, which version."""

from __future__ import annotations

import pytest
from celery import current_app
from django.db import DatabaseError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client, override_settings
from kombu import Connection

from catalog.api import operations

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_believed(monkeypatch):
    monkeypatch.setattr(operations, "_is_migrated", False)
    operations.broker_answers.forget()
    yield
    operations.broker_answers.forget()


def ask(path):
    reply = Client().get(path)
    assert reply["Content-Type"] == "text/plain"
    return reply.status_code, reply.content.decode()


def test_a_process_that_runs_is_healthy_whatever_else_fails(monkeypatch):
    monkeypatch.setattr(connection, "cursor", fail)
    assert ask("/health") == (200, "OK")


def test_a_process_with_database_migrations_and_broker_is_ready():
    assert ask("/ready") == (200, "Ready")


def fail(*_, **__):
    raise DatabaseError("canary-password refused")


def test_without_its_database_it_is_not_ready_and_shows_no_password(monkeypatch):
    monkeypatch.setattr(connection, "cursor", fail)
    assert ask("/ready") == (503, "Not ready: the database does not answer")


def test_with_a_migration_missing_it_is_not_ready_until_it_is_there():
    newest = MigrationRecorder.Migration.objects.filter(app="workflows").latest("name")
    newest.delete()
    assert ask("/ready") == (503, "Not ready: 1 migration(s) are not applied, run manage.py migrate")
    MigrationRecorder.Migration.objects.create(app=newest.app, name=newest.name)
    assert ask("/ready")[0] == 200


def test_a_broker_that_does_not_answer_is_named_within_seconds(monkeypatch):
    monkeypatch.setattr(current_app, "connection_for_write", lambda: Connection("redis://127.0.0.1:1/0"))
    assert ask("/ready") == (503, "Not ready: the broker (CELERY_BROKER_URL) does not answer")


def test_the_brokers_last_answer_is_believed_for_a_while(monkeypatch):
    assert ask("/ready")[0] == 200
    monkeypatch.setattr(current_app, "connection_for_write", fail)
    assert ask("/ready")[0] == 200


def test_the_version_tells_what_the_build_said_and_not_set_otherwise():
    operations.version_of_this.cache_clear()
    with override_settings(GIT_REVISION="abc123", BUILD_TIME=""):
        found = Client().get("/version").json()
    operations.version_of_this.cache_clear()
    assert (found["name"], found["gitRevision"], found["buildTime"]) == ("stagecraft", "abc123", "not-set")
    assert set(found) == {"name", "version", "gitRevision", "buildTime", "goOS", "goArch", "goVersion"}
    assert all(isinstance(value, str) and value for value in found.values())


@pytest.mark.parametrize("path", ["/health", "/ready", "/version", "/openapi.json"])
def test_other_verbs_are_refused(path):
    reply = Client().post(path)
    assert (reply.status_code, reply["Allow"]) == (405, "GET, HEAD")
