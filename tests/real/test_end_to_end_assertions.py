"""What OpenChoreo's end-to-end suites assert, asserted of us on a real cluster.

One world (`tests.real.end_to_end`) serves all tests; those that change something have components of their own. No
network enforces policies here, so who reaches whom is worked out from the policies, namespaces and pods that the
cluster holds, by the rules of Kubernetes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from django.db import transaction
from django.test import override_settings

from catalog import store
from tests.catalog.controllers.installation import TESTER
from tests.real.end_to_end import STAGING_HOST, World, apply_project, build, endpoint, secret

pytestmark = [pytest.mark.django_db, pytest.mark.real("kubernetes"), pytest.mark.xdist_group("kubernetes")]
DEPLOYMENTS, CRON_JOBS, JOBS = "/apis/apps/v1/deployments", "/apis/batch/v1/cronjobs", "/apis/batch/v1/jobs"
ROUTES = "/apis/gateway.networking.k8s.io/v1/httproutes"
EXTERNAL_SECRETS = "/apis/external-secrets.io/v1/externalsecrets"
POLICIES = "/apis/networking.k8s.io/v1/networkpolicies"
CILIUM_POLICIES = "/apis/cilium.io/v2/ciliumnetworkpolicies"
GATEWAY, STRANGER = ({"openchoreo.dev/system-component": "gateway"}, {}), ({"app": "ext-client"}, {})
"""Labels of a pod and of its namespace that are no part of any project."""


@pytest.fixture(scope="module")
def world(
    cluster: Any, django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    clusters = tmp_path_factory.mktemp("clusters")
    with django_db_blocker.unblock(), transaction.atomic(), override_settings(KUBERNETES_CLUSTERS=clusters):
        found = build(cluster, clusters)
        yield found
        transaction.set_rollback(True)


# Workload types


@pytest.mark.parametrize("name", ["comp-a", "web", "client-a"], ids=["service", "web-application", "worker"])
def test_a_deployed_component_is_ready_and_its_pods_run(world, name):
    assert world.ready(name) == ("True", "Ready", "ReleaseBinding is ready")
    (deployment,) = world.objects(DEPLOYMENTS, name)
    assert deployment["status"]["availableReplicas"] == 1
    assert [pod["status"]["phase"] for pod in world.pods(name)] == ["Running"]


def test_a_scheduled_task_is_ready_as_a_cron_job_whose_schedule_the_binding_sets(world):
    assert world.condition("ResourcesReady", "task")[:2] == ("True", "CronJobScheduled")
    binding = world.binding("task")
    spec = {**binding["spec"], "componentTypeEnvironmentConfigs": {"schedule": "*/1 * * * *"}}
    store.put({**binding, "spec": spec, "status": {}}, TESTER)
    world.settle(lambda: [item["spec"]["schedule"] for item in world.objects(CRON_JOBS, "task")] == ["*/1 * * * *"])


def test_a_binding_scales_and_overrides_variables_and_files(world):
    container = {
        "image": "registry.example/tuned:1",
        "env": [{"key": "LEVEL", "value": "info"}, {"key": "KEPT", "value": "yes"}],
        "files": [{"key": "settings.toml", "mountPath": "/etc/tuned", "value": "loud = true"}],
    }
    world.component("tuned", endpoints={"http": endpoint("project")}, container=container)
    world.settle_ready("tuned")
    binding = world.binding("tuned")
    changed = {
        "env": [{"key": "LEVEL", "value": "debug"}],
        "files": [{"key": "settings.toml", "mountPath": "/etc/tuned", "value": "loud = false"}],
    }
    spec = {
        **binding["spec"], "componentTypeEnvironmentConfigs": {"replicas": 3},
        "workloadOverrides": {"container": changed},
    }  # fmt: skip
    store.put({**binding, "spec": spec, "status": {}}, TESTER)
    world.settle(lambda: world.objects(DEPLOYMENTS, "tuned")[0]["status"].get("availableReplicas") == 3)
    held = [item["data"] for item in world.objects("/api/v1/configmaps", "tuned")]
    assert {"LEVEL": "debug", "KEPT": "yes"} in held
    assert {"settings.toml": "loud = false"} in held


def test_a_deleted_component_leaves_its_cell_and_the_others_are_untouched(world):
    world.component("brief", endpoints={"http": endpoint("project")})
    world.settle_ready("brief")
    before = world.objects(DEPLOYMENTS, "comp-a")[0]["metadata"]["resourceVersion"]
    store.delete("Component", "acme", "brief", TESTER)
    world.settle(lambda: not world.binding("brief"))
    assert world.objects(DEPLOYMENTS, "brief") == []
    world.settle(lambda: world.pods("brief") == [])
    assert world.objects(DEPLOYMENTS, "comp-a")[0]["metadata"]["resourceVersion"] == before


def test_a_deleted_project_takes_its_components_and_its_cells_along(world):
    apply_project("beta", "brief")
    world.component("passing", namespace="beta", project="brief", type_name="deployment/worker")
    world.settle_ready("passing", namespace="beta")
    cells = [world.cell("beta", "brief", environment)["metadata"]["name"] for environment in ("development", "staging")]
    store.delete("Project", "beta", "brief", TESTER)
    world.settle(lambda: store.get_or_none("Project", "beta", "brief") is None)
    assert store.get_or_none("Component", "beta", "passing") is None
    left = {item["metadata"]["name"] for item in world.cluster.call("GET", "/api/v1/namespaces")["items"]}
    assert not left & set(cells)


# Gateways


def routes(world: World, name: str, visibility: str, environment: str = "development") -> list[dict[str, Any]]:
    found = world.objects(ROUTES, name, environment=environment)
    label = "openchoreo.dev/endpoint-visibility"
    return [item for item in found if item["metadata"]["labels"].get(label) == visibility]


def test_an_external_endpoint_has_one_route_at_the_external_gateway_and_its_url_in_the_status(world):
    (route,) = routes(world, "comp-a", "external")
    assert [parent["name"] for parent in route["spec"]["parentRefs"]] == ["gateway-external"]
    url = world.urls("comp-a")["http"]["externalURLs"]["http"]
    assert (url["scheme"], url["host"], url["port"]) == ("http", route["spec"]["hostnames"][0], 19080)


def test_an_endpoint_for_the_project_has_no_route_and_no_url_outside(world):
    assert world.objects(ROUTES, "comp-b") == []
    assert {"externalURLs", "internalURLs"} & world.urls("comp-b")["http"].keys() == set()
    service = world.urls("comp-b")["http"]["serviceURL"]
    assert service["host"] == f"comp-b.{world.cell()['metadata']['name']}.svc.cluster.local"
    assert service["port"] == 8080


def test_an_internal_endpoint_has_a_route_at_the_internal_gateway_only(world):
    (route,) = routes(world, "comp-c", "internal")
    assert [parent["name"] for parent in route["spec"]["parentRefs"]] == ["gateway-internal"]
    assert routes(world, "comp-c", "external") == []
    assert "externalURLs" not in world.urls("comp-c")["http"]
    assert world.urls("comp-c")["http"]["internalURLs"]["http"]["host"] == route["spec"]["hostnames"][0]


def test_two_endpoints_of_one_component_have_a_route_and_a_url_each(world):
    found = routes(world, "multi", "external")
    assert sorted(item["metadata"]["labels"]["openchoreo.dev/endpoint-name"] for item in found) == ["one", "two"]
    assert len({item["metadata"]["name"] for item in found}) == 2
    assert all(world.urls("multi")[name]["externalURLs"]["http"]["host"] for name in ("one", "two"))


def test_a_base_path_is_what_the_gateway_rewrites_to(world):
    (route,) = routes(world, "base", "external")
    filters = [item for rule in route["spec"]["rules"] for item in rule.get("filters", [])]
    (rewrite,) = [item["urlRewrite"] for item in filters if item["type"] == "URLRewrite"]
    assert rewrite["path"]["replacePrefixMatch"] == "/api/v1"


def test_the_gateway_of_an_environment_replaces_that_of_its_plane(world):
    (route,) = routes(world, "comp-a", "external", "staging")
    assert [parent["name"] for parent in route["spec"]["parentRefs"]] == ["gateway-staging"]
    assert route["spec"]["hostnames"][0].endswith(STAGING_HOST)
    assert world.urls("comp-a", "staging")["http"]["externalURLs"]["http"]["port"] == 8088


# Connections


def test_a_provider_has_nothing_to_resolve(world):
    assert world.condition("ConnectionsResolved", "comp-a")[:2] == ("True", "NoConnections")


def test_connections_are_resolved_and_injected(world):
    cell = world.cell()["metadata"]["name"]
    assert world.condition("ConnectionsResolved", "consumer")[:2] == ("True", "AllConnectionsResolved")
    variables = {name: item["value"] for name, item in world.variables("consumer").items()}
    assert variables["A_URL"] == f"http://comp-a.{cell}.svc.cluster.local:8080"
    assert (variables["B"], variables["B_PORT"]) == (f"comp-b.{cell}.svc.cluster.local", "8080")
    status = world.binding("consumer")["status"]
    assert (len(status["connectionTargets"]), len(status["resolvedConnections"])) == (2, 2)
    assert "pendingConnections" not in status


def test_a_connection_reaches_into_another_project_of_the_namespace(world):
    cell = world.cell()["metadata"]["name"]
    assert world.variables("consumer-far")["A_URL"]["value"] == f"http://comp-a.{cell}.svc.cluster.local:8080"


def test_a_connection_to_nothing_is_pending_by_name_while_the_component_runs(world):
    world.settle(lambda: world.objects(DEPLOYMENTS, "stray") != [])
    status, reason, _ = world.condition("ConnectionsResolved", "stray")
    assert (status, reason) == ("False", "ConnectionsPending")
    (pending,) = world.binding("stray")["status"]["pendingConnections"]
    assert (pending["component"], pending["endpoint"]) == ("absent", "http")
    assert pending["reason"]
    assert "A_URL" not in world.variables("stray")
    assert world.urls("stray")["http"]["serviceURL"]["host"]


def test_a_pending_connection_resolves_when_its_target_comes(world):
    needs = {"component": "late", "name": "http", "visibility": "project", "envBindings": {"address": "LATE_URL"}}
    http = {"http": endpoint("project")}
    world.component("waiting", endpoints=http, dependencies={"endpoints": [needs]})
    world.settle(lambda: world.condition("ConnectionsResolved", "waiting")[1] == "ConnectionsPending")
    world.component("late", endpoints=http)
    world.settle_ready("waiting", "late")
    assert world.variables("waiting")["LATE_URL"]["value"].startswith("http://late.")


def test_connections_that_are_removed_leave_release_status_and_variables(world):
    needs = {"component": "comp-a", "name": "http", "visibility": "project", "envBindings": {"address": "A_URL"}}
    http = {"http": endpoint("project")}
    world.component("fickle", endpoints=http, dependencies={"endpoints": [needs]})
    world.settle_ready("fickle")
    before = world.binding("fickle")["spec"]["releaseName"]
    workload = store.to_document(store.get("Workload", "acme", "fickle"), with_status=False)
    del workload["spec"]["dependencies"]
    store.put(workload, TESTER)
    world.settle(lambda: world.condition("ConnectionsResolved", "fickle")[1] == "NoConnections")
    world.settle_ready("fickle")
    binding = world.binding("fickle")
    assert binding["spec"]["releaseName"] != before
    assert {"connectionTargets", "resolvedConnections"} & binding["status"].keys() == set()
    assert "A_URL" not in world.variables("fickle")


def test_outputs_of_a_resource_are_bound_to_its_consumer(world):
    needs = {"ref": "cache", "envBindings": {"connectionString": "CACHE_URL", "password": "CACHE_PASSWORD"}}
    world.component("cached", endpoints={"http": endpoint("project")}, dependencies={"resources": [needs]})
    world.settle(lambda: world.condition("ResourceDependenciesReady", "cached")[1] == "ResourceDependenciesPending")
    (pending,) = world.binding("cached")["status"]["pendingResourceDependencies"]
    assert (pending["resourceName"], bool(pending["reason"])) == ("cache", True)
    apply_cache()
    world.settle(lambda: bool(store.get("Resource", "acme", "cache").status.get("latestRelease")))
    apply_cache(store.get("Resource", "acme", "cache").status["latestRelease"]["name"])
    world.settle_ready("cached")
    variables = world.variables("cached")
    assert variables["CACHE_PASSWORD"]["valueFrom"]["secretKeyRef"]["key"]
    assert "value" in variables["CACHE_URL"] or "valueFrom" in variables["CACHE_URL"]


def apply_cache(release: str = "") -> None:
    owner = {"projectName": "proj1"}
    documents: dict[str, Any] = {
        "Resource": {"owner": owner, "type": {"kind": "ClusterResourceType", "name": "valkey"}},
        "ResourceReleaseBinding": {
            "owner": {**owner, "resourceName": "cache"}, "environment": "development", "retainPolicy": "Delete",
            **({"resourceRelease": release} if release else {}),
        },
    }  # fmt: skip
    for kind, spec in documents.items():
        name = "cache" if kind == "Resource" else "cache-development"
        metadata = {"name": name, "namespace": "acme"}
        store.apply({"apiVersion": "openchoreo.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}, TESTER)


# Network policies


@pytest.mark.parametrize(
    ("source", "target", "is_allowed"),
    [
        (("client-a", "acme", "proj1"), ("comp-b", "acme", "development"), True),
        (("client-b", "acme", "proj2"), ("comp-a", "acme", "development"), True),
        (("client-b", "acme", "proj2"), ("comp-b", "acme", "development"), False),
        (("client-d", "beta", "proj1"), ("comp-a", "acme", "development"), False),
        (("client-a", "acme", "proj1"), ("comp-d", "beta", "development"), False),
        (("client-a", "acme", "proj1"), ("comp-a", "acme", "staging"), False),
        (GATEWAY, ("comp-a", "acme", "development"), True),
        (GATEWAY, ("comp-b", "acme", "development"), False),
        (GATEWAY, ("comp-c", "acme", "development"), True),
        (("client-a", "acme", "proj1"), ("comp-c", "acme", "development"), True),
        (STRANGER, ("comp-a", "acme", "development"), False),
        (("client-a", "acme", "proj1"), ("client-a", "acme", "development"), False),
    ],
    ids=[
        "within a project", "visible in the namespace", "of another project", "from another namespace",
        "into another namespace", "into another environment", "a gateway to what is external",
        "a gateway to what is of the project", "a gateway to what is internal", "within a project to what is internal",
        "a stranger to what is external", "to what has no endpoint",
    ],
)  # fmt: skip
def test_who_reaches_whom(world, source, target, is_allowed):
    assert reaches(world, source, target, 8080) is is_allowed


def reaches(world: World, source: Any, target: tuple[str, str, str], port: int) -> bool:
    """Whether the policies in the target's cell let the source in, by the semantics of NetworkPolicy."""
    name, namespace, environment = target
    cell = world.cell(namespace, "proj1", environment)
    if isinstance(source[0], dict):
        (pod, labels), source_cell = source, ""
    else:
        of, space, project = source
        source_namespace = world.cell(space, project)
        source_cell, labels = source_namespace["metadata"]["name"], source_namespace["metadata"]["labels"]
        pod = world.pods(of, space)[0]["metadata"]["labels"]
    (deployment,) = world.objects(DEPLOYMENTS, name, namespace, environment)
    guarded = deployment["spec"]["template"]["metadata"]["labels"]
    path = POLICIES.replace("/v1/", f"/v1/namespaces/{cell['metadata']['name']}/")
    policies = [item["spec"] for item in world.cluster.call("GET", path)["items"]]
    applying = [spec for spec in policies if selects(spec["podSelector"], guarded)]
    assert applying, "every component is guarded"
    assert all(spec["policyTypes"] == ["Ingress"] for spec in applying), "egress is open"
    return any(
        any(item["port"] == port for item in rule["ports"])
        and any(is_peer(peer, pod, labels, source_cell == cell["metadata"]["name"]) for peer in rule["from"])
        for spec in applying
        for rule in spec.get("ingress", [])
    )


