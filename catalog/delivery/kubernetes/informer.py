"""One kind in one cluster, followed: a list, then its changes as they come, for as long as the thread runs.

A watch ends for many reasons: the server closes it after some minutes, the connection breaks, the version from which to
go on is too old (410). It is taken up again where it stopped, or from a new list. What has vanished between two lists
is told as deleted.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import NamedTuple

import orjson

from catalog.compiler.documents import Document
from catalog.delivery.kubernetes.connection import ApiError, Connection
from catalog.delivery.kubernetes.discovery import Kind, preferred_kind
from catalog.delivery.kubernetes.plane import key_of, labels_of, version_of
from catalog.delivery.plane import ObjectKey, PlaneError
from catalog.delivery.tracking import CONTROLLER, MANAGED_BY, RELEASE_UID

log = logging.getLogger("stagecraft.delivery")
OURS = f"{MANAGED_BY}={CONTROLLER}"
PAGE = 500
WATCH_SECONDS = 290
"""How long the server keeps a watch open; then it is taken up again without a new list."""
QUIET_SECONDS = 70.0
"""A server sends a bookmark each minute; a connection that is silent for longer is dead."""
RETRY_SECONDS = (0.5, 1, 2, 5, 10)


class News(NamedTuple):
    """An object as it is now, None when it is gone. `release` is the uid of the rendered release that it belongs to."""

    release: str
    key: ObjectKey
    document: Document | None
    version: int


class Informer(threading.Thread):
    """Follows one kind and hands every change to `tell`; `is_in_step` while it has all that has happened."""

    def __init__(self, connection: Connection, group: str, name: str, tell: Callable[[News], None]) -> None:
        super().__init__(name=f"watch {name}", daemon=True)
        self.connection, self.group, self.kind_name, self.tell = connection, group, name, tell
        self.stopped = threading.Event()
        self.is_in_step = threading.Event()
        self.held: dict[ObjectKey, str] = {}
        """The objects that are there, with the uid of their release: what a new list is compared with."""

    def run(self) -> None:
        failures = 0
        position = ""
        while not self.stopped.is_set():
            try:
                kind = preferred_kind(self.connection, self.group, self.kind_name)
                if kind is None:
                    self.is_in_step.set()  # what is not served is not there
                    self.stopped.wait(RETRY_SECONDS[-1])
                    continue
                position = position or self.list(kind)
                self.is_in_step.set()
                position = self.watch(kind, position)
                failures = 0
            except PlaneError as error:
                self.is_in_step.clear()
                if isinstance(error, ApiError) and error.status == 410:
                    position = ""
                    continue
                log.warning("watch of %s in %s: %s", self.kind_name, self.connection, error)
                self.stopped.wait(RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)])
                failures += 1

    def list(self, kind: Kind) -> str:
        """Tell of everything that is there and of what is there no more; the position from which to watch."""
        found: dict[ObjectKey, str] = {}
        query = {"labelSelector": OURS, "limit": str(PAGE)}
        while True:
            answer = self.connection.get(kind.path(), **query)
            for document in answer.get("items") or ():
                news = news_of(kind, document)
                found[news.key] = self.tell_of(news)
            metadata = answer["metadata"]
            if not metadata.get("continue"):
                break
            query["continue"] = metadata["continue"]
        position: str = metadata["resourceVersion"]
        for key in self.held.keys() - found.keys():
            self.tell(News(self.held[key], key, None, int(position)))
        self.held = found
        return position

    def watch(self, kind: Kind, position: str) -> str:
        """Tell of changes until the watch ends; the position from which to go on."""
        query = {
            "labelSelector": OURS, "watch": "true", "allowWatchBookmarks": "true", "resourceVersion": position,
            "timeoutSeconds": str(WATCH_SECONDS),
        }  # fmt: skip
        with self.connection.stream(kind.path(), query, QUIET_SECONDS) as lines:
            for line in lines:
                if self.stopped.is_set():
                    break
                event = orjson.loads(line)
                if event["type"] == "ERROR":
                    status = event["object"]
                    raise ApiError(int(status.get("code") or 500), status.get("reason", ""), status.get("message", ""))
                position = event["object"]["metadata"]["resourceVersion"]
                if event["type"] != "BOOKMARK":
                    self.follow(kind, event["type"], event["object"])
        return position

    def follow(self, kind: Kind, change: str, document: Document) -> None:
        news = news_of(kind, document)
        if change == "DELETED":
            news = news._replace(document=None)
            self.tell_of(news)
            self.held.pop(news.key, None)
        else:
            self.held[news.key] = self.tell_of(news)

    def tell_of(self, news: News) -> str:
        """Tell the release that the object names, and the one that it named before; somebody may have changed that.

        Returns the release whose object it is.
        """
        before = self.held.get(news.key, "")
        if before and before != news.release:
            self.tell(news._replace(release=before))
        if news.release:
            self.tell(news)
        return news.release or before

    def stop(self) -> None:
        """Ask it to end; it does with the next line or bookmark."""
        self.stopped.set()
        self.is_in_step.clear()


def news_of(kind: Kind, document: Document) -> News:
    whole = {**document, "apiVersion": version_of(kind), "kind": kind.name}
    version = int(document["metadata"].get("resourceVersion") or 0)
    return News(labels_of(document).get(RELEASE_UID, ""), key_of(kind, document), whole, version)
