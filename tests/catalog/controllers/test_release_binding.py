"""What becomes of a ReleaseBinding: from a release to rendered releases, and what its conditions say on the way."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from catalog import store
from catalog.controllers import binding_releases
from catalog.controllers.models import WorkItem
from catalog.kinds.rendered_release import RenderedRelease
from tests.catalog.controllers import components as c
from tests.catalog.controllers import installation as it
from tests.catalog.controllers.installation import TESTER, apply, gone, state

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def installation() -> None:
    c.install()


def synced(environment: str = "development", name: str = "web") -> tuple[str, str, str]:
    """ReleaseSynced: status, reason and message. When False, Ready says the same."""
    binding = c.binding(environment, name)
    held = binding.condition("ReleaseSynced")
    if held["status"] == "False":
        assert c.ready(binding) == ("False", held["reason"], held["message"])
    return held["status"], held["reason"], held["message"]


# From a release to a rendered release.


def test_a_binding_becomes_a_rendered_release_that_it_owns() -> None:
    c.deploy()
    binding, rendered = c.binding(), c.rendered()
    assert rendered.labels == {
        "openchoreo.dev/namespace": "default",
        "openchoreo.dev/project": "shop",
        "openchoreo.dev/component": "web",
        "openchoreo.dev/environment": "development",
    }
    assert rendered.owner_references == [
        {
            "apiVersion": "openchoreo.dev/v1alpha1",
            "kind": "ReleaseBinding",
            "name": "web-development",
            "uid": str(binding.uid),
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]
    assert [entry["object"]["kind"] for entry in rendered.full_spec()["resources"]] == ["Deployment", "NetworkPolicy"]
    assert rendered.spec["targetPlane"] == "dataplane"


def test_the_release_is_a_snapshot_that_later_edits_do_not_reach() -> None:
    c.deploy()
    (release,) = c.releases()
    c.apply_binding(release, "staging")
    c.apply_component(autoDeploy=False)
    c.settle()
    c.apply_type(resources=[{**c.DEPLOYMENT, "template": {**c.DEPLOYMENT["template"], "spec": {"replicas": 9}}}])
    c.apply_workload(image="web:2")
    it.look_again(c.BINDING, "web-staging")
    c.settle()
    assert c.container_of("staging")["image"] == "web:1"
    assert c.manifests("staging")["Deployment"]["spec"]["replicas"] == 1


def test_settings_of_the_environment_are_rendered() -> None:
    c.deploy()
    (release,) = c.releases()
    c.apply_binding(release, "staging", spec={"componentTypeEnvironmentConfigs": {"replicas": 3}})
    c.settle()
    assert c.manifests("staging")["Deployment"]["spec"]["replicas"] == 3
    assert c.manifests("development")["Deployment"]["spec"]["replicas"] == 1


def test_a_first_look_says_created_and_the_next_that_all_is_up_to_date() -> None:
    c.deploy()
    skipped = "(observability release skipped: no observability resources to deploy)"
    assert synced() == (
        "True",
        "ReleaseCreated",
        f'Dataplane Release "web-development" created with 2 resources {skipped}',
    )
    it.look_again(c.BINDING, "web-development")
    c.settle()
    assert synced() == ("True", "ReleaseSynced", f'Dataplane Release "web-development" is up to date {skipped}')
    c.apply_workload(image="web:2")
    c.settle()
    assert synced() == (
        "True",
        "ReleaseCreated",
        f'Dataplane Release "web-development" updated with 2 resources {skipped}',
    )


def test_a_look_that_finds_everything_in_step_writes_nothing() -> None:
    c.deploy()
    it.look_again(c.BINDING, "web-development")
    c.settle()
    before = store.position()
    it.look_again(c.BINDING, "web-development")
    c.settle()
    assert store.position() == before


def test_the_time_of_the_last_change_of_the_spec_is_kept() -> None:
    c.deploy()
    binding = c.binding()
    changed_at = binding.status["lastSpecUpdateTime"]
    status = {**binding.status, "lastSpecUpdateTime": "2020-01-01T00:00:00Z"}
    store.write_status(binding, status, it.DELIVERY)
    it.look_again(c.BINDING, "web-development")
    c.settle()
    assert c.binding().status["lastSpecUpdateTime"] == "2020-01-01T00:00:00Z"
    c.apply_workload(image="web:2")
    c.settle()
    assert c.binding().status["lastSpecUpdateTime"] >= changed_at
    assert c.binding().status["observedGeneration"] == c.binding().generation


def test_a_wish_to_restart_is_passed_on() -> None:
    c.deploy()
    c.apply_binding("", "development", annotations={"openchoreo.dev/restartedAt": "2026-01-01T00:00:00Z"})
    c.settle()
    assert c.rendered().annotations == {"openchoreo.dev/restartedAt": "2026-01-01T00:00:00Z"}


def test_what_somebody_changes_in_a_rendered_release_is_put_right() -> None:
    c.deploy()
    document = store.to_document(c.rendered(), with_status=False)
    document["spec"] = {**document["spec"], "resources": document["spec"]["resources"][:1]}
    store.put(document, TESTER)
    c.settle()
    assert len(c.rendered().spec["resources"]) == 2


# What is missing, in the order in which it is asked for.


def test_a_missing_release_is_named_first_and_its_arrival_is_noticed() -> None:
    c.deploy()
    document = store.to_document(it.get("ComponentRelease", c.releases()[0]), with_status=False)
    c.apply_binding("later", "nowhere")
    c.apply_binding("later", "staging")
    c.settle()
    assert synced("nowhere") == ("False", "ComponentReleaseNotFound", 'ComponentRelease "later" not found')
    apply("ComponentRelease", "later", document["spec"])
    c.settle()
    assert synced("staging")[:2] == ("True", "ReleaseCreated")
    assert synced("nowhere") == ("False", "EnvironmentNotFound", 'Environment "nowhere" not found')
    apply("Environment", "nowhere", {"dataPlaneRef": {"kind": "ClusterDataPlane", "name": "default"}})
    c.settle()
    assert synced("nowhere")[:2] == ("True", "ReleaseCreated")


def test_a_release_of_another_component_is_refused() -> None:
    c.deploy("web")
    c.deploy("api")
    release = c.binding(name="api").spec["releaseName"]
    c.apply_binding(release, "staging", "web")
    c.settle()
    problem = (
        'release binding owner (project: "shop", component: "web") does not match '
        'component release owner (project: "shop", component: "api")'
    )
    message = f"Invalid ComponentRelease configuration: {problem}"
    assert synced("staging") == ("False", "InvalidReleaseConfiguration", message)


def test_a_missing_plane_is_told_and_its_arrival_is_noticed() -> None:
    c.deploy()
    apply("Environment", "edge", {"dataPlaneRef": {"kind": "DataPlane", "name": "edge"}})
    c.apply_binding(c.releases()[0], "edge")
    c.settle()
    assert synced("edge") == ("False", "DataPlaneNotFound", 'DataPlane not found for environment "edge"')
    apply("DataPlane", "edge", {"clusterAgent": {"clientCA": {"value": "a certificate"}}})
    c.settle()
    assert synced("edge")[:2] == ("True", "ReleaseCreated")


def test_an_environment_without_a_plane_lives_on_the_default_one() -> None:
    c.deploy()
    apply("Environment", "plain", {})
    c.apply_binding(c.releases()[0], "plain")
    c.settle()
    assert synced("plain")[:2] == ("True", "ReleaseCreated")


def test_a_missing_component_is_named_and_its_arrival_is_noticed() -> None:
    c.deploy()
    spec = dict(it.get("ComponentRelease", c.releases()[0]).spec)
    apply("ComponentRelease", "ghost-1", {**spec, "owner": {"projectName": "shop", "componentName": "ghost"}})
    c.apply_binding("ghost-1", "staging", "ghost")
    c.settle()
    assert synced("staging", "ghost") == ("False", "ComponentNotFound", 'Component "ghost" not found')
    c.apply_component("ghost")
    c.settle()
    assert synced("staging", "ghost")[:2] == ("True", "ReleaseCreated")


def test_a_missing_project_is_named_and_its_arrival_is_noticed() -> None:
    c.deploy()
    owner = {"projectName": "ghost", "componentName": "api"}
    spec = dict(it.get("ComponentRelease", c.releases()[0]).spec)
    apply("ComponentRelease", "api-1", {**spec, "owner": owner})
    c.apply_component("api", "ghost")
    c.apply_binding("api-1", "staging", "api", "ghost")
    c.settle()
    assert synced("staging", "api") == ("False", "ProjectNotFound", 'Project "ghost" not found')
    it.apply_project("ghost")
    c.settle()
    assert synced("staging", "api")[:2] == ("True", "ReleaseCreated")


# Rendering.


def test_a_template_that_fails_is_told_and_what_ran_before_stays() -> None:
    c.deploy()
    # Admission takes a number for an integer where a render takes it for a double: the sum passes the one only.
    spec = {"replicas": "${environmentConfigs.replicas + 1}"}
    broken = {**c.DEPLOYMENT, "template": {**c.DEPLOYMENT["template"], "spec": spec}}
    c.apply_type(resources=[broken])
    c.settle()
    status, reason, message = synced()
    assert (status, reason) == ("False", "RenderingFailed")
    assert message.startswith("Failed to render resources: failed to render base resources: ")
    assert c.manifests()["Deployment"]["spec"]["replicas"] == 1


def secret_workload(key: str) -> dict[str, Any]:
    reference = {"name": "database", "key": key}
    return {"env": [{"key": "PASSWORD", "valueFrom": {"secretKeyRef": reference}}]}


def apply_secret(*keys: str) -> None:
    data = [{"secretKey": key, "remoteRef": {"key": f"shop/{key}"}} for key in keys]
    apply("SecretReference", "database", {"template": {}, "data": data})


def test_a_missing_secret_is_named_and_its_arrival_is_noticed() -> None:
    c.deploy(container=secret_workload("password"))
    problem = 'failed to get SecretReference "database": secretreferences.openchoreo.dev "database" not found'
    assert synced() == ("False", "RenderingFailed", f"Failed to collect SecretReferences: {problem}")
    apply_secret("password")
    c.settle()
    assert synced()[:2] == ("True", "ReleaseCreated")
    assert c.binding().status["secretReferenceNames"] == ["database"]


def test_a_missing_key_of_a_secret_is_told_with_those_that_there_are() -> None:
    apply_secret("user", "pass")
    c.deploy(container=secret_workload("password"))
    problem = 'key "password" not found in SecretReference "database"; available keys: [user pass]'
    assert synced() == ("False", "RenderingFailed", f"Failed to collect SecretReferences: {problem}")
    apply_secret("password")
    c.settle()
    assert synced()[0] == "True"


def test_a_secret_that_the_binding_overrides_is_not_asked_for() -> None:
    c.deploy(container=secret_workload("password"))
    plain = {"container": {"env": [{"key": "PASSWORD", "value": "open sesame"}]}}
    c.apply_binding("", "development", spec={"workloadOverrides": plain})
    c.settle()
    assert synced()[0] == "True"
    assert "secretReferenceNames" not in c.binding().status


def test_a_secret_that_only_the_binding_names_is_watched_too() -> None:
    c.deploy()
    c.apply_binding("", "development", spec={"workloadOverrides": {"container": secret_workload("password")}})
    c.settle()
    assert synced()[1] == "RenderingFailed"
    apply_secret("password")
    c.settle()
    assert synced()[0] == "True"


def test_a_changed_gateway_of_the_environment_changes_the_addresses() -> None:
    route = {
        "id": "route",
        "template": {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "metadata": {
                "name": "${metadata.name}",
                "namespace": "${metadata.namespace}",
                "labels": {
                    "openchoreo.dev/endpoint-name": "http",
                    "openchoreo.dev/endpoint-visibility": "external",
                },
            },
            "spec": {"hostnames": ["${gateway.ingress.external.http.host}"]},
        },
    }
    c.apply_type(resources=[c.DEPLOYMENT, route])
    it.apply_data_plane(gateway=gateway("one.example"))
    c.deploy(endpoints={"http": {**c.HTTP, "visibility": ["external"]}})
    assert external_host() == "one.example"
    plane = {"dataPlaneRef": {"kind": "ClusterDataPlane", "name": "default"}}
    apply("Environment", "development", {**plane, "gateway": gateway("two.example")})
    c.settle()
    assert external_host() == "two.example"
    apply("Environment", "development", plane)
    it.apply_data_plane(gateway=gateway("three.example"))
    c.settle()
    assert external_host() == "three.example"


def gateway(host: str) -> dict[str, Any]:
    http = {"listenerName": "http", "port": 80, "host": host}
    return {"ingress": {"external": {"name": "gateway", "namespace": "gateways", "http": http}}}


def external_host() -> str:
    (endpoint,) = c.binding().status["endpoints"]
    return str(endpoint["externalURLs"]["http"]["host"])


# Whose name a rendered release bears.


def test_a_rendered_release_of_another_owner_is_not_taken_over() -> None:
    owner = {"projectName": "shop", "componentName": "web"}
    spec = {"owner": owner, "environmentName": "development", "targetPlane": "dataplane", "resources": []}
    apply(c.RENDERED, "web-development", spec)
    c.deploy()
    message = 'Release "web-development" exists but is owned by another resource'
    assert synced() == ("False", "ReleaseOwnershipConflict", message)
    assert c.rendered().spec["resources"] == []


def test_a_binding_waits_while_its_former_rendered_release_is_being_deleted() -> None:
    c.deploy()
    c.apply_binding("", "development", spec={"state": "Undeploy"})
    c.settle()
    c.apply_binding("", "development", spec={"state": "Active"})
    c.settle()
    message = (
        'Failed to reconcile dataplane Release: Release "web-development" is being deleted, waiting until it is gone'
    )
    assert synced() == ("False", "ReleaseUpdateFailed", message)
    it.finish_cleanup()
    c.settle()
    assert synced()[:2] == ("True", "ReleaseCreated")
    assert c.rendered().deleted_at is None


# The observability plane.


def alerting(enabled: bool = True) -> None:
    apply("ClusterTrait", "alert", {"creates": [c.ALERT] if enabled else []})
    traits = [{"kind": "ClusterTrait", "name": "alert", "instanceName": "errors"}]
    c.apply_component(traits=traits)
    c.apply_workload()
    c.settle()


def apply_observability_plane() -> None:
    agent = {"clientCA": {"value": "a certificate"}}
    spec = {"planeID": "default", "clusterAgent": agent, "observerURL": "http://observer"}
    apply("ClusterObservabilityPlane", "default", spec)


def test_what_goes_to_the_observability_plane_is_a_release_of_its_own() -> None:
    apply_observability_plane()
    alerting()
    second = RenderedRelease.objects.system("test").get(name="web-development-observability")
    assert second.spec["targetPlane"] == "observabilityplane"
    assert [entry["object"]["kind"] for entry in second.full_spec()["resources"]] == ["ObservabilityAlertRule"]
    created = (
        'Dataplane Release "web-development" created with 2 resources; '
        'observability Release "web-development-observability" created with 1 resources'
    )
    assert synced() == ("True", "ReleaseCreated", created)
    it.look_again(c.BINDING, "web-development")
    c.settle()
    in_step = (
        'Dataplane Release "web-development" is up to date; '
        'observability Release "web-development-observability" is unchanged'
    )
    assert synced() == ("True", "ReleaseSynced", in_step)


def test_without_an_observability_plane_its_objects_are_left_out_until_there_is_one() -> None:
    alerting()
    assert "(observability release skipped: ObservabilityPlane not found: " in synced()[2]
    assert gone(c.RENDERED, "web-development-observability")
    apply_observability_plane()
    c.settle()
    assert not gone(c.RENDERED, "web-development-observability")


def test_a_release_for_the_observability_plane_that_is_no_longer_wanted_goes() -> None:
    apply_observability_plane()
    alerting()
    alerting(enabled=False)
    assert it.get(c.RENDERED, "web-development-observability").deleted_at is not None
    assert c.rendered().deleted_at is None


def test_a_new_default_channel_of_the_environment_is_rendered() -> None:
    apply_observability_plane()
    channel = {
        **c.ALERT,
        "template": {**c.ALERT["template"], "spec": {"channel": "${environment.defaultNotificationChannel}"}},
    }
    apply("ClusterTrait", "alert", {"creates": [channel]})
    c.apply_component(traits=[{"kind": "ClusterTrait", "name": "alert", "instanceName": "errors"}])
    c.apply_workload()
    c.settle()
    assert synced()[1] == "RenderingFailed"
    spec = {"environment": "development", "isEnvDefault": True, "type": "webhook", "webhookConfig": {"url": "http://x"}}
    apply("ObservabilityAlertsNotificationChannel", "hook", spec)
    c.settle()
    (entry,) = it.get(c.RENDERED, "web-development-observability").full_spec()["resources"]
    assert entry["object"]["spec"]["channel"] == "hook"


# Connections.


def depends_on(*components: str) -> dict[str, Any]:
    return {
        "endpoints": [
            {"component": name, "name": "http", "visibility": "project", "envBindings": {"address": name.upper()}}
            for name in components
        ]
    }


def pending() -> list[str]:
    return [item["reason"] for item in c.binding().status.get("pendingConnections", [])]


def test_while_a_connection_is_pending_the_component_runs_without_it_and_nothing_is_said_of_later_steps() -> None:
    c.deploy(dependencies=depends_on("api"))
    binding = c.binding()
    assert state(binding, "ConnectionsResolved") == ("False", "ConnectionsPending")
    assert it.message(binding, "ConnectionsResolved") == "1 connections pending, 0 resolved"
    assert c.ready(binding) == ("False", "ReleaseSynced", "Release is not synced")
    for condition in ("ReleaseSynced", "ResourceDependenciesReady", "ResourcesReady"):
        assert binding.condition(condition) is None
    assert pending() == ["ReleaseBinding not found for component shop/api"]
    assert "env" not in c.container_of() or c.container_of()["env"] == []


def test_a_connection_resolves_as_soon_as_the_provider_has_an_address() -> None:
    c.deploy(dependencies=depends_on("api"))
    c.deploy("api", endpoints={"http": c.HTTP})
    binding = c.binding()
    assert state(binding, "ConnectionsResolved") == ("True", "AllConnectionsResolved")
    assert it.message(binding, "ConnectionsResolved") == "All 1 connections resolved"
    (connection,) = binding.status["resolvedConnections"]
    address = f"http://{connection['url']['host']}:8080"
    assert c.container_of()["env"] == [{"name": "API", "value": address}]
    assert "pendingConnections" not in binding.status


def test_components_that_depend_on_each_other_both_resolve() -> None:
    c.deploy("web", dependencies=depends_on("api"), endpoints={"http": c.HTTP})
    c.deploy("api", dependencies=depends_on("web"), endpoints={"http": c.HTTP})
    for name in ("web", "api"):
        assert state(c.binding(name=name), "ConnectionsResolved") == ("True", "AllConnectionsResolved")


def test_a_changed_address_of_the_provider_reaches_its_consumers() -> None:
    c.deploy("api", endpoints={"http": c.HTTP})
    c.deploy(dependencies=depends_on("api"))
    c.apply_workload("api", endpoints={"http": {**c.HTTP, "port": 9090}})
    c.settle()
    assert c.container_of()["env"][0]["value"].endswith(":9090")


def test_every_reason_why_a_connection_is_pending_is_told() -> None:
    c.deploy(dependencies=depends_on("api"))
    c.deploy("api")
    assert pending() == ['endpoint "http" not yet resolved']
    c.apply_workload("api", endpoints={"http": {"type": "HTTP", "port": 8080}})
    c.apply_binding("", "development", "api", spec={"state": "Undeploy"})
    c.settle()
    assert pending() == ["component is undeployed"]
    owner = {"projectName": "shop", "componentName": "api"}
    apply(c.BINDING, "api-second", {"owner": owner, "environment": "development"})
    c.settle()
    assert pending() == ["multiple ReleaseBindings found for component shop/api in environment development"]


def test_a_provider_that_goes_away_shuts_the_gate_again() -> None:
    c.deploy("api", endpoints={"http": c.HTTP})
    c.deploy(dependencies=depends_on("api"))
    store.delete(c.COMPONENT, "default", "api", TESTER)
    c.settle()
    it.finish_cleanup()
    c.settle()
    # What was true of later steps stays said, as in the contract; Ready tells of the gate.
    assert c.ready(c.binding()) == ("False", "ConnectionsPending", "1 connections pending, 0 resolved")


def test_consumers_are_left_alone_by_news_that_do_not_concern_them() -> None:
    c.deploy("api", endpoints={"http": c.HTTP})
    c.deploy(dependencies=depends_on("api"))
    it.plane_reports(c.rendered(name="api"))
    due = [item.object_id for item in due_items(c.BINDING)]
    assert due == [c.binding(name="api").pk]
    c.settle()


def due_items(kind: str) -> list[WorkItem]:
    return list(WorkItem.objects.filter(kind=kind, due_at__isnull=False))


def test_what_waits_is_looked_at_again_even_if_no_news_comes() -> None:
    c.deploy(dependencies=depends_on("api"))
    (item,) = due_items(c.BINDING)
    assert timedelta(0) < item.due_at - timezone.now() <= timedelta(seconds=30)


def test_what_is_in_step_waits_for_news_only() -> None:
    c.deploy()
    assert due_items(c.BINDING) == []


def test_a_provider_in_another_environment_does_not_count() -> None:
    c.deploy("api", endpoints={"http": c.HTTP})
    c.deploy(dependencies=depends_on("api"))
    c.apply_binding(c.binding().spec["releaseName"], "staging")
    c.settle()
    (waiting,) = c.binding("staging").status["pendingConnections"]
    assert waiting["reason"] == "ReleaseBinding not found for component shop/api"


# Resources.


def uses_cache() -> dict[str, Any]:
    return {"resources": [{"ref": "cache", "envBindings": {"host": "CACHE_HOST"}}]}


def provide_cache(ready: str, *outputs: tuple[str, str]) -> None:
    """A resource's binding as its controller leaves it."""
    binding = it.get("ResourceReleaseBinding", "cache-development")
    conditions = [{"type": "Ready", "status": ready, "reason": "Ready", "observedGeneration": binding.generation}]
    listed = [{"name": name, "value": value} for name, value in outputs]
    store.write_status(binding, {"conditions": conditions, "outputs": listed}, it.DELIVERY)