def is_peer(peer: Mapping[str, Any], pod: Mapping[str, str], namespace: Mapping[str, str], is_same: bool) -> bool:
    """A peer without a namespace selector means the policy's own namespace; without a pod selector, any pod."""
    if "namespaceSelector" in peer:
        return selects(peer["namespaceSelector"], namespace) and selects(peer.get("podSelector", {}), pod)
    return is_same and selects(peer["podSelector"], pod)


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """An empty selector selects everything."""
    expressions = selector.get("matchExpressions", [])
    assert {item["operator"] for item in expressions} <= {"Exists"}
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items()) and all(
        item["key"] in labels for item in expressions
    )


def test_a_cell_says_whose_it_is(world):
    for project, environment in (("proj1", "development"), ("proj2", "development"), ("proj1", "staging")):
        labels = world.cell("acme", project, environment)["metadata"]["labels"]
        found = [labels[f"openchoreo.dev/{key}"] for key in ("namespace", "project", "environment")]
        assert found == ["acme", project, environment]


def test_a_plane_with_cilium_gets_its_policies_with_rules_for_http(world):
    cell = world.cell("gamma")["metadata"]["name"]
    assert world.objects(POLICIES, "comp-e", "gamma") == []
    path = CILIUM_POLICIES.replace("/v2/", f"/v2/namespaces/{cell}/")
    (policy,) = world.cluster.call("GET", path)["items"]
    assert policy["metadata"]["name"] == "openchoreo-comp-e"
    inside, around = policy["spec"]["ingress"]
    assert inside["fromEndpoints"] == [{}]
    assert inside["toPorts"] == [
        {"ports": [{"port": "8080", "protocol": "TCP"}], "rules": {"http": [{}]}},
        {"ports": [{"port": "9000", "protocol": "TCP"}]},
    ]
    assert [port["port"] for item in around["toPorts"] for port in item["ports"]] == ["8080"]
    assert around["fromEndpoints"][0]["matchLabels"]["openchoreo.dev/namespace"] == "gamma"


