"""The watch of clusters: what changes there is on the rows, and its release looked at, within a second.

Runs as a thread in the workers; a lease sees to it that one process watches a cluster. Each kind that objects have been
delivered of has an informer. News are gathered for a moment, newest per object, and written in one transaction, so a
storm of changes costs memory for one version of each object and no more.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import close_old_connections, connection, transaction
from django.utils import timezone

from catalog.compiler.documents import Document
from catalog.controllers import work
from catalog.controllers.models import WorkItem
from catalog.delivery.delivered import delivered_of, remember
from catalog.delivery.drivers import watched_connection, watched_name
from catalog.delivery.health import health_of
from catalog.delivery.kubernetes import leases
from catalog.delivery.kubernetes.informer import Informer, News
from catalog.delivery.kubernetes.ours import digest_of
from catalog.delivery.kubernetes.plane import copied
from catalog.delivery.plane import ObjectKey, PlaneNotConfigured
from catalog.delivery.rows import bodies_for, key_of, save_columns
from catalog.delivery.tracking import RESTARTED_AT
from catalog.kinds.rendered_object import RenderedObject
from catalog.kinds.rendered_release import RenderedRelease

log = logging.getLogger("stagecraft.delivery")
GATHER_SECONDS = 0.2
LOOK_FOR_CLUSTERS_SECONDS = 1.0
SEEN = ["observed", "health", "observed_at", "live_digest", "live_version"]
"""The columns that the watch writes."""


class ClusterWatch:
    """The informers of one cluster and the news that wait to be written."""

    def __init__(self, name: str, holder: str) -> None:
        self.name, self.holder = name, holder
        self.connection = watched_connection(name)
        self.informers: dict[str, Informer] = {}
        self.waiting: dict[tuple[str, ObjectKey], News] = {}
        self.lock = threading.Lock()
        self.was_in_step = True

    def tell(self, news: News) -> None:
        """Called by the informers' threads."""
        with self.lock:
            self.waiting[news.release, news.key] = news

    def take(self) -> list[News]:
        with self.lock:
            news = list(self.waiting.values())
            self.waiting.clear()
        return news

    def follow_kinds(self, kinds: Iterable[str]) -> None:
        """Start an informer for each kind that has none."""
        for name in kinds:
            if name not in self.informers:
                group, _, kind = name.rpartition("/")
                self.informers[name] = Informer(self.connection, group, kind, self.tell)
                self.informers[name].start()

    @property
    def is_in_step(self) -> bool:
        """Whether nothing that happens in the cluster is missed."""
        return all(informer.is_in_step.is_set() for informer in self.informers.values())

    def stop(self) -> None:
        for informer in self.informers.values():
            informer.stop()


class Watching(threading.Thread):
    """Watches every cluster whose lease this process gets."""

    def __init__(self, wake: Any) -> None:
        super().__init__(name="watching", daemon=True)
        self.stopped = threading.Event()
        self.holder = work.process_identity()
        self.clusters: dict[str, ClusterWatch] = {}
        self.wake = wake
        """Called after work has been marked."""

    def run(self) -> None:
        look_at = time.monotonic()
        # Where no cluster is watched, nothing has to be gathered.
        while not self.stopped.wait(GATHER_SECONDS if self.clusters else LOOK_FOR_CLUSTERS_SECONDS):
            try:
                close_old_connections()
                if time.monotonic() >= look_at:
                    look_at = time.monotonic() + LOOK_FOR_CLUSTERS_SECONDS
                    self.look_for_clusters()
                for watch in list(self.clusters.values()):
                    self.write_news(watch)
            except Exception:
                log.exception("watching failed; going on")
                self.stopped.wait(LOOK_FOR_CLUSTERS_SECONDS)
        for watch in self.clusters.values():
            watch.stop()
            leases.give_up(watch.name, self.holder)
        connection.close()

    def look_for_clusters(self) -> None:
        """Take up clusters that nobody watches, and new kinds of those that are ours."""
        for name in leases.clusters_to_watch():
            if name not in self.clusters:
                if not leases.take(name, self.holder):
                    continue
                try:
                    self.clusters[name] = ClusterWatch(name, self.holder)
                except PlaneNotConfigured as error:
                    leases.give_up(name, self.holder)
                    log.warning("cluster %s cannot be watched: %s", name, error)
                    continue
            watch = self.clusters[name]
            watch.follow_kinds(leases.kinds_to_watch(name))
            if not leases.take(name, self.holder):
                self.clusters.pop(name).stop()
                continue
            is_in_step = watch.is_in_step
            if is_in_step:
                leases.renew(name, self.holder)
            if is_in_step and not watch.was_in_step and retry_at_once(name):
                self.wake()
            watch.was_in_step = is_in_step

    def write_news(self, watch: ClusterWatch) -> None:
        """Write what has been gathered; what cannot be written is kept for the next time."""
        news = watch.take()
        if not news:
            return
        try:
            if note(watch.name, news, timezone.now()):
                self.wake()
        except Exception:
            with watch.lock:
                watch.waiting = {**{(item.release, item.key): item for item in news}, **watch.waiting}
            raise


