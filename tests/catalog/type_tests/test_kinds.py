"""Tests of each kind of type: its inputs, their defaults, and what comes of them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.catalog.type_tests.workplace import DEPLOYMENT, Workplace

CONFIG = {"apiVersion": "v1", "kind": "ConfigMap"}


def shows(expression: str) -> dict[str, Any]:
    """A template that shows the value of an expression."""
    return {**CONFIG, "metadata": {"name": "shown"}, "data": {"value": f"${{{expression}}}"}}


def shown(value: Any) -> dict[str, Any]:
    return {"objects": [{"kind": "ConfigMap", "data": {"value": value}}]}


@pytest.mark.parametrize(
    ("expression", "given", "value"),
    [
        ("metadata.componentName + '/' + metadata.projectName", {}, "demo/demo"),
        ("metadata.componentName", {"component": "cart"}, "cart"),
        ("metadata.componentNamespace", {"namespace": "acme"}, "acme"),
        ("metadata.projectName", {"project": "shop"}, "shop"),
        ("metadata.environmentName", {}, "development"),
        ("metadata.environmentName", {"environment": {"name": "production"}}, "production"),
        ("metadata.dataPlaneName", {"dataPlane": {"name": "edge"}}, "edge"),
        ("dataplane.secretStore", {}, "default"),
        ("dataplane.annotations['a']", {"dataPlane": {"annotations": {"a": "b"}}}, "b"),
        ("gateway.ingress.external.http.host", {}, "apps.example"),
        (
            "gateway.ingress.external.http.host",
            {"environment": {"gateway": {"ingress": {"external": {"name": "x", "http": {"host": "own.example"}}}}}},
            "own.example",
        ),
        (
            "string(has(dataplane.gateway.ingress.internal))",
            {"dataPlane": {"gateway": {"ingress": {"internal": None}}}},
            "false",
        ),
        ("environment.defaultNotificationChannel", {"notificationChannel": "on-call"}, "on-call"),
        ("string(parameters.replicas)", {"parameters": {"replicas": 3}}, "3"),
        ("workload.container.image", {}, "registry.example/demo:1"),
        ("workload.container.image", {"workload": {"container": {"image": "a:2"}}}, "a:2"),
        (
            "configurations.configs.envs[0].value",
            {
                "workload": {"container": {"env": [{"key": "A", "value": "a"}]}},
                "workloadOverrides": {"container": {"env": [{"key": "A", "value": "b"}]}},
            },
            "b",
        ),
        (
            "configurations.secrets.envs[0].remoteRef.property",
            {
                "workload": {
                    "container": {"env": [{"key": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]}
                }
            },
            "k",
        ),
        (
            "configurations.secrets.envs[0].remoteRef.key",
            {
                "workload": {
                    "container": {"env": [{"key": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]}
                },
                "secrets": {"s": [{"secretKey": "k", "remoteRef": {"key": "vault/s"}}]},
            },
            "vault/s",
        ),
        (
            "dependencies.envVars[0].value",
            {"dependencies": {"endpoints": [{"component": "api", "envVars": [{"name": "A", "value": "a"}]}]}},
            "a",
        ),
    ],
)
def test_inputs_of_component_types_and_their_defaults(
    workplace: Workplace, expression: str, given: dict[str, Any], value: str
) -> None:
    workplace.type(resources=[DEPLOYMENT, {"id": "shown", "template": shows(expression)}])
    workplace.test({"given": given, "expect": shown(value)})
    assert workplace.failures() == []


def test_a_mistyped_workload_is_refused(workplace: Workplace) -> None:
    workplace.type()
    workplace.test(
        {"given": {"workload": {"containr": {}}}}, {"given": {"workload": {"endpoints": {"a": {"port": 0}}}}}
    )
    first, second = workplace.failures()
    assert first == "given.workload: a workload has no field containr"
    assert second.startswith("given.workload: spec.endpoints")


ALERT = {"parameters": {"openAPIV3Schema": {"type": "object", "properties": {"to": {"type": "string"}}}}}


def test_component_types_are_tried_with_traits_that_they_allow(workplace: Workplace) -> None:
    workplace.type("Trait", "alert", {**ALERT, "creates": [{"template": shows("parameters.to + trait.instanceName")}]})
    workplace.type(allowedTraits=[{"kind": "Trait", "name": "alert"}])
    use = {"name": "alert", "parameters": {"to": "ops-"}}
    workplace.test({"given": {"traits": [use]}, "expect": shown("ops-alert")})
    assert workplace.failures() == []
    workplace.type()
    assert "the type does not allow the trait" in workplace.failures()[0]
    workplace.test({"given": {"traits": [{"name": "absent"}]}})
    assert 'no Trait or ClusterTrait "absent" is defined in the files' in workplace.failures()[0]


def test_parameters_must_fit_without_defaults_as_in_a_release(workplace: Workplace) -> None:
    schema = {"type": "object", "required": ["size"], "properties": {"size": {"type": "integer", "default": 1}}}
    workplace.type(
        parameters={"openAPIV3Schema": schema},
        resources=[{**DEPLOYMENT, "template": {**DEPLOYMENT["template"], "spec": {}}}],
    )
    workplace.test({"expect": {"error": {"class": "schema", "message": ".size is required"}}})
    assert workplace.failures() == []


def test_traits_are_tried_on_a_plain_deployment(workplace: Workplace) -> None:
    patch = {
        "target": {"group": "apps", "version": "v1", "kind": "Deployment"},
        "operations": [{"op": "add", "path": "/metadata/annotations/to", "value": "${parameters.to}"}],
    }
    workplace.type("ClusterTrait", "alert", {**ALERT, "patches": [patch]})
    expect = {"objects": [{"kind": "Deployment", "metadata": {"annotations": {"to": "ops"}}}]}
    workplace.test({"given": {"parameters": {"to": "ops"}}, "expect": expect}, kind="ClusterTrait", name="alert")
    assert workplace.failures() == []


def test_traits_are_tried_on_a_type_of_choice_after_other_traits(workplace: Workplace) -> None:
    workplace.type()
    workplace.type("Trait", "first", {"creates": [{"template": shows("'first'")}]})
    remove = {"target": {"group": "", "version": "v1", "kind": "ConfigMap"}}
    workplace.type("Trait", "alert", {**ALERT, "removes": [remove]})
    given = {
        "componentType": {"kind": "ComponentType", "name": "web", "parameters": {"replicas": 4}},
        "traits": [{"name": "first"}],
        "instanceName": "it",
    }
    expect = {"kinds": {"Deployment": 1}, "objects": [{"kind": "Deployment", "spec": {"replicas": 4}}]}
    absent = {"componentType": {"kind": "ComponentType", "name": "absent"}}
    workplace.test({"given": given, "expect": expect}, {"given": absent}, kind="Trait", name="alert")
    assert workplace.failures() == ['given.componentType: no ComponentType "absent" is defined in the files']


def test_project_types_make_the_namespace_of_their_cell(workplace: Workplace) -> None:
    def cell(name: str) -> dict[str, Any]:
        template = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "annotations": "${metadata.annotations}"},
        }
        return {"resources": [{"id": "cell", "template": template}]}

    workplace.type("ProjectType", "default", cell("${metadata.namespace}"))
    given = {"project": "shop", "environment": {"name": "staging"}, "annotations": {"a": "b"}}
    namespace = {"kind": "Namespace", "$id": "cell", "metadata": {"annotations": {"a": "b"}}}
    workplace.test({"given": given, "expect": {"objects": [namespace]}}, kind="ProjectType", name="default")
    assert workplace.failures() == []
    workplace.type("ProjectType", "default", cell("other"))
    (failure,) = workplace.failures()
    assert failure.startswith('the type renders no Namespace "dp-default-shop-staging-')


def test_resource_types_have_outputs_and_readiness(workplace: Workplace) -> None:
    spec = {
        "parameters": {
            "openAPIV3Schema": {"type": "object", "properties": {"size": {"type": "integer", "default": 1}}}
        },
        "resources": [
            {"id": "claim", "template": shows("string(parameters.size)"), "readyWhen": "${applied.claim.status.ok}"}
        ],
        "outputs": [
            {"name": "host", "value": "${applied.claim.status.host}"},
            {"name": "password", "secretKeyRef": {"name": "${metadata.resourceName}-creds", "key": "password"}},
        ],
    }
    workplace.type("ResourceType", "db", spec)
    password = {"secretKeyRef": {"name": "orders-creds", "key": "password"}}
    workplace.test(
        {"expect": {**shown("1"), "ready": {"claim": False}, "outputs": {"password": password}}},
        {
            "given": {"observed": {"claim": {"ok": True, "host": "db.example"}}},
            "expect": {"ready": {"claim": True}, "outputs": {"host": "db.example"}},
        },
        {"expect": {"ready": {"claim": True}, "outputs": {"host": "db.example"}}},
        {
            "given": {"parameters": {"size": "big"}},
            "expect": {"error": {"class": "schema", "message": "size must be of type"}},
        },
        kind="ResourceType",
        name="db",
        given={"resource": "orders"},
    )
    assert workplace.failures() == ["output host is missing", "claim: expected ready to be true, got false"]


def test_a_schema_that_refuses_its_own_defaults_is_told(workplace: Workplace) -> None:
    schema = {"type": "object", "properties": {"size": {"type": "integer", "default": "small"}}}
    workplace.type(
        "ResourceType",
        "db",
        {"parameters": {"openAPIV3Schema": schema}, "resources": [{"id": "a", "template": shows("'x'")}]},
    )
    workplace.test({}, kind="ResourceType", name="db")
    assert "parameters do not fit their schema: size must be of type integer" in workplace.failures()[0]


def test_workflows_make_a_run_and_what_it_needs(workplace: Workplace) -> None:
    place = {"namespace": "${metadata.namespace}"}
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s", **place},
        "data": {"of": '${externalRefs["git"].spec.of}'},
    }
    spec = {
        "runTemplate": {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Workflow",
            "metadata": {"name": "${metadata.workflowRunName}", **place},
            "spec": {"arguments": {"parameters": [{"name": "labels", "value": "${metadata.labels}"}]}},
        },
        "resources": [{"id": "secret", "includeWhen": "${parameters.secret != ''}", "template": secret}],
        "externalRefs": [{"id": "git", "apiVersion": "v1", "kind": "SecretReference", "name": "${parameters.secret}"}],
    }
    workplace.type("Workflow", "build", spec)
    value = [{"name": "labels", "value": '{"a":"b"}'}]
    run = {
        "$id": "run",
        "metadata": {"name": "build-1", "namespace": "workflows-acme"},
        "spec": {"arguments": {"parameters": value}},
    }
    given = {"run": "build-1", "namespace": "acme", "labels": {"a": "b"}, "parameters": {"secret": ""}}
    needs = {"externalRefs": {"git": {"of": "x"}}, "parameters": {"secret": "git-creds"}}
    workplace.test(
        {"expect": {"kinds": {"Workflow": 1}, "objects": [{"kind": "Workflow", **run}]}},
        {
            "given": needs,
            "expect": {
                "objects": [{"kind": "Secret", "data": {"of": "x"}}],
                "outputs": {"externalRefs.git": "git-creds"},
            },
        },
        kind="Workflow",
        name="build",
        given=given,
    )
    assert workplace.failures() == []
