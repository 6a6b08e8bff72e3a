"""The world of the end-to-end assertions: three namespaces on one cluster, delivered there by the controllers.

    acme   proj1: comp-a … web, task, providers and consumers; proj2: clients of proj1
    beta   proj1: a stranger to acme
    gamma  proj1: on a plane of its own whose policies are Cilium's

What is asserted follows the suites of OpenChoreo for workload types, connections, network policies, gateways and
secrets; the words and the world are ours.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog import store
from catalog.controllers import runtime, work
from catalog.delivery.tracking import RELEASE_NAME, RELEASE_NAMESPACE
from catalog.kinds.rendered_release import RenderedRelease
from portal.quickstart import content
from tests.catalog.controllers.installation import TESTER
from tests.real.cluster.cluster import Cluster
from tests.real.live_stages import fetch_secrets

SECONDS = 90.0
API = "openchoreo.dev/v1alpha1"
STAGING_HOST = "staging.example.org"
ON_CLUSTER = {"stagecraft.dev/driver": "kubernetes", "stagecraft.dev/kubernetes-cluster": "test"}
CILIUM = {
    "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
    "metadata": {"name": "ciliumnetworkpolicies.cilium.io"},
    "spec": {
        "group": "cilium.io", "scope": "Namespaced",
        "names": {"kind": "CiliumNetworkPolicy", "plural": "ciliumnetworkpolicies"},
        "versions": [{
            "name": "v2", "served": True, "storage": True,
            "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
        }],
    },
}  # fmt: skip


def apply(kind: str, namespace: str, name: str, spec: Mapping[str, Any], **metadata: Any) -> Any:
    where = {"namespace": namespace} if namespace else {}
    document = {"apiVersion": API, "kind": kind, "metadata": {"name": name, **where, **metadata}, "spec": dict(spec)}
    return store.apply(document, TESTER).obj


def endpoint(*visibility: str, port: int = 8080, kind: str = "HTTP", **more: Any) -> dict[str, Any]:
    return {"type": kind, "port": port, "visibility": list(visibility), **more}


@dataclass
class World:
    """What the tests look at, and how they change it."""

    cluster: Cluster

    def component(
        self, name: str, *, namespace: str = "acme", project: str = "proj1", type_name: str = "deployment/service",
        endpoints: Mapping[str, Any] | None = None, **workload: Any,
    ) -> None:  # fmt: skip
        """A component and its workload; given once more, its workload is replaced."""
        owner = {"projectName": project}
        kind = {"kind": "ClusterComponentType", "name": type_name}
        apply("Component", namespace, name, {"owner": owner, "componentType": kind, "autoDeploy": True})
        spec = {"owner": {**owner, "componentName": name}, "container": {"image": f"registry.example/{name}:1"}}
        apply("Workload", namespace, name, {**spec, **({"endpoints": endpoints} if endpoints else {}), **workload})

    def settle(self, is_so: Callable[[], bool], otherwise: Callable[[], object] = lambda: "") -> None:
        """Let controllers and cluster work until something is so."""
        deadline = time.monotonic() + SECONDS
        while True:
            fetch_secrets(self.cluster)
            runtime.drain()
            if is_so():
                return
            assert time.monotonic() < deadline, f"after {SECONDS:.0f} s: {otherwise()}"
            for release in RenderedRelease.objects.system("test"):  # nobody watches here
                if release.deleted_at is not None or not is_healthy(release):
                    work.mark_due([("RenderedRelease", release.pk)])
            time.sleep(0.2)

    def settle_ready(self, *names: str, namespace: str = "acme", environment: str = "development") -> None:
        self.settle(
            lambda: all(self.ready(name, namespace, environment)[0] == "True" for name in names),
            lambda: {name: self.ready(name, namespace, environment) for name in names},
        )

    def binding(self, name: str, namespace: str = "acme", environment: str = "development") -> dict[str, Any]:
        """The binding as a document, {} if there is none."""
        found = store.get_or_none("ReleaseBinding", namespace, f"{name}-{environment}")
        return {} if found is None else store.to_document(found)

    def condition(self, type_name: str, name: str, namespace: str = "acme", environment: str = "development") -> Any:
        """(status, reason, message) of a condition of a binding."""
        held = self.binding(name, namespace, environment).get("status", {}).get("conditions", [])
        found = [(item["status"], item["reason"], item["message"]) for item in held if item["type"] == type_name]
        return found[0] if found else ("", "", "")

    def ready(self, name: str, namespace: str = "acme", environment: str = "development") -> Any:
        return self.condition("Ready", name, namespace, environment)

    def urls(self, name: str, environment: str = "development") -> dict[str, dict[str, Any]]:
        """Endpoints in the binding's status, by name."""
        return {item["name"]: item for item in self.binding(name, environment=environment)["status"]["endpoints"]}

    def cell(self, namespace: str = "acme", project: str = "proj1", environment: str = "development") -> dict[str, Any]:
        """The project's namespace in the cluster."""
        labels = {"namespace": namespace, "project": project, "environment": environment}
        selector = ",".join(f"openchoreo.dev/{key}={value}" for key, value in labels.items())
        (found,) = self.cluster.call("GET", f"/api/v1/namespaces?labelSelector={selector}")["items"]
        return dict(found)

    def objects(
        self, path: str, name: str, namespace: str = "acme", environment: str = "development"
    ) -> list[dict[str, Any]]:
        """What the cluster holds of a binding's release, of the kind at that path."""
        labels = {RELEASE_NAMESPACE: namespace, RELEASE_NAME: f"{name}-{environment}"}
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        return list(self.cluster.call("GET", f"{path}?labelSelector={selector}")["items"])

    def variables(self, name: str) -> dict[str, dict[str, Any]]:
        """The variables that the component's container in the cluster has of its own, by name."""
        (found,) = self.objects("/apis/apps/v1/deployments", name)
        return {item["name"]: item for item in found["spec"]["template"]["spec"]["containers"][0].get("env") or ()}

    def pods(self, name: str, namespace: str = "acme") -> list[dict[str, Any]]:
        selector = ",".join(
            f"openchoreo.dev/{key}={value}"
            for key, value in {"component": name, "namespace": namespace, "environment": "development"}.items()
        )
        return list(self.cluster.call("GET", f"/api/v1/pods?labelSelector={selector}")["items"])