def note(cluster: str, news: Iterable[News], now: datetime) -> int:
    """Put news on the rows of their objects and mark the releases that have to be looked at. Returns how many."""
    by_release: dict[str, dict[ObjectKey, News]] = {}
    for item in news:
        if item.release:
            by_release.setdefault(item.release, {})[item.key] = item
    releases = RenderedRelease.objects.system("watch").filter(uid__in=by_release)
    touched = []
    with transaction.atomic():
        for release in releases:
            found = by_release[str(release.uid)]
            if not is_at(release, cluster):
                continue  # it has moved to another plane, and is being cleaned up here
            if release.deleted_at is not None or note_release(release, found, now):
                touched.append(("RenderedRelease", release.pk))
        work.mark_due(touched)
    return len(touched)


def retry_at_once(cluster: str) -> int:
    """Mark what failed while the cluster did not answer: it does again, and pauses may have grown long by then."""
    failed = WorkItem.objects.filter(kind="RenderedRelease", attempts__gt=0).values("object_id")
    releases = RenderedRelease.objects.system("watch").filter(pk__in=failed).only("pk", "delivered_to")
    found = [("RenderedRelease", release.pk) for release in releases.iterator() if is_at(release, cluster)]
    work.mark_due(found)
    return len(found)


def is_at(release: RenderedRelease, cluster: str) -> bool:
    delivered = delivered_of(release)
    return delivered is not None and watched_name(delivered.location) == cluster


def note_release(release: RenderedRelease, news: Mapping[ObjectKey, News], now: datetime) -> bool:
    """Whether the news changed anything on the rows of a release."""
    rows = list(RenderedObject.objects.system("watch").select_for_update().filter(rendered_release=release))
    if has_copies(news.values(), rows):
        forget_what_is_there(release)
    concerned = [
        row for row in rows if (item := news.get(key_of(row))) is not None and item.version >= row.live_version
    ]
    present = [row for row in concerned if news[key_of(row)].document is not None]
    bodies = manifests_of(release, present)
    changed = [row for row in concerned if note_row(row, news[key_of(row)], bodies.get(key_of(row)), now)]
    if changed:
        save_columns(changed, SEEN)
    return bool(changed) or has_copies(news.values(), rows)


def has_copies(news: Iterable[News], rows: list[RenderedObject]) -> bool:
    """Whether somebody has made an object that bears the release's labels and is none of its objects."""
    known = {key_of(row) for row in rows}
    return any(
        item.key not in known
        and item.document is not None
        and not item.document["metadata"].get("deletionTimestamp")
        and copied(item.document) is not None
        for item in news
    )


def forget_what_is_there(release: RenderedRelease) -> None:
    """Have the next look compare all that the plane holds with what it should."""
    delivered = delivered_of(release)
    if delivered is not None:
        remember(release, replace(delivered, generation=0))


def note_row(row: RenderedObject, news: News, manifest: Document | None, now: datetime) -> bool:
    """Whether the row differs from what it was, apart from the version."""
    before = (row.observed, row.health, row.live_digest)
    row.live_version = news.version
    if news.document is None or manifest is None:
        row.observed, row.health, row.live_digest = None, "", ""
    else:
        row.observed, row.health = news.document.get("status"), health_of(news.document)
        row.live_digest = digest_of(manifest, news.document)
    is_news = before != (row.observed, row.health, row.live_digest)
    if is_news:
        row.observed_at = now
    return is_news


def manifests_of(release: RenderedRelease, rows: list[RenderedObject]) -> Mapping[ObjectKey, Document]:
    """The final manifests of some rows, as they were sent."""
    delivered = delivered_of(release)
    if delivered is None or not rows:
        return {}
    return bodies_for(rows, delivered.place, release.annotations.get(RESTARTED_AT, ""))([key_of(row) for row in rows])
