"""The platform defaults: accepted as they are, and enough for the samples of OpenChoreo to run on."""

from __future__ import annotations

import pytest

from catalog import store
from catalog.compiler.yaml import load_documents
from catalog.kinds.registry import BY_KIND
from catalog.kinds.rendered_release import RenderedRelease
from portal.quickstart import content
from tests.catalog.controllers import installation as it
from tests.factories import TESTER

pytestmark = pytest.mark.django_db

NAMES = {
    "ClusterProjectType": ["default"],
    "ClusterComponentType": ["scheduled-task", "service", "web-application", "worker"],
    "ClusterResourceType": ["nats", "postgres", "valkey"],
    "ClusterTrait": ["observability-alert-rule"],
    "ClusterWorkflow": [
        "ballerina-buildpack-builder", "dockerfile-builder", "gcp-buildpacks-builder", "paketo-buildpacks-builder"
    ],
    "Environment": ["development", "production", "staging"],
    "DeploymentPipeline": ["default"],
    "Project": ["default"],
    "ClusterDataPlane": ["default"],
    "ClusterWorkflowPlane": ["default"],
    "ClusterObservabilityPlane": ["default"],
}  # fmt: skip


@pytest.fixture(autouse=True)
def defaults():
    content.apply_directory(content.DEFAULTS)


def names_of(kind):
    return sorted(BY_KIND[kind].objects.system("test").values_list("name", flat=True))


def binding_of(kind, name):
    it.settle()
    return it.get(kind, name)


def objects_of(release_name):
    release = RenderedRelease.objects.system("test").get(name=release_name)
    return [entry["object"] for entry in release.full_spec()["resources"]]


def apply_component(name, type_name, spec=None, parameters=None, **binding):
    reference = {"kind": "ClusterComponentType", "name": type_name}
    owner = {"projectName": "default"}
    component = {"owner": owner, "componentType": reference, "autoDeploy": True}
    it.apply("Component", name, {**component, "parameters": parameters} if parameters else component)
    workload = {"owner": {**owner, "componentName": name}, "container": {"image": "registry.example/app:1"}}
    it.apply("Workload", name, {**workload, **(spec or {})})
    it.settle()
    if binding:
        document = store.to_document(it.get("ReleaseBinding", f"{name}-development"))
        document["spec"].update(binding)
        store.replace(document, TESTER)
        it.settle()
    return it.get("ReleaseBinding", f"{name}-development")


@pytest.mark.parametrize("kind", NAMES)
def test_everything_is_there_under_the_names_that_samples_use(kind):
    assert names_of(kind) == NAMES[kind]


def test_applied_again_they_change_nothing():
    newest = store.position()
    assert content.apply_directory(content.DEFAULTS)["unchanged"] > 30
    assert store.position() == newest


def test_the_default_project_gets_a_cell_in_every_environment():
    it.settle()
    assert names_of("ProjectReleaseBinding") == ["default-development", "default-production", "default-staging"]
    for environment in NAMES["Environment"]:
        binding = it.get("ProjectReleaseBinding", f"default-{environment}")
        assert it.state(binding, "Ready") == ("True", "Ready")


def test_the_namespace_of_a_cell_takes_labels_but_keeps_those_of_the_platform():
    it.settle()
    document = store.to_document(it.get("ProjectReleaseBinding", "default-development"))
    wanted = {"team": "blue", "openchoreo.dev/project": "forged"}
    document["spec"]["environmentConfigs"] = {"namespaceLabels": wanted, "namespaceAnnotations": {"cost": "1"}}
    store.replace(document, TESTER)
    it.settle()
    (release,) = RenderedRelease.objects.system("test").filter(name__startswith="p-default-development")
    (namespace,) = [entry["object"] for entry in release.full_spec()["resources"]]
    assert namespace["metadata"]["labels"]["team"] == "blue"
    assert namespace["metadata"]["labels"]["openchoreo.dev/project"] == "default"
    assert namespace["metadata"]["annotations"] == {"cost": "1"}


