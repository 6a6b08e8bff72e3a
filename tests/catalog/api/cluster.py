"""A cluster for tests of what the API shows of one: it keeps what is delivered, and starts pods at once.

It stands in for the drivers that reach real clusters, which are not there yet. Its objects have what an API server
gives them: uids, versions, owner references. It answers for the places that it was delivered to, and no others.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

from catalog.compiler.documents import Document
from catalog.delivery.agent.plane import AgentPlane
from catalog.delivery.plane import (
    AlreadyThere,
    Applied,
    Capabilities,
    Command,
    CommandSession,
    Delivery,
    LogLine,
    NoSuchContainer,
    ObjectKey,
    Observed,
    OwnedObject,
    Place,
    Story,
)

BORN = "2026-11-21T02:37:34Z"


class Cluster:
    """All that lies in one cluster, by the uid of the rendered release that it came with."""

    driver: ClassVar[str] = "kubernetes"
    capabilities: ClassVar[Capabilities] = AgentPlane.capabilities

    def __init__(self) -> None:
        self.held: dict[str, list[Document]] = {}
        self.logs: dict[tuple[str, str], list[LogLine]] = {}
        self.reported: list[Document] = []
        self.version = 0

    def apply(self, delivery: Delivery) -> Applied:
        keys = [item.key for item in delivery.objects]
        bodies = delivery.bodies(keys)
        documents = [self.born(bodies[key]) for key in keys]
        for document in list(documents):
            documents += self.children_of(document)
        self.held[delivery.place.uid] = documents
        return Applied(changed=True, observed={key: Observed({"replicas": 1}, "Healthy") for key in keys})

    def born(self, body: Document, owner: Document | None = None) -> Document:
        """The object with what an API server adds."""
        self.version += 1
        added: Document = {"uid": str(uuid.uuid4()), "resourceVersion": str(self.version), "creationTimestamp": BORN}
        if owner is not None:
            added["ownerReferences"] = [{"kind": owner["kind"], "uid": owner["metadata"]["uid"]}]
        return {**body, "metadata": {**body["metadata"], **added, "managedFields": [{"manager": "stagecraft"}]}}

    def children_of(self, owner: Document) -> list[Document]:
        """A replica set and a pod for a Deployment, a pod for a Job."""
        if owner["kind"] == "Deployment":
            replica_set = self.born(self.named(owner, "apps/v1", "ReplicaSet", "rs"), owner)
            return [replica_set, self.pod_of(replica_set, owner["spec"]["template"]["spec"])]
        return [self.pod_of(owner, owner["spec"]["template"]["spec"])] if owner["kind"] == "Job" else []

    def pod_of(self, owner: Document, spec: Document) -> Document:
        pod = self.named(owner, "v1", "Pod", "pod")
        return self.born({**pod, "spec": spec, "status": {"phase": "Succeeded"}}, owner)

    def named(self, owner: Document, version: str, kind: str, suffix: str) -> Document:
        metadata = {"name": f"{owner['metadata']['name']}-{suffix}", "namespace": owner["metadata"]["namespace"]}
        return {"apiVersion": version, "kind": kind, "metadata": metadata}

    def holds(self, place: Place, state: str) -> bool:
        return place.uid in self.held

    def list_owned(self, place: Place) -> list[OwnedObject]:
        return []

    def read(self, place: Place, key: ObjectKey) -> Document | None:
        return None

    def delete(self, place: Place, story: Story, is_current: Callable[[], bool] = lambda: True) -> list[OwnedObject]:
        self.held.pop(place.uid, None)
        return []

    def refuse(self, what: str) -> Any:
        raise AssertionError(f"this cluster can {what}")

    def live(self, place: Place) -> Sequence[Document]:
        return self.held.get(place.uid, [])

    def offspring(self, document: Document) -> Sequence[Document]:
        return []

    def events(self, key: ObjectKey) -> Sequence[Document]:
        return [event for event in self.reported if event["involvedObject"]["name"] == key.name]

    def read_log(self, pod: Document, container: str, since_seconds: int | None = None) -> Iterator[LogLine]:
        if container not in {item["name"] for item in pod["spec"]["containers"]}:
            raise NoSuchContainer(container)
        return iter(self.logs.get((pod["metadata"]["name"], container), []))

    def create(self, place: Place, document: Document) -> None:
        names = {item["metadata"]["name"] for item in self.live(place)}
        if document["metadata"]["name"] in names:
            raise AlreadyThere(document["metadata"]["name"])
        owners = document["metadata"]["ownerReferences"]
        job = self.born(document)
        job["metadata"]["ownerReferences"] = owners
        self.held[place.uid] = [*self.live(place), job, *self.children_of(job)]

    def run_command(self, place: Place, command: Command) -> CommandSession:
        raise NotImplementedError

    def stream_flows(self, namespace: str, environment: str, project: str, component: str) -> Iterator[bytes]:
        yield f'data: {{"namespace": "{namespace}", "environment": "{environment}"}}\n\n'.encode()
