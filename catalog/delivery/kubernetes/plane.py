"""The Kubernetes plane: delivers straight to an API server by server-side apply, forced, with one field manager.

Sent are only objects whose manifest differs from what the cluster took last, or that have drifted from it. What has
left a release is found by its owner labels, over all kinds that the release ever had, and removed. An object that the
server refuses does not keep the others from being sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import ClassVar, NoReturn, Protocol, TypeVar

from catalog.compiler.documents import Document
from catalog.delivery.drift import left_over
from catalog.delivery.field_owners import owners_of
from catalog.delivery.health import health_of
from catalog.delivery.kubernetes.commands import open_command
from catalog.delivery.kubernetes.connection import APPLY, ApiError, Connection, Unreachable
from catalog.delivery.kubernetes.discovery import Kind, NoSuchKind, kind_at, preferred_kind
from catalog.delivery.kubernetes.mend import FORCED, Mending, mend
from catalog.delivery.kubernetes.order import in_ranks
from catalog.delivery.kubernetes.ours import FIELD_MANAGER, digest_of
from catalog.delivery.plane import (
    CANNOT,
    AlreadyThere,
    Applied,
    Capabilities,
    Command,
    CommandSession,
    Delivery,
    Drifted,
    LogLine,
    NoSuchContainer,
    NotThere,
    ObjectKey,
    Observed,
    OwnedObject,
    Place,
    PlaneError,
    Story,
    Superseded,
    Unsupported,
    WantedObject,
)
from catalog.delivery.tracking import RELEASE_UID, RESOURCE_ID


class Watch(Protocol):
    """Whoever follows the cluster's changes."""

    def cover(self, kinds: Iterable[str]) -> None:
        """Follow these kinds (`group/Kind`) too."""

    def is_up_to_date(self) -> bool:
        """Whether every change up to now has been reported, or will be within the second."""


AT_ONCE = 8
"""Requests side by side for one release: more gains nothing (measured with 20 objects)."""
GONE = (404, 410)
One = TypeVar("One")
Two = TypeVar("Two")


