"""Every operation of the document, in an order in which each can succeed, with requests made from its schema.

Each kind is made twice: `small` from what its schema requires, `full` with every field that it has. The order is that
of what refers to what; at the end all is deleted again. `steps` is a generator that is sent the replies, since some
requests are made of what was answered (a pod's name): any client can walk it (`walk`).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.contract.document import Document, Operation
from tests.contract.known import KNOWN, NEEDED
from tests.contract.values import Generator as Values

NAMESPACE, WEBHOOK_SECRET = "acme", "the contract's webhook secret"

KINDS = (
    "ClusterObservabilityPlane", "ObservabilityPlane", "ClusterDataPlane", "DataPlane", "ClusterWorkflowPlane",
    "WorkflowPlane", "ClusterWorkflow", "Workflow", "ClusterTrait", "Trait", "ClusterComponentType", "ComponentType",
    "ClusterProjectType", "ProjectType", "ClusterResourceType", "ResourceType", "Environment", "DeploymentPipeline",
    "Project", "SecretReference", "Component", "Workload", "ComponentRelease", "ReleaseBinding", "ProjectRelease",
    "ProjectReleaseBinding", "Resource", "ResourceRelease", "ResourceReleaseBinding", "WorkflowRun",
    "ObservabilityAlertsNotificationChannel", "ClusterRole", "ClusterRoleBinding", "NamespaceRole",
    "NamespaceRoleBinding",
)  # fmt: skip
"""The kinds as the operations call them, each after what it refers to. Namespaces come before all."""
WITHOUT_REPLACE = frozenset({"ComponentRelease", "ProjectRelease", "ResourceRelease"})
WITH_SCHEMA = tuple(kind for kind in KINDS if kind.endswith(("Type", "Trait", "Workflow")))


@dataclass(frozen=True)
class Step:
    """One request. `parameters` are those of the path, by the document's names."""

    operation: Operation
    parameters: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    is_settled: bool = False
    """Whether controllers are to have acted on everything before."""

    @property
    def path(self) -> str:
        return self.operation.path.format(**self.parameters)

    def __str__(self) -> str:
        return f"{self.operation.name} ({self.operation.method} {self.path})"


@dataclass(frozen=True)
class Reply:
    status: int
    content_type: str
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Steps = Generator[Step, Reply, None]


def walk(steps: Steps, send: Callable[[Step], Reply]) -> Iterator[tuple[Step, Reply]]:
    """Send every step and give its reply back to the plan."""
    try:
        step = next(steps)
        while True:
            reply = send(step)
            yield step, reply
            step = steps.send(reply)
    except StopIteration:
        return