def test_while_a_resource_is_pending_the_component_runs_without_it() -> None:
    c.deploy(dependencies=uses_cache())
    binding = c.binding()
    assert state(binding, "ResourceDependenciesReady") == ("False", "ResourceDependenciesPending")
    assert it.message(binding, "ResourceDependenciesReady") == "1 resource dependencies pending, 0 resolved"
    assert c.ready(binding) == ("False", "ReleaseSynced", "Release is not synced")
    assert binding.condition("ReleaseSynced") is None
    (waiting,) = binding.status["pendingResourceDependencies"]
    assert waiting["reason"] == "ResourceReleaseBinding not found for shop/cache in environment development"
    assert not gone(c.RENDERED, "web-development")


def test_a_resource_resolves_when_its_binding_is_ready_and_has_the_output() -> None:
    it.apply_resource_type()
    it.apply_resource()
    c.deploy(dependencies=uses_cache())
    it.apply_resource_binding("cache-1")
    c.settle()
    (waiting,) = c.binding().status["pendingResourceDependencies"]
    assert waiting["reason"] == 'ResourceReleaseBinding "cache-development" not ready'

    provide_cache("True", ("port", "6379"))
    c.settle()
    (waiting,) = c.binding().status["pendingResourceDependencies"]
    assert waiting["reason"] == "output not resolved on resource release binding: host"

    provide_cache("True", ("host", "cache.example"))
    c.settle()
    assert state(c.binding(), "ResourceDependenciesReady") == ("True", "AllResourceDependenciesReady")
    assert c.container_of()["env"] == [{"name": "CACHE_HOST", "value": "cache.example"}]

    provide_cache("True", ("host", "other.example"))
    c.settle()
    assert c.container_of()["env"] == [{"name": "CACHE_HOST", "value": "other.example"}]


