"""A small platform that random edits are made to: types, traits, components that depend on each other, a resource.

Every part is a document made from a few numbers; an edit draws some of them anew. So the same seed makes the same
edits, and what one edit breaks a later one may mend.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from random import Random
from typing import Any

from catalog.kinds.base import API_VERSION
from tests.catalog.controllers import components as web
from tests.catalog.controllers import installation as it

Document = dict[str, Any]
COMPONENTS = ("api", "worker", "front", "jobs")
CONFIG: Document = {
    "id": "config",
    "forEach": "${configurations.toConfigEnvsByContainer()}",
    "var": "group",
    "template": {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "${group.resourceName}", "namespace": "${metadata.namespace}"},
        "data": "${group.envs.transformMapEntry(i, e, {e.name: e.value})}",
    },
}
SECRET: Document = {
    "id": "secret",
    "forEach": "${configurations.toSecretEnvsByContainer()}",
    "var": "group",
    "template": {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": "${group.resourceName}", "namespace": "${metadata.namespace}"},
        "spec": {"data": "${group.envs.map(e, {'secretKey': e.name, 'remoteRef': e.remoteRef})}"},
    },
}


def document(kind: str, name: str, spec: Document, namespace: str = "default", **metadata: Any) -> Document:
    where = {} if kind.startswith("Cluster") else {"namespace": namespace}
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name, **where, **metadata}, "spec": spec}


class Platform:
    """The documents, and the edits. `edit()` returns a word for the edit and the documents that it consists of."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311 - the same edits every time is what is wanted
        self.extra_components = 0

    def first(self) -> list[Document]:
        """Everything, in its first state."""
        return [
            document("ClusterObservabilityPlane", "default", {"planeID": "default", "observerURL": "http://o",
                     "clusterAgent": {"clientCA": {"value": "a certificate"}}}),
            self.secret(), self.tagger(), self.sidecar(), self.alert(), self.service_type(), self.worker_type(),
            self.resource_type(), self.resource(),
            *(self.resource_binding(environment) for environment in it.ENVIRONMENTS),
            *(item for name in COMPONENTS for item in (self.component(name), self.workload(name))),
        ]  # fmt: skip

    def edit(self) -> tuple[str, list[Document]]:
        edits: list[Callable[[], list[Document]]] = [
            self.edit_type, self.edit_type, self.edit_trait, self.edit_workload, self.edit_workload,
            self.edit_component, self.edit_binding, self.edit_resource_type, self.edit_resource, self.edit_project_type,
            self.edit_environment, self.edit_plane, self.edit_secret, self.add_component, self.edit_several,
        ]  # fmt: skip
        chosen = self.random.choice(edits)
        return chosen.__name__, chosen()

    # The parts -------------------------------------------------------------------------------------------------------

    def one_of(self, *options: Any) -> Any:
        return self.random.choice(options)

    def service_type(self) -> Document:
        deployment = copy.deepcopy(web.DEPLOYMENT)
        deployment["template"]["metadata"]["annotations"] = {"v": self.one_of("1", "2", "${parameters.tier}")}
        pod = deployment["template"]["spec"]["template"]["spec"]["containers"][0]
        pod["imagePullPolicy"] = self.one_of("Always", "IfNotPresent", "${environmentConfigs.policy}")
        pod["envFrom"] = "${configurations.toContainerEnvFrom()}"
        pod["args"] = self.one_of([], ["--a"], ["--${parameters.tier}"])
        pod["ports"] = self.one_of("${workload.toServicePorts()}", "${oc_omit()}")
        service = copy.deepcopy(web.SERVICE)
        if self.one_of(True, False, False):
            service["template"]["metadata"]["name"] = "${metadata.componentName}-svc"
        resources = [deployment, service, CONFIG, SECRET]
        if self.one_of(True, False):
            resources.append({
                "id": "extra",
                "template": {
                    "apiVersion": "v1", "kind": "ConfigMap",
                    "metadata": {"name": "${metadata.name}-extra", "namespace": "${metadata.namespace}"},
                    "data": {"tier": "${parameters.tier}", "n": str(self.random.randrange(3))},
                },
            })  # fmt: skip
        rule = self.one_of("${true}", "${true}", "${size(workload.endpoints) > 0}", "${parameters.tier != 'gold'}")
        return document("ComponentType", "service", {
            **web.TYPE,
            "allowedTraits": [{"kind": "Trait", "name": "sidecar"}, {"kind": "ClusterTrait", "name": "alert"}],
            "parameters": {"openAPIV3Schema": {"type": "object", "properties": {
                "tier": {"type": "string", "default": self.one_of("bronze", "silver")}}}},
            "environmentConfigs": {"openAPIV3Schema": {"type": "object", "properties": {
                "replicas": {"type": "integer", "default": self.random.randrange(1, 4), "maximum": self.one_of(4, 9)},
                "policy": {"type": "string", "default": self.one_of("Never", "Always")}}}},
            "traits": [{"kind": "ClusterTrait", "name": "tagger", "instanceName": "tags",
                        "parameters": {"tag": self.one_of("a", "${parameters.tier}")}}],
            "preRenderValidations": [{"rule": rule, "message": "this type does not like that"}],
            "resources": resources,
        })  # fmt: skip

    def worker_type(self) -> Document:
        # Indexes a list that is often too short: a fault that only rendering can find.
        argument = self.one_of("plain", "plain", "${workload.container.args[0]}")
        return document("ClusterComponentType", "worker", {
            "workloadType": "deployment",
            "resources": [{"id": "deployment", "template": {
                "apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": {"name": "${metadata.name}", "namespace": "${metadata.namespace}"},
                "spec": {"note": argument, "template": {"spec": {"containers": [
                    {"name": "main", "image": "${workload.container.image}",
                     "env": "${dependencies.toContainerEnvs()}"}]}}},
            }}],
        })  # fmt: skip

    def tagger(self) -> Document:
        return document("ClusterTrait", "tagger", {
            "parameters": {"openAPIV3Schema": {"type": "object", "properties": {"tag": {"type": "string"}}}},
            "patches": [{"target": {"group": "apps", "version": "v1", "kind": "Deployment"}, "operations": [
                {"op": "add", "path": "/metadata/annotations/tag",
                 "value": self.one_of("${parameters.tag}", "x-${parameters.tag}")}]}],
        })  # fmt: skip

    def sidecar(self) -> Document:
        container = {"name": "${trait.instanceName}", "image": "${parameters.image}"}
        return document("Trait", "sidecar", {
            "parameters": {"openAPIV3Schema": {"type": "object", "properties": {
                "image": {"type": "string", "default": self.one_of("proxy:1", "proxy:2")}}}},
            "patches": [{"target": {"group": "apps", "version": "v1", "kind": "Deployment"}, "operations": [
                {"op": "add", "path": self.one_of("/spec/template/spec/containers/-",
                                                  "/spec/template/spec/containers/0"), "value": container}]}],
        })  # fmt: skip

    def alert(self) -> Document:
        created = copy.deepcopy(web.ALERT)
        created["template"]["spec"]["level"] = self.one_of("low", "high")
        return document("ClusterTrait", "alert", {"creates": [created]})

    def component(self, name: str) -> Document:
        parameters = {"tier": self.one_of("gold", "silver")} if name != "worker" and self.one_of(True, False) else {}
        kind, type_name = ("ClusterComponentType", "worker") if name == "worker" else ("ComponentType", "service")
        uses = [] if name == "worker" else [
            {"kind": kind_, "name": trait, "instanceName": f"my-{trait}"}
            for kind_, trait in (("Trait", "sidecar"), ("ClusterTrait", "alert")) if self.one_of(True, False, False)
        ]  # fmt: skip
        return document("Component", name, {
            "owner": {"projectName": "shop"},
            "componentType": {"kind": kind, "name": f"deployment/{type_name}"},
            "autoDeploy": True if name != "jobs" else self.one_of(True, False),
            "parameters": parameters,
            "traits": uses,
        })  # fmt: skip

    def workload(self, name: str) -> Document:
        container: Document = {"image": f"{name}:{self.random.randrange(5)}"}
        if self.one_of(True, False):
            container["args"] = ["run"]
        if name != "worker":
            container["env"] = [{"key": "LEVEL", "value": self.one_of("info", "debug")}]
            if self.one_of(True, False):
                reference = {"secretKeyRef": {"name": "keys", "key": self.one_of("token", "token", "other")}}
                container["env"].append({"key": "TOKEN", "valueFrom": reference})
        spec: Document = {"owner": {"projectName": "shop", "componentName": name}, "container": container}
        if name in ("api", "jobs"):
            spec["endpoints"] = {"http": {"type": "HTTP", "port": self.one_of(80, 8080), "visibility": ["project"]}}
            if self.one_of(True, False):
                spec["endpoints"]["http"]["basePath"] = "/v1"
        if name in ("front", "worker"):
            provider = {"component": self.one_of("api", "jobs"), "name": "http", "visibility": "project"}
            spec["dependencies"] = {"endpoints": [{**provider, "envBindings": {"address": "UPSTREAM"}}]}
            if self.one_of(True, False):
                spec["dependencies"]["resources"] = [
                    {"ref": "cache", "envBindings": {"host": "CACHE", "password": "P"}}
                ]
        return document("Workload", name, spec)

    def binding(self, name: str, environment: str) -> Document:
        configs: Document = {"replicas": self.random.randrange(1, 8)} if self.one_of(True, False) else {}
        overrides: Document = {}
        if self.one_of(True, False):
            overrides = {"container": {"env": [{"key": "LEVEL", "value": self.one_of("trace", "warn")}]}}
        return document("ReleaseBinding", f"{name}-{environment}", {
            "owner": {"projectName": "shop", "componentName": name},
            "environment": environment,
            "state": self.one_of("Active", "Active", "Active", "Active", "Undeploy"),
            "componentTypeEnvironmentConfigs": configs,
            "workloadOverrides": overrides,
        })  # fmt: skip

    def resource_type(self) -> Document:
        spec = copy.deepcopy(it.RESOURCE_TYPE)
        spec["outputs"][0]["value"] = self.one_of("${metadata.name}.example", "${metadata.name}.example.org")
        spec["outputs"][1]["secretKeyRef"]["name"] = self.one_of("${metadata.name}-creds", "${metadata.name}-keys")
        spec["resources"][0]["template"]["spec"]["mode"] = self.one_of("a", "b")
        spec["resources"][0].pop("readyWhen")
        spec["outputs"].pop()  # what only a plane can tell is not known ahead
        return document("ClusterResourceType", "cache", spec)

    def resource(self) -> Document:
        return document("Resource", "cache", {
            "owner": {"projectName": "shop"},
            "type": {"kind": "ClusterResourceType", "name": "cache"},
            "parameters": {"size": self.random.randrange(1, 4)},
        })  # fmt: skip

    def resource_binding(self, environment: str) -> Document:
        follows = {"stagecraft.dev/follow-latest": "true"} if environment == "development" else {}
        return document("ResourceReleaseBinding", f"cache-{environment}", {
            "owner": {"projectName": "shop", "resourceName": "cache"},
            "environment": environment,
            "resourceTypeEnvironmentConfigs": {"memory": self.one_of("1Gi", "2Gi")},
        }, annotations=follows)  # fmt: skip

    def secret(self) -> Document:
        return document("SecretReference", "keys", {
            "template": {"type": "Opaque"},
            "data": [
                {"secretKey": key, "remoteRef": {"key": f"vault/{self.random.randrange(3)}"}}
                for key in self.one_of(("token",), ("token", "other"))
            ],
        })  # fmt: skip

    # The edits -------------------------------------------------------------------------------------------------------

    def edit_type(self) -> list[Document]:
        return [self.one_of(self.service_type, self.service_type, self.worker_type)()]

    def edit_trait(self) -> list[Document]:
        return [self.one_of(self.tagger, self.sidecar, self.alert)()]

    def edit_workload(self) -> list[Document]:
        return [self.workload(self.one_of(*COMPONENTS))]

    def edit_component(self) -> list[Document]:
        return [self.component(self.one_of(*COMPONENTS))]

    def edit_binding(self) -> list[Document]:
        if self.one_of(True, False, False):
            return [self.resource_binding(self.one_of(*it.ENVIRONMENTS))]
        return [self.binding(self.one_of("api", "front", "worker"), self.one_of(*it.ENVIRONMENTS))]

    def edit_resource_type(self) -> list[Document]:
        return [self.resource_type()]

    def edit_resource(self) -> list[Document]:
        return [self.resource()]

    def edit_project_type(self) -> list[Document]:
        cell = copy.deepcopy(it.CELL)
        cell["template"]["metadata"]["annotations"] = {"v": self.one_of("1", "2", "3")}
        return [document("ClusterProjectType", "default", {"resources": [cell]})]

    def edit_environment(self) -> list[Document]:
        return [document("Environment", self.one_of(*it.ENVIRONMENTS), {
            "dataPlaneRef": {"kind": "ClusterDataPlane", "name": "default"},
            "isProduction": self.one_of(True, False),
        })]  # fmt: skip

    def edit_plane(self) -> list[Document]:
        provider = self.one_of("cilium", "kubernetes")
        spec = {"planeID": "default", "clusterAgent": {"clientCA": {"value": "a certificate"}}}
        return [document("ClusterDataPlane", "default", spec,
                         annotations={"stagecraft.dev/driver": "kubernetes",
                                      "openchoreo.dev/networkpolicyprovider": provider})]  # fmt: skip

    def edit_secret(self) -> list[Document]:
        return [self.secret()]

    def add_component(self) -> list[Document]:
        self.extra_components += 1
        name = f"new-{self.extra_components}"
        component = self.component("front")
        workload = self.workload("front")
        component["metadata"]["name"] = workload["metadata"]["name"] = name
        workload["spec"]["owner"]["componentName"] = name
        return [component, workload]

    def edit_several(self) -> list[Document]:
        return [self.service_type(), self.sidecar(), self.workload("api"), self.component("front")]