@dataclass(frozen=True, slots=True)
class KubernetesPlane:
    """A cluster that this process can reach. `watch` says whether changes there are seen without asking."""

    connection: Connection
    watch: Watch

    driver: ClassVar[str] = "kubernetes"
    capabilities: ClassVar[Capabilities] = Capabilities(
        observes_health=True, reads_live=True, reports_events=True, streams_logs=True, creates_objects=True,
        runs_commands=True, holds_secrets=True, runs_workflows=True,
    )  # fmt: skip

    def apply(self, delivery: Delivery) -> Applied:
        """Send what differs, remove what has left, and report every object that was looked at."""
        if not delivery.is_current():
            raise Superseded(f"{delivery.place} has changed again since this delivery was prepared")
        self.watch.cover(delivery.place.kinds)
        wanted = {item.key: item for item in delivery.objects}
        held = self.owned_documents(delivery.place) if delivery.look else {}
        due = [item for item in wanted.values() if not item.is_applied]
        settled = [item for item in wanted.values() if item.is_applied]
        seen: dict[ObjectKey, Observed] = {}
        if delivery.look and settled:
            bodies = delivery.bodies([item.key for item in settled])
            for item in settled:
                live = held.get(item.key)
                if live is None and item.is_held and not item.seen:
                    continue  # it was reported as missing
                if live is not None and digest_of(bodies[item.key], live) == item.seen:
                    seen[item.key] = observed(bodies[item.key], live)
                else:
                    due.append(replace(item, is_drifted=True))
        drifted: dict[ObjectKey, Drifted] = {}
        errors = self.send(delivery, due, seen, drifted)
        leaving = [key for key in held if key not in wanted]
        if leaving and not errors:
            drifted |= {key: found for key in leaving if (found := copied(held[key])) is not None}
            self.remove([owned_object(key, held[key]) for key in leaving])
        return Applied(changed=bool(due or leaving), errors=errors, observed=seen, drifted=drifted)

    def send(
        self,
        delivery: Delivery,
        due: Sequence[WantedObject],
        seen: dict[ObjectKey, Observed],
        drifted: dict[ObjectKey, Drifted],
    ) -> dict[ObjectKey, str]:
        """Apply objects, rank by rank, and mend those that others have changed.

        What came of them goes to `seen` and `drifted`; returned is what was refused, and why.
        """
        if not due:
            return {}
        bodies = delivery.bodies([item.key for item in due])
        changed = [item.key for item in due if item.is_drifted or item.ignored]
        former = delivery.former(changed) if changed else {}
        errors: dict[ObjectKey, str] = {}

        def apply_one(item: WantedObject) -> Document | Mending | PlaneError:
            try:
                if item.is_drifted or item.ignored:
                    return mend(self.connection, item, bodies[item.key], former.get(item.key))
                return self.apply_one(item, bodies[item.key])
            except Unreachable:
                raise
            except PlaneError as error:
                return error

        for items in in_ranks(due):
            for item, result in zip(items, side_by_side(apply_one, items), strict=True):
                if isinstance(result, Mending):
                    seen[item.key] = observed(bodies[item.key], result.live)
                    drifted[item.key] = result.drifted
                    if result.refused:
                        errors[item.key] = result.refused
                elif isinstance(result, PlaneError):
                    errors[item.key] = str(result)
                else:
                    seen[item.key] = observed(bodies[item.key], result)
        return errors

    def apply_one(self, item: WantedObject, body: Document) -> Document:
        kind = kind_at(self.connection, item.key.group, item.version, item.key.kind)
        path = kind.path(item.key.namespace, item.key.name)
        return self.connection.request("PATCH", path, body, content_type=APPLY, query=FORCED)

    def holds(self, place: Place, state: str) -> bool:
        """Whether nothing can have changed there unseen: somebody watches, and has reported no difference."""
        return self.watch.is_up_to_date()

    def list_owned(self, place: Place) -> list[OwnedObject]:
        found = [owned_object(key, document) for key, document in self.owned_documents(place).items()]
        return [item for items in in_ranks(found) for item in items]

    def owned_documents(self, place: Place) -> dict[ObjectKey, Document]:
        """The live objects that carry the release's uid, over all kinds that it ever had."""
        found: dict[ObjectKey, Document] = {}
        for kind, documents in side_by_side(lambda kind: (kind, self.list_kind(kind, place)), self.kinds_of(place)):
            for document in documents:
                found[key_of(kind, document)] = {"apiVersion": version_of(kind), "kind": kind.name, **document}
        return found

    def kinds_of(self, place: Place) -> list[Kind]:
        """The kinds of a place as the cluster serves them; of what it serves no more, nothing can be left."""
        named = sorted({tuple(kind.rpartition("/")[::2]) for kind in place.kinds})
        found = (preferred_kind(self.connection, group, name) for group, name in named)
        return [kind for kind in found if kind is not None]

    def list_kind(self, kind: Kind, place: Place) -> list[Document]:
        answer = self.got(kind.path(), labelSelector=f"{RELEASE_UID}={place.uid}") or {}
        return list(answer.get("items") or ())

    def got(self, path: str, **query: str) -> Document | None:
        """What is at a path, None if there is nothing."""
        try:
            return self.connection.get(path, **query)
        except ApiError as error:
            if error.status in GONE:
                return None
            raise

    def read(self, place: Place, key: ObjectKey) -> Document | None:
        kind = preferred_kind(self.connection, key.group, key.kind)
        if kind is None:
            return None
        document = self.got(kind.path(key.namespace, key.name))
        return document if document is not None and labels_of(document).get(RELEASE_UID) == place.uid else None

    def delete(self, place: Place, story: Story, is_current: Callable[[], bool] = lambda: True) -> list[OwnedObject]:
        """Remove the release's objects, those that others need last; what is on its way out still counts as there."""
        if not is_current():
            raise Superseded(f"{place} is not to be removed any more")
        held = self.owned_documents(place)
        standing = {key: document for key, document in held.items() if "deletionTimestamp" not in document["metadata"]}
        self.remove([owned_object(key, document) for key, document in standing.items()])
        if not held:
            return []
        return self.list_owned(place)

    def remove(self, items: Iterable[OwnedObject]) -> None:
        """Delete objects; what is gone already is gone."""
        for group in in_ranks(items, last_first=True):
            side_by_side(self.remove_one, group)

    def remove_one(self, item: OwnedObject) -> None:
        kind = preferred_kind(self.connection, item.key.group, item.key.kind)
        if kind is not None:
            self.remove_at(kind.path(item.key.namespace, item.key.name), {"preconditions": {"uid": item.digest}})

    def remove_at(self, path: str, options: Document) -> None:
        try:
            self.connection.request("DELETE", path, {"propagationPolicy": "Background", **options})
        except ApiError as error:
            if error.status not in (*GONE, 409):  # 409: another object bears the name by now
                raise

    # What has become of the objects

    def live(self, place: Place) -> Sequence[Document]:
        own = list(self.owned_documents(place).values())
        return [*own, *self.brought_forth(own)]

    def offspring(self, document: Document) -> Sequence[Document]:
        return self.brought_forth([document])

    def brought_forth(self, documents: Sequence[Document]) -> list[Document]:
        """What these objects own, and what that owns, in their namespaces."""
        found, owners = [], {document["metadata"]["uid"] for document in documents}
        namespaces = {document["metadata"].get("namespace") for document in documents}
        for kind in OFFSPRING:
            for namespace in sorted(filter(None, namespaces)):
                for document in self.connection.get(kind.path(namespace)).get("items") or ():
                    metadata = document["metadata"]
                    if any(owner["uid"] in owners for owner in metadata.get("ownerReferences") or ()):
                        owners.add(metadata["uid"])
                        found.append({"apiVersion": version_of(kind), "kind": kind.name, **document})
        return found

    def events(self, key: ObjectKey) -> Sequence[Document]:
        selector = f"involvedObject.kind={key.kind},involvedObject.name={key.name}"
        path = f"/api/v1/namespaces/{key.namespace or 'default'}/events"
        answer = self.connection.get(path, fieldSelector=selector)
        return [{"apiVersion": "v1", "kind": "Event", **item} for item in answer.get("items") or ()]

    def read_log(self, pod: Document, container: str, since_seconds: int | None = None) -> Iterator[LogLine]:
        metadata, spec = pod["metadata"], pod["spec"]
        names = [item["name"] for field in ("containers", "initContainers") for item in spec.get(field) or ()]
        if container not in names:
            raise NoSuchContainer(f"pod {metadata['name']} has no container {container}; it has {', '.join(names)}")
        query = {"container": container, "timestamps": "true"}
        if since_seconds is not None:
            query["sinceSeconds"] = str(since_seconds)
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/log"
        try:
            with self.connection.stream(path, query, LOG_QUIET_SECONDS) as lines:
                for line in lines:
                    timestamp, _, text = line.decode(errors="replace").partition(" ")
                    yield LogLine(timestamp, container, text)
        except ApiError as error:
            if error.status in (400, *GONE):  # still starting, or gone meanwhile
                raise NotThere(str(error)) from None
            raise

    def create(self, place: Place, document: Document) -> None:
        path = self.kind_of(document).path(document["metadata"].get("namespace", ""))
        try:
            self.connection.request("POST", path, document, query={"fieldManager": FIELD_MANAGER})
        except ApiError as error:
            if error.reason == "AlreadyExists":
                raise AlreadyThere(str(error)) from None
            raise

    def put(self, documents: Sequence[Document]) -> None:
        for document in documents:
            metadata = document["metadata"]
            path = self.kind_of(document).path(metadata.get("namespace", ""), metadata["name"])
            self.connection.request("PATCH", path, document, content_type=APPLY, query=FORCED)

    def find(self, version: str, kind: str, namespace: str, name: str) -> Document | None:
        group, _, short = version.rpartition("/")
        try:
            return self.got(kind_at(self.connection, group, short, kind).path(namespace, name))
        except NoSuchKind:
            return None

    def take_away(self, keys: Sequence[ObjectKey]) -> None:
        for key in keys:
            kind = preferred_kind(self.connection, key.group, key.kind)
            if kind is not None:
                self.remove_at(kind.path(key.namespace, key.name), {})

    def kind_of(self, document: Document) -> Kind:
        """How the cluster serves the kind of an object. Raises `NoSuchKind`."""
        group, _, version = str(document["apiVersion"]).rpartition("/")
        return kind_at(self.connection, group, version, document["kind"])

    def run_command(self, place: Place, command: Command) -> CommandSession:
        return open_command(self.connection, command.namespace, command)

    def stream_flows(self, namespace: str, environment: str, project: str, component: str) -> Iterator[bytes]:
        self.refuse(CANNOT["streams_flows"])

    def refuse(self, what: str) -> NoReturn:
        raise Unsupported(f"this environment is on {self.connection}, where the platform cannot {what}")


