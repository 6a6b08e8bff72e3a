"""A cluster that says nothing costs a worker little time, and one that answers again is not waited for."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from catalog.controllers.models import WorkItem
from catalog.delivery.delivered import bound_for, remember
from catalog.delivery.drivers import Location
from catalog.delivery.kubernetes import connection as cluster_connection
from catalog.delivery.kubernetes.connection import Connection, Credentials, Unreachable
from catalog.delivery.kubernetes.watching import retry_at_once
from tests.catalog.controllers import components as c


@pytest.fixture
def silent(monkeypatch) -> Iterator[Connection]:
    """A connection to an address that takes connections and never says a word."""
    monkeypatch.setattr(cluster_connection, "CONNECT_SECONDS", 0.3)
    monkeypatch.setattr(cluster_connection, "READ_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"https://127.0.0.1:{server.getsockname()[1]}"
        yield Connection("far", Credentials(url, None, False, None, None, None, lambda: None))


def test_after_one_request_that_timed_out_the_next_fail_at_once_for_a_while(silent, monkeypatch):
    with pytest.raises(Unreachable, match="does not answer"):
        silent.get("/api")
    began = time.monotonic()
    for _ in range(20):
        with pytest.raises(Unreachable, match="does not answer"):
            silent.get("/api")
    assert time.monotonic() - began < 0.3
    monkeypatch.setattr(silent, "silent_until", 0.0)
    with pytest.raises(Unreachable):
        silent.get("/api")
    assert time.monotonic() - began > 0.3, "it was asked again"


def test_a_request_that_timed_out_while_others_were_answered_says_nothing_about_the_cluster(silent):
    silent.heard_at = time.monotonic() + 60
    with pytest.raises(Unreachable):
        silent.get("/api")
    assert silent.silent_until == 0.0


@pytest.mark.django_db
def test_what_failed_while_a_cluster_was_away_is_due_when_it_is_back():
    c.install()
    c.deploy("near")
    c.deploy("far")
    for name in ("near", "far"):
        release = c.rendered(name=name)
        location = Location("kubernetes", "ClusterDataPlane", "", "default", {"kubernetes-cluster": name})
        remember(release, bound_for(release, location))
    later = timezone.now() + timedelta(minutes=5)
    items = WorkItem.objects.filter(kind="RenderedRelease")
    items.update(due_at=later, attempts=9, last_error="no route to host")
    assert retry_at_once("far") == 1
    due = items.filter(due_at__lte=timezone.now()).values_list("object_id", flat=True)
    assert list(due) == [c.rendered(name="far").pk]