def test_a_service_with_settings_of_its_environment_configuration_and_routes():
    endpoints = {
        "api": {"type": "HTTP", "port": 8080, "basePath": "/v1", "visibility": ["external"]},
        "admin": {"type": "HTTP", "port": 8081, "visibility": ["internal"]},
        "grpc": {"type": "gRPC", "port": 9090, "visibility": ["external"]},
    }
    container = {
        "image": "registry.example/app:1",
        "command": ["/app"],
        "env": [
            {"key": "MODE", "value": "fast"},
            {"key": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "app-secret", "key": "password"}}},
        ],
        "files": [{"key": "app.toml", "mountPath": "/etc/app", "value": "a = 1"}],
    }
    data = [{"secretKey": "password", "remoteRef": {"key": "app", "property": "password"}}]
    it.apply("SecretReference", "app-secret", {"template": {"type": "Opaque"}, "data": data})
    configs = {"replicas": 3, "imagePullPolicy": "Always", "resources": {"limits": {"memory": "1Gi"}}}
    binding = apply_component(
        "app", "deployment/service", {"endpoints": endpoints, "container": container},
        componentTypeEnvironmentConfigs=configs,
    )  # fmt: skip
    assert it.state(binding, "Ready") == ("True", "Ready")
    objects = objects_of("app-development")
    by_kind = {}
    for item in objects:
        by_kind.setdefault(item["kind"], []).append(item)
    assert {kind: len(items) for kind, items in by_kind.items()} == {
        "Deployment": 1, "Service": 1, "HTTPRoute": 2, "ConfigMap": 2, "ExternalSecret": 1, "NetworkPolicy": 1
    }  # fmt: skip
    deployment = by_kind["Deployment"][0]["spec"]
    (main,) = deployment["template"]["spec"]["containers"]
    assert deployment["replicas"] == 3
    assert (main["imagePullPolicy"], main["command"]) == ("Always", ["/app"])
    assert main["resources"]["limits"] == {"cpu": "500m", "memory": "1Gi"}
    assert "args" not in main
    assert sorted(port["containerPort"] for port in main["ports"]) == [8080, 8081, 9090]
    assert sorted(config["data"].get("MODE", config["data"].get("app.toml")) for config in by_kind["ConfigMap"]) == [
        "a = 1", "fast"
    ]  # fmt: skip
    remote = by_kind["ExternalSecret"][0]["spec"]["data"]
    assert remote == [{"secretKey": "PASSWORD", "remoteRef": {"key": "app", "property": "password"}}]
    urls = {endpoint["name"]: endpoint for endpoint in binding.status["endpoints"]}
    assert urls["api"]["externalURLs"]["http"]["host"] == "development-default.apps.localhost"
    assert urls["api"]["externalURLs"]["http"]["path"] == "/app-api"
    assert urls["admin"]["internalURLs"]["http"]["host"] == "development-default.internal.localhost"
    assert "externalURLs" not in urls["grpc"]


def test_a_web_application_gets_a_host_of_its_own():
    endpoints = {"web": {"type": "HTTP", "port": 80, "visibility": ["external"]}}
    binding = apply_component("site", "deployment/web-application", {"endpoints": endpoints})
    (endpoint,) = binding.status["endpoints"]
    url = endpoint["externalURLs"]["http"]
    assert url["host"].startswith("web-site-development-default-")
    assert url["host"].endswith(".apps.localhost")
    assert url["port"] == 19080


def test_a_worker_has_no_service():
    assert it.state(apply_component("job", "deployment/worker"), "Ready") == ("True", "Ready")
    assert sorted(item["kind"] for item in objects_of("job-development")) == ["Deployment", "NetworkPolicy"]


def test_a_scheduled_task_runs_by_the_schedule_of_its_environment():
    parameters = {"backoffLimit": 1, "timeZone": "Europe/Berlin", "concurrencyPolicy": "Replace"}
    binding = apply_component(
        "night", "cronjob/scheduled-task", parameters=parameters,
        componentTypeEnvironmentConfigs={"schedule": "0 3 * * *"},
    )  # fmt: skip
    assert it.state(binding, "ReleaseSynced")[0] == "True"
    (cronjob,) = [item for item in objects_of("night-development") if item["kind"] == "CronJob"]
    spec = cronjob["spec"]
    assert (spec["schedule"], spec["timeZone"], spec["concurrencyPolicy"]) == ("0 3 * * *", "Europe/Berlin", "Replace")
    assert spec["jobTemplate"]["spec"]["backoffLimit"] == 1
    assert spec["jobTemplate"]["spec"]["activeDeadlineSeconds"] == 300


@pytest.mark.parametrize(
    ("type_name", "spec", "words"),
    [
        ("deployment/service", {}, "at least one endpoint"),
        ("deployment/web-application", {"endpoints": {"a": {"type": "gRPC", "port": 1}}}, "at least one HTTP endpoint"),
        ("deployment/worker", {"endpoints": {"a": {"type": "HTTP", "port": 1}}}, "has no endpoints"),
    ],
)
def test_a_component_that_does_not_fit_its_type_is_told_why(type_name, spec, words):
    binding = apply_component("odd", type_name, spec)
    assert it.state(binding, "ReleaseSynced") == ("False", "RenderingFailed")
    assert words in it.message(binding, "ReleaseSynced")