def test_a_resource_counts_as_soon_as_it_is_ready_though_its_outputs_are_no_news() -> None:
    it.apply_resource_type()
    it.apply_resource()
    it.apply_resource_binding("cache-1")
    provide_cache("False", ("host", "cache.example"))
    c.deploy(dependencies=uses_cache())
    assert state(c.binding(), "ResourceDependenciesReady")[0] == "False"
    provide_cache("True", ("host", "cache.example"))
    c.settle()
    assert state(c.binding(), "ResourceDependenciesReady")[0] == "True"


# How the plane takes it.


def test_before_the_plane_has_reported_the_resources_are_progressing() -> None:
    c.deploy()
    assert c.ready(c.binding()) == ("False", "ResourcesProgressing", 'Release "web-development" has no resources yet')


def test_a_healthy_report_makes_the_binding_ready() -> None:
    c.deploy()
    it.plane_reports(c.rendered())
    c.settle()
    binding = c.binding()
    assert c.ready(binding) == ("True", "Ready", "ReleaseBinding is ready")
    message = "Primary workload Deployment and all supporting resources are ready"
    assert it.message(binding, "ResourcesReady") == message


def test_a_refusal_of_the_plane_is_told_in_its_words() -> None:
    c.deploy()
    it.plane_refuses(c.rendered(), 'namespaces "dp-shop" not found')
    c.settle()
    binding = c.binding()
    assert state(binding, "ReleaseSynced")[0] == "True"
    assert c.ready(binding) == ("False", "ResourceApplyFailed", 'namespaces "dp-shop" not found')