@dataclass
class Plan:
    """`plane_annotations` choose what stands behind the planes."""

    document: Document
    plane_annotations: Mapping[str, str] = field(default_factory=dict)

    def steps(self) -> Steps:
        """All of it, in order."""
        yield from self.operations_without_objects()
        yield from self.life("Namespace", "first", "second")
        yield from self.standing()
        yield from self.special()
        yield from self.secrets()
        for kind in KINDS:
            yield from self.read(kind)
        for kind in reversed(KINDS):
            yield from self.removed(kind)
        yield self.step("deleteNamespace", NAMESPACE)

    def standing(self) -> Steps:
        """Two objects of every kind."""
        yield self.step("createNamespace", body={"metadata": {"name": NAMESPACE}})
        for kind in KINDS:
            yield from self.made(kind)

    # Kinds ------------------------------------------------------------------------------------------------------------

    def made(self, kind: str) -> Steps:
        yield self.step(f"create{kind}", body=self.body(kind, "small", is_full=False))
        yield self.step(f"create{kind}", body=self.body(kind, "full", is_full=True))

    def read(self, kind: str) -> Steps:
        """Lists, an object with its status, a replacement, and a schema where the kind has one."""
        listing = f"list{kind}s"
        yield self.step(listing, is_settled=True)
        parameters = [item for item in self.document.operations[listing].parameters if item["in"] == "query"]
        made = {
            item["name"]: self.values(is_full=True).value(item["schema"], f"?{item['name']}") for item in parameters
        }
        page = yield self.step(listing, query={name: str(value) for name, value in made.items() if name != "cursor"})
        page = yield self.step(listing, query={"limit": "1"})
        cursor = page.json["pagination"].get("nextCursor") if page.status == 200 else None
        if cursor:
            yield self.step(listing, query={"limit": "1", "cursor": cursor})
        for name in ("small", "full"):
            held = yield self.step(f"get{kind}", name)
            if kind not in WITHOUT_REPLACE:
                # As the portal does: what was read goes back whole, with its status.
                yield self.step(f"update{kind}", name, body=held.json if held.status == 200 else None)
        if kind in WITH_SCHEMA:
            yield self.step(f"get{kind}Schema", "full")
            yield self.step(f"get{kind}Schema", "small")

    def removed(self, kind: str) -> Steps:
        for name in ("full", "small"):
            yield self.step(f"delete{kind}", name)

    def life(self, kind: str, small: str, full: str) -> Steps:
        """From making to deleting, for a kind that nothing else of the plan needs."""
        for name, is_full in ((small, False), (full, True)):
            body = self.body(kind, name, is_full=is_full)
            yield self.step(f"create{kind}", body=body)
            yield self.step(f"get{kind}", name)
            yield self.step(f"update{kind}", name, body=body)
        yield self.step(f"list{kind}s")
        for name in (small, full):
            yield self.step(f"delete{kind}", name)

    # What is not a kind -----------------------------------------------------------------------------------------------

    def operations_without_objects(self) -> Steps:
        for name in ("getHealth", "getReady", "getVersion", "getOpenAPISpec", "getOAuthProtectedResourceMetadata"):
            yield self.step(name)
        yield self.step("listActions")
        yield self.step("listSubjectTypes")
        yield self.step("getSubjectProfile")
        yield self.step("getSubjectProfile", query={"namespace": "acme", "project": "full", "component": "full"})
        for is_full in (False, True):
            schema = self.document.operations["evaluates"].body_schema
            body = self.values(is_full=is_full).value(schema or {}, "evaluates")
            yield self.step(
                "evaluates", body=body or [self.values(is_full=False).value((schema or {})["items"], "evaluates[]")]
            )

    def special(self) -> Steps:
        yield self.step("getComponentSchema", "full", is_settled=True)
        for body in ({}, {"releaseName": "cut"}):
            yield self.step("generateRelease", "full", body=body)
        yield self.step("deleteComponentRelease", "cut")
        for name in ("getWorkflowRunStatus", "getWorkflowRunLogs", "getWorkflowRunEvents"):
            yield self.step(name, "full")
        yield self.step("getWorkflowRunLogs", "full", query={"task": "build", "sinceSeconds": "60"})
        yield self.step("triggerReleaseBindingCronJob", "full")
        tree = yield self.step("getReleaseBindingK8sResourceTree", "full", is_settled=True)
        nodes = tree.json["renderedReleases"][0]["nodes"] if tree.status == 200 else []
        pod = next((node["name"] for node in nodes if node["kind"] == "Pod"), "absent")
        asked = {"version": "v1", "kind": "Pod", "name": pod}
        yield self.step("getReleaseBindingK8sResourceEvents", "full", query=asked)
        yield self.step("getReleaseBindingK8sResourceLogs", "full", query={"podName": pod})
        yield self.step("getReleaseBindingK8sResourceLogs", "full", query={"podName": pod, "sinceSeconds": "60"})
        push = json.dumps(PUSH, separators=(",", ":")).encode()
        signature = hmac.new(WEBHOOK_SECRET.encode(), push, hashlib.sha256).hexdigest()
        yield self.step(
            "handleAutoBuild",
            headers={"X-Hub-Signature-256": f"sha256={signature}", "X-GitHub-Event": "push"},
            body=PUSH,
        )

    def secrets(self) -> Steps:
        """On planes that cannot hold them, where they are kept sealed."""
        for kind in ("ClusterDataPlane", "ClusterWorkflowPlane"):
            yield self.step(f"create{kind}", body=VAULT)
        for kind in ("Secret", "GitSecret"):
            for name, is_full in (("least", False), ("most", True)):
                yield self.step(
                    f"create{kind}",
                    body={**self.request(f"create{kind}", is_full), "secretName": f"{name}-{kind.lower()}"},
                )
            yield self.step(f"list{kind}s", is_settled=True)
        for name, is_full in (("least-secret", False), ("most-secret", True)):
            yield self.step("getSecret", name)
            yield self.step("updateSecret", name, body=self.request("updateSecret", is_full))
        for kind in ("Secret", "GitSecret"):
            for name in ("least", "most"):
                yield self.step(f"delete{kind}", f"{name}-{kind.lower()}")
        for kind in ("ClusterDataPlane", "ClusterWorkflowPlane"):
            yield self.step(f"delete{kind}", "vault")

    def replacement(self, operation: str, parameters: Mapping[str, str]) -> Step:
        """A replacement by what the schema requires."""
        found = self.document.operations[operation]
        body = self.values(is_full=False).value(found.body_schema or {}, operation.removeprefix("update"))
        return Step(found, parameters, body=body)

    # Requests ---------------------------------------------------------------------------------------------------------

    def step(self, operation: str, name: str = "", **more: Any) -> Step:
        found = self.document.operations[operation]
        names = [item["name"] for item in found.parameters if item["in"] == "path"]
        parameters = {
            each: NAMESPACE if each == "namespaceName" and len(names) + bool(not name) > 1 else name for each in names
        }
        return Step(found, parameters, **more)

    def values(self, *, is_full: bool) -> Values:
        return Values(self.document, KNOWN, is_full, NEEDED)

    def request(self, operation: str, is_full: bool) -> Any:
        """The body of an operation that takes no object."""
        schema = self.document.operations[operation].body_schema or {}
        return self.values(is_full=is_full).value(schema, f"{operation[:1].upper()}{operation[1:]}Request")

    def body(self, kind: str, name: str, *, is_full: bool) -> Any:
        """The body of a create."""
        schema = self.document.operations[f"create{kind}"].body_schema or {}
        made = self.values(is_full=is_full).value(schema, kind)
        made["metadata"]["name"] = name
        if kind.endswith("Plane") and self.plane_annotations:
            made["metadata"].setdefault("annotations", {}).update(self.plane_annotations)
        return made


VAULT = {
    "metadata": {"name": "vault"},
    "spec": {"planeID": "vault", "clusterAgent": {"clientCA": {"value": "x"}}, "secretStoreRef": {"name": "vault"}},
}
"""A plane with a secret store."""
PUSH = {
    "ref": "refs/heads/main",
    "after": "0123456789abcdef0123456789abcdef01234567",
    "repository": {"clone_url": "https://git.example/shop.git", "html_url": "https://git.example/shop"},
    "commits": [{"id": "0123456789abcdef0123456789abcdef01234567", "added": ["a"], "modified": [], "removed": []}],
}
"""A push as GitHub tells it, cut to what is read of it."""