# Secrets


def external_secrets(world: World) -> dict[str, dict[str, Any]]:
    """The component's external secrets, by the key that they fill."""
    return {item["spec"]["data"][0]["secretKey"]: item for item in world.objects(EXTERNAL_SECRETS, "secretive")}


def test_secrets_are_fetched_by_reference_into_variables_and_files(world):
    found = external_secrets(world)
    assert set(found) == {"APP_USERNAME", "password.txt"}
    for key, store_key in (("APP_USERNAME", "username"), ("password.txt", "password")):
        spec = found[key]["spec"]
        assert spec["secretStoreRef"]["name"] == "default"
        assert spec["data"][0]["remoteRef"]["key"] == store_key
    (deployment,) = world.objects(DEPLOYMENTS, "secretive")
    pod = deployment["spec"]["template"]["spec"]
    sources = [item["secretRef"]["name"] for item in pod["containers"][0]["envFrom"] if "secretRef" in item]
    assert sources == [found["APP_USERNAME"]["spec"]["target"]["name"]]
    mounted = [item["secret"]["secretName"] for item in pod["volumes"] if "secret" in item]
    assert mounted == [found["password.txt"]["spec"]["target"]["name"]]
    assert [item["mountPath"] for item in pod["containers"][0]["volumeMounts"]] == ["/etc/secrets/password.txt"]
    held = [item.get("data", {}) for item in world.objects("/api/v1/configmaps", "secretive")]
    assert not [data for data in held if {"APP_USERNAME", "password.txt"} & data.keys()]


def test_another_key_makes_another_secret_and_rolls_the_pods_out_and_all_goes_with_the_component(world):
    before = external_secrets(world)
    revision = world.objects(DEPLOYMENTS, "secretive")[0]["metadata"]["generation"]
    secret("env-secret", "username", "npm-token")
    world.settle(lambda: external_secrets(world)["APP_USERNAME"]["spec"]["data"][0]["remoteRef"]["key"] == "npm-token")
    world.settle_ready("secretive")
    after = external_secrets(world)
    assert after["APP_USERNAME"]["metadata"]["name"] != before["APP_USERNAME"]["metadata"]["name"]
    assert after["APP_USERNAME"]["spec"]["target"]["name"] != before["APP_USERNAME"]["spec"]["target"]["name"]
    assert after["password.txt"]["metadata"]["uid"] == before["password.txt"]["metadata"]["uid"]
    assert world.objects(DEPLOYMENTS, "secretive")[0]["metadata"]["generation"] > revision
    store.delete("Component", "acme", "secretive", TESTER)
    world.settle(lambda: not world.binding("secretive"))
    assert world.objects(EXTERNAL_SECRETS, "secretive") == []
    world.settle(lambda: world.pods("secretive") == [])