@pytest.mark.parametrize("type_name", ["postgres", "valkey", "nats"])
@pytest.mark.parametrize("admin", [False, True])
def test_resources_resolve_their_outputs_with_and_without_a_console(type_name, admin):
    reference = {"kind": "ClusterResourceType", "name": type_name}
    it.apply("Resource", "data", {"owner": {"projectName": "default"}, "type": reference})
    configs = {"memory": "96Mi", "adminEnabled": admin}
    owner = {"projectName": "default", "resourceName": "data"}
    spec = {"owner": owner, "environment": "development", "resourceTypeEnvironmentConfigs": configs}
    follow = {"stagecraft.dev/follow-latest": "true"}
    it.apply("ResourceReleaseBinding", "data-development", spec, annotations=follow)
    binding = binding_of("ResourceReleaseBinding", "data-development")
    assert it.state(binding, "Ready") == ("True", "Ready")
    outputs = {output["name"]: output for output in binding.status["outputs"]}
    secret = outputs["token" if type_name == "nats" else "password"]["secretKeyRef"]
    kinds = [item["kind"] for item in objects_of(it.release_of(binding).name)]
    assert secret["key"] == "password"
    assert outputs["host"]["value"].endswith(".svc.cluster.local")
    host = "http://data-admin-development-default.apps.localhost:19080/"
    assert outputs["adminURL"]["value"].startswith(host if admin else "disabled")
    assert ("HTTPRoute" in kinds) == admin
    server = next(
        item for item in objects_of(it.release_of(binding).name) if item["kind"] in ("StatefulSet", "Deployment")
    )
    limits = server["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]
    assert limits == {"memory": "96Mi"}


def test_an_alert_rule_is_rendered_for_the_observability_plane():
    channel = {"environment": "development", "type": "webhook", "webhookConfig": {"url": "https://chat.example/hook"}}
    it.apply("ObservabilityAlertsNotificationChannel", "chat", channel)
    it.settle()
    endpoints = {"api": {"type": "HTTP", "port": 8080}}
    parameters = {
        "description": "too many errors",
        "source": {"type": "log", "query": "error"},
        "condition": {"threshold": 5},
    }
    trait = {"kind": "ClusterTrait", "name": "observability-alert-rule", "instanceName": "errors"}
    reference = {"kind": "ClusterComponentType", "name": "deployment/service"}
    owner = {"projectName": "default"}
    component = {"owner": owner, "componentType": reference, "autoDeploy": True}
    it.apply("Component", "app", {**component, "traits": [{**trait, "parameters": parameters}]})
    workload = {"owner": {**owner, "componentName": "app"}, "container": {"image": "registry.example/app:1"}}
    it.apply("Workload", "app", {**workload, "endpoints": endpoints})
    it.settle()
    (rule,) = objects_of("app-development-observability")
    assert rule["spec"]["actions"] == {
        "notifications": {"channels": ["chat"]},
        "incident": {"enabled": False, "triggerAiRca": False, "triggerAiCostAnalysis": False},
    }
    assert rule["spec"]["condition"] == {"threshold": 5, "window": "5m", "interval": "1m", "operator": "gt"}
    assert rule["spec"]["source"] == {"type": "log", "query": "error", "metric": ""}


def test_the_samples_of_openchoreo_run_on_our_own_types(conformance):
    """All but their own copies of the types, and what is no kind of the platform (Secret, Argo's templates)."""
    samples = conformance / "samples"
    for path in sorted(samples.rglob("*.yaml")):
        if path.is_relative_to(samples / "getting-started"):
            continue
        for document in load_documents(path.read_bytes(), path.name):
            value = document.value
            if isinstance(value, dict) and value.get("kind") in BY_KIND:
                store.apply(value, TESTER)
    it.settle()
    bindings = list(BY_KIND["ReleaseBinding"].objects.system("test"))
    waiting = {binding.name for binding in bindings if binding.ready != "True"}
    assert len(bindings) >= 25
    # These need resources whose bindings the samples leave for people to pin.
    assert waiting == {"cart-development", "doclet-collab-development", "doclet-document-development"}
    failed = [row.name for row in BY_KIND["ProjectReleaseBinding"].objects.system("test").exclude(ready="True")]
    assert failed == []
    runs = BY_KIND["WorkflowRun"].objects.system("test").filter(name__contains="-build-")
    assert {it.message(run, "WorkflowCompleted") for run in runs} == {
        'Workflow has not started: no workflow plane is connected as ClusterWorkflowPlane "default"'
    }