def is_healthy(release: RenderedRelease) -> bool:
    entries = release.status.get("resources") or ()
    return bool(entries) and all(entry["healthStatus"] in ("Healthy", "Suspended") for entry in entries)


def build(cluster: Cluster, clusters: Path) -> World:
    """Everything applied and settled. `clusters` is the directory of kubeconfigs, also those of one namespace."""
    (clusters / "gamma").mkdir()
    for place in (clusters, clusters / "gamma"):
        (place / "test.kubeconfig").write_text(cluster.kubeconfig)
    cluster.apply([CILIUM])
    content.apply_directory(content.DEFAULTS)
    plane = store.to_document(store.get("ClusterDataPlane", "", "default"), with_status=False)
    store.put({**plane, "metadata": {"name": "default", "annotations": ON_CLUSTER}}, TESTER)
    for namespace, projects in {"acme": ("proj1", "proj2"), "beta": ("proj1",), "gamma": ("proj1",)}.items():
        build_namespace(namespace, projects, plane["spec"])
    world = World(cluster)
    build_components(world)
    names = {("acme", name) for name in ("comp-a", "comp-b", "comp-c", "client-a", "web", "task", "multi", "base")}
    names |= {("acme", name) for name in ("consumer", "secretive", "client-b", "consumer-far")}
    names |= {("beta", "comp-d"), ("beta", "client-d"), ("gamma", "comp-e")}
    world.settle(
        lambda: all(world.ready(name, namespace)[0] == "True" for namespace, name in names),
        lambda: {name: state for namespace, name in names if (state := world.ready(name, namespace))[0] != "True"},
    )
    release = world.binding("comp-a")["spec"]["releaseName"]
    owner = {"projectName": "proj1", "componentName": "comp-a"}
    apply("ReleaseBinding", "acme", "comp-a-staging", {
        "owner": owner, "environment": "staging", "releaseName": release,
    })  # fmt: skip
    world.settle_ready("comp-a", environment="staging")
    return world


