"""What expressions may read, by name and type, before anything is rendered."""

from __future__ import annotations

import pytest

from catalog.compiler.admission.expressions import Expressions
from catalog.compiler.admission.schemas import schema_variables
from catalog.compiler.admission.variables import APPLIED, RESOURCE, TRAIT, loop_variable
from catalog.compiler.cel import CelCompileError
from catalog.compiler.cel.types import DYN, INT, STRING, format_type, list_of, map_of, object_of
from tests.compiler.admission.specs import expressions, schema

TYPED = expressions(
    parameters=schema(
        replicas={"type": "integer"},
        size={"type": "number"},
        labels={"type": "object", "additionalProperties": {"type": "string"}},
        ports={"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}},
        limits={"type": "object", "properties": {"cpu": {"type": "string"}}},
        anything={"oneOf": [{"type": "string"}, {"type": "integer"}]},
        origins={"type": "array", "items": {"oneOf": [{"type": "string"}, {"type": "object"}]}},
        until={"type": "string", "format": "date-time"},
        untyped={"x-kubernetes-preserve-unknown-fields": True},
        **{"with-dash": {"type": "string"}, "namespace": {"type": "string"}},
    )
)
TRAITS = Expressions(TRAIT, component_macros=True)
RESOURCES = Expressions({**RESOURCE, **schema_variables({}, composed=False)}, component_macros=False)
OBSERVING = RESOURCES.bind("applied", APPLIED)


def type_of(source: str, seen: Expressions = TYPED) -> str:
    return format_type(seen.compile(source).type)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("metadata.name + metadata.componentNamespace", "string"),
        ("metadata.podSelectors['a']", "string"),
        ("dataplane.secretStore", "string"),
        ("dataplane.annotations['a']", "string"),
        ("dataplane.observabilityPlaneRef.kind", "string"),
        ("environment.defaultNotificationChannel", "string"),
        ("gateway.ingress.external.https.port + 1", "int"),
        ("environment.gateway == dataplane.gateway", "bool"),
        ("workload.container.args", "list(string)"),
        ("workload.endpoints['web'].targetPort", "int"),
        ("workload.endpoints['web'].visibility[0]", "string"),
        ("configurations.configs.envs[0].remoteRef.key", "string"),
        ("configurations.secrets.files[0].mountPath", "string"),
        ("dependencies.items[0].envVars[0].valueFrom.secretKeyRef.name", "string"),
        ("dependencies.resources[0].volumes[0].configMap.name", "string"),
        ("derived.configFileList[0].value", "string"),
        ("workload.toServicePorts()[0].port", "int"),
        ("configurations.toSecretEnvsByContainer()[0].envs[0].name", "string"),
        ("workload.toEndpointResources('web').orValue([])[0].method", "string"),
        ("configurations.toVolumes() + dependencies.toVolumes()", "list(VolumeEntry)"),
        ("configurations.toContainerVolumeMounts() + dependencies.toContainerVolumeMounts()", "list(VolumeMountEntry)"),
        ("parameters.replicas + 1", "int"),
        ("parameters.size + 1.0", "double"),
        ("parameters.labels['a']", "string"),
        ("oc_merge(parameters.labels, {'a': 'b'})", "map(string, dyn)"),
        ("parameters.ports.map(port, port.name)", "list(string)"),
        ("parameters.?limits.?cpu.orValue('1')", "string"),
        ("parameters.anything", "dyn"),
        ("parameters.origins[0].regex", "dyn"),
        ("parameters.until - timestamp('2026-01-01T00:00:00Z')", "duration"),
        ("parameters.with__dash__dash", "string"),
        ("parameters.__namespace__", "string"),
        ("oc_omit()", "dyn"),
    ],
)
def test_what_is_declared_can_be_read(source: str, expected: str) -> None:
    assert type_of(source) == expected


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("metadata.resourceName", "undefined field 'resourceName'"),
        ("dataplane.secretstore", "undefined field 'secretstore'"),
        ("gateway.ingress.external['https']", "no matching overload for '_[_]'"),
        ("workload.container.env", "undefined field 'env'"),
        ("workload.endpoints['web'].protocol", "undefined field 'protocol'"),
        ("configurations.envs", "undefined field 'envs'"),
        ("workload.toServicePorts()[0].nodePort", "undefined field 'nodePort'"),
        ("derived.secretFileList[0].value", "undefined field 'value'"),
        ("trait.name", "undeclared reference to 'trait'"),
        ("resource.metadata", "undeclared reference to 'resource'"),
        ("applied.claim", "undeclared reference to 'applied'"),
        ("parameters.absent", "undefined field 'absent'"),
        ("has(parameters.absent)", "undefined field 'absent'"),
        ("parameters.replicas + 1.0", "no matching overload for '_+_' applied to '(int, double)'"),
        ("parameters.origins.first", "does not support field selection"),
        ("size(parameters.limits)", "no matching overload for 'size'"),
        ("oc_merge(parameters.limits, {})", "no matching overload"),
        ("true ? parameters.limits : {}", "no matching overload for '_?_:_'"),
        ("parameters.untyped", "undefined field 'untyped'"),
        ("parameters.namespace", "undefined field 'namespace'"),
        ("environmentConfigs.anything", "undefined field 'anything'"),
    ],
)
def test_what_is_not_declared_is_told_with_its_place(source: str, complaint: str) -> None:
    with pytest.raises(CelCompileError, match="type check error: ERROR: <input>:1:") as caught:
        TYPED.compile(source)
    assert complaint in str(caught.value)
    assert f" | {source}\n" in str(caught.value)