def test_a_report_on_former_content_says_nothing_of_the_new() -> None:
    c.deploy()
    it.plane_reports(c.rendered())
    c.settle()
    c.apply_workload(image="web:2")
    c.settle()
    message = 'Release "web-development" has changed and is not applied yet'
    assert c.ready(c.binding()) == ("False", "ResourcesProgressing", message)
    it.plane_reports(c.rendered())
    c.settle()
    assert c.ready(c.binding())[0] == "True"


def test_on_a_plane_that_does_not_observe_what_is_delivered_counts_as_ready() -> None:
    it.apply_data_plane(driver="git")
    c.deploy()
    it.plane_reports(c.rendered(), health="Unknown")
    c.settle()
    binding = c.binding()
    assert c.ready(binding)[:2] == ("True", "Ready")
    assert it.message(binding, "ResourcesReady") == "All 2 resources delivered; its plane does not report health"


# Undeploying, and the end.


def test_undeploying_takes_the_releases_away_and_keeps_the_binding() -> None:
    apply_observability_plane()
    alerting()
    it.plane_reports(c.rendered())
    c.settle()
    c.apply_binding("", "development", spec={"state": "Undeploy"})
    c.settle()
    assert synced() == ("False", "ResourcesUndeployed", "Resources being undeployed")
    assert state(c.binding(), "ResourcesReady") == ("False", "ResourcesUndeployed")
    it.finish_cleanup()
    c.settle()
    assert synced() == ("False", "ResourcesUndeployed", "Resources undeployed")
    assert RenderedRelease.objects.system("test").count() == 0
    assert "endpoints" not in c.binding().status