def build_namespace(namespace: str, projects: Iterable[str], plane: Mapping[str, Any]) -> None:
    """Environments, a pipeline and projects; `gamma` has a plane of its own, staging a gateway of its own."""
    store.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}, TESTER)
    where = {"kind": "ClusterDataPlane", "name": "default"}
    if namespace == "gamma":
        annotations = {**ON_CLUSTER, "openchoreo.dev/networkpolicyprovider": "cilium"}
        spec = {key: value for key, value in plane.items() if key != "observabilityPlaneRef"}
        apply("DataPlane", namespace, "own", spec, annotations=annotations)
        where = {"kind": "DataPlane", "name": "own"}
    gateway = {"ingress": {"external": {
        "name": "gateway-staging", "namespace": "gateways",
        "http": {"listenerName": "http", "host": STAGING_HOST, "port": 8088},
    }}}  # fmt: skip
    apply("Environment", namespace, "development", {"dataPlaneRef": where})
    apply("Environment", namespace, "staging", {"dataPlaneRef": where, "gateway": gateway})
    apply("DeploymentPipeline", namespace, "default", {"promotionPaths": [
        {"sourceEnvironmentRef": {"name": "development"}, "targetEnvironmentRefs": [{"name": "staging"}]},
    ]})  # fmt: skip
    for project in projects:
        apply_project(namespace, project)


def apply_project(namespace: str, name: str) -> None:
    kind = {"kind": "ClusterProjectType", "name": "default"}
    apply("Project", namespace, name, {"deploymentPipelineRef": {"name": "default"}, "type": kind})


def build_components(world: World) -> None:
    http = {"http": endpoint("project")}
    world.component("comp-a", endpoints={"http": endpoint("project", "namespace", "external")})
    world.component("comp-b", endpoints=http)
    world.component("comp-c", endpoints={"http": endpoint("internal")})
    world.component("multi", endpoints={"one": endpoint("external"), "two": endpoint("external")})
    world.component("base", endpoints={"http": endpoint("external", basePath="/api/v1")})
    world.component("web", type_name="deployment/web-application", endpoints={"http": endpoint("external")})
    world.component("task", type_name="cronjob/scheduled-task")
    for name, project, namespace in (
        ("client-a", "proj1", "acme"), ("client-b", "proj2", "acme"), ("client-d", "proj1", "beta"),
    ):  # fmt: skip
        world.component(name, project=project, namespace=namespace, type_name="deployment/worker")
    world.component("comp-d", namespace="beta", endpoints=http)
    world.component("comp-e", namespace="gamma", endpoints={
        "http": endpoint("project", "namespace"), "raw": endpoint("project", port=9000, kind="TCP"),
    })  # fmt: skip
    needs = [
        {"component": "comp-a", "name": "http", "visibility": "project", "envBindings": {"address": "A_URL"}},
        {
            "component": "comp-b",
            "name": "http",
            "visibility": "project",
            "envBindings": {"host": "B", "port": "B_PORT"},
        },
    ]
    world.component("consumer", endpoints=http, dependencies={"endpoints": needs})
    far = {**needs[0], "project": "proj1", "visibility": "namespace"}
    world.component("consumer-far", project="proj2", endpoints=http, dependencies={"endpoints": [far]})
    absent = {**needs[0], "component": "absent"}
    world.component("stray", endpoints=http, dependencies={"endpoints": [absent]})
    for name, key, store_key in (("env-secret", "username", "username"), ("file-secret", "password.txt", "password")):
        secret(name, key, store_key)
    container = {
        "image": "registry.example/secretive:1",
        "env": [{"key": "APP_USERNAME", "valueFrom": {"secretKeyRef": {"name": "env-secret", "key": "username"}}}],
        "files": [{
            "key": "password.txt", "mountPath": "/etc/secrets",
            "valueFrom": {"secretKeyRef": {"name": "file-secret", "key": "password.txt"}},
        }],
    }  # fmt: skip
    world.component("secretive", type_name="deployment/worker", container=container)


def secret(name: str, key: str, store_key: str) -> None:
    """A reference to what the secret store has under a key."""
    data = [{"secretKey": key, "remoteRef": {"key": store_key}}]
    apply("SecretReference", "acme", name, {"template": {"type": "Opaque"}, "data": data, "refreshInterval": "1h"})