LOG_QUIET_SECONDS = 30.0
OFFSPRING = (
    Kind("batch", "v1", "Job", "jobs", True),
    Kind("apps", "v1", "ReplicaSet", "replicasets", True),
    Kind("", "v1", "Pod", "pods", True),
)
"""What workloads bring forth, owners before what they own."""


def copied(live: Document) -> Drifted | None:
    """What to tell of an object that bears a release's labels and was never ours; None for what has left a release."""
    if any(owner.is_ours for owner in owners_of(live)) or live["metadata"].get("ownerReferences"):
        return None
    return Drifted((left_over(live),), did="it was removed")


def observed(manifest: Document, live: Document | None) -> Observed:
    """`live` is None for an object that is not there, and is left so."""
    if live is None:
        return Observed(None, "")
    version = int(live["metadata"].get("resourceVersion") or 0)
    return Observed(live.get("status"), health_of(live), digest_of(manifest, live), version)


def owned_object(key: ObjectKey, document: Document) -> OwnedObject:
    """`digest` is the object's uid: what a deletion must meet."""
    metadata = document["metadata"]
    version = str(document["apiVersion"]).rpartition("/")[2]
    return OwnedObject(key, version, labels_of(document).get(RESOURCE_ID, ""), metadata.get("uid", ""))


def key_of(kind: Kind, document: Document) -> ObjectKey:
    metadata = document["metadata"]
    return ObjectKey(kind.group, kind.name, metadata.get("namespace", ""), metadata["name"])


def labels_of(document: Document) -> Document:
    found: Document = document["metadata"].get("labels") or {}
    return found


def version_of(kind: Kind) -> str:
    return f"{kind.group}/{kind.version}" if kind.group else kind.version


def side_by_side(work: Callable[[One], Two], items: Sequence[One]) -> list[Two]:
    """The results in the order of the items; a few at once. The first error that `work` lets out ends it."""
    if len(items) < 2:
        return [work(item) for item in items]
    with ThreadPoolExecutor(min(AT_ONCE, len(items))) as pool:
        return list(pool.map(work, items))