def test_an_undeployed_binding_is_deployed_again_by_saying_so() -> None:
    c.deploy()
    c.apply_binding("", "development", spec={"state": "Undeploy"})
    c.settle()
    it.finish_cleanup()
    c.apply_binding("", "development", spec={"state": "Active"})
    c.settle()
    assert synced()[:2] == ("True", "ReleaseCreated")


def test_a_deletion_that_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    c.deploy()

    def refuse(*_: Any) -> Any:
        raise store.StoreError("no way")

    monkeypatch.setattr(binding_releases, "delete_owned", refuse)
    c.apply_binding("", "development", spec={"state": "Undeploy"})
    c.settle()
    assert synced() == ("False", "ReleaseDeletionFailed", "failed to delete release: no way")


def test_a_binding_goes_when_the_planes_are_clean() -> None:
    c.deploy()
    c.apply_component(autoDeploy=False)
    store.delete(c.BINDING, "default", "web-development", TESTER)
    c.settle()
    held = c.binding().condition("Finalizing")
    assert (held["status"], held["reason"], held["message"]) == ("True", "Finalizing", "ReleaseBinding is finalizing")
    assert c.rendered().deleted_at is not None
    it.finish_cleanup()
    c.settle()
    assert gone(c.BINDING, "web-development")


def test_a_rendered_release_of_another_owner_outlives_the_binding() -> None:
    owner = {"projectName": "shop", "componentName": "web"}
    spec = {"owner": owner, "environmentName": "development", "targetPlane": "dataplane", "resources": []}
    apply(c.RENDERED, "web-development", spec)
    c.deploy()
    c.apply_component(autoDeploy=False)
    store.delete(c.BINDING, "default", "web-development", TESTER)
    c.settle()
    assert gone(c.BINDING, "web-development")
    assert c.rendered().deleted_at is None


def test_statuses_are_plain_json() -> None:
    c.deploy(dependencies=depends_on("api"), endpoints={"http": c.HTTP})
    assert json.loads(json.dumps(c.binding().status)) == c.binding().status