def test_traits_also_see_themselves() -> None:
    assert type_of("trait.name + trait.instanceName + metadata.name", TRAITS) == "string"
    with pytest.raises(CelCompileError, match="undefined field 'kind'"):
        TRAITS.compile("trait.kind")


def test_resource_types_see_no_component() -> None:
    assert type_of("metadata.resourceName + metadata.resourceNamespace", RESOURCES) == "string"
    assert type_of("has(gateway.ingress) && has(environment.gateway)", RESOURCES) == "bool"
    for source in ("workload", "metadata.componentName", "dataplane.annotations", "derived", "configurations"):
        with pytest.raises(CelCompileError):
            RESOURCES.compile(source)


def test_resource_types_know_no_helpers_of_components() -> None:
    with pytest.raises(CelCompileError, match="undeclared reference"):
        RESOURCES.compile("workload.toServicePorts()")


def test_what_a_plane_reports_has_a_status_of_any_shape() -> None:
    assert type_of("applied.claim.status.host", OBSERVING) == "dyn"
    with pytest.raises(CelCompileError, match="undefined field 'spec'"):
        OBSERVING.compile("applied.claim.spec")


def test_properties_without_a_type_are_any_value_for_components_and_nothing_for_resources() -> None:
    sections = {"parameters": schema(origin={"anyOf": [{"type": "string"}, {"type": "integer"}]})}
    assert type_of("parameters.origin", Expressions(schema_variables(sections, composed=True), component_macros=False))
    with pytest.raises(CelCompileError, match="undefined field 'origin'"):
        Expressions(schema_variables(sections, composed=False), component_macros=False).compile("parameters.origin")


def test_a_broken_schema_makes_no_expression_wrong() -> None:
    seen = expressions(parameters={"openAPIV3Schema": {"$ref": "#/$defs/Absent"}})
    assert type_of("parameters.anything", seen) == "dyn"


def test_a_loop_variable_is_an_item_or_an_entry() -> None:
    assert loop_variable(list_of(INT)) == INT
    assert loop_variable(DYN) == DYN
    entry = loop_variable(
        map_of(STRING, object_of("Port", {"number": INT, "of": object_of("Place", {"name": STRING})}))
    )
    assert entry.fields is not None
    assert entry.fields["key"] == STRING
    value = entry.fields["value"].fields
    assert value is not None
    # The contract looks into nested objects only.
    assert value["number"] == DYN
    assert value["of"].fields == {"name": DYN}
    assert loop_variable(map_of(STRING, INT)).fields["value"] == DYN  # type: ignore[index]
