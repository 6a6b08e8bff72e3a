"""The static types of the variables that expressions see, for checks before anything is rendered.

They follow the contract's admission and differ from what a render sees: there every number is a double, here a port is
an ``int``, and an object has the listed fields only. Objects are named as the contract names them, because messages
print the names, and because two lists fit each other when their items have one name (``configurations.toVolumes() +
dependencies.toVolumes()``). The fields are those that ``component.context``, ``resource`` and ``gateway`` make.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from catalog.compiler.cel.types import DYN, INT, STRING, Type, list_of, map_of, object_of

Variables = Mapping[str, Type]

_TEXTS: Final = map_of(STRING, STRING)


def _texts(*names: str) -> dict[str, Type]:
    return dict.fromkeys(names, STRING)


# --- gateways

_LISTENER: Final = object_of("GatewayListenerData", {"listenerName": STRING, "port": INT, "host": STRING})
_GATEWAY_ENDPOINT: Final = object_of(
    "GatewayEndpointData", {**_texts("name", "namespace"), **dict.fromkeys(("http", "https", "tls"), _LISTENER)}
)
_GATEWAY_NETWORK: Final = object_of(
    "GatewayNetworkData", {"external": _GATEWAY_ENDPOINT, "internal": _GATEWAY_ENDPOINT}
)
_GATEWAY: Final = object_of("GatewayData", {"ingress": _GATEWAY_NETWORK, "egress": _GATEWAY_NETWORK})

# --- the workload and its configuration

_ENDPOINT: Final = object_of(
    "EndpointData",
    {
        **_texts("displayName", "type", "basePath"),
        "port": INT,
        "targetPort": INT,
        "visibility": list_of(STRING),
    },
)
_CONTAINER: Final = object_of("ContainerData", {"image": STRING, "command": list_of(STRING), "args": list_of(STRING)})
_WORKLOAD: Final = object_of("WorkloadData", {"container": _CONTAINER, "endpoints": map_of(STRING, _ENDPOINT)})

_REMOTE_REFERENCE: Final = object_of("RemoteRefData", _texts("key", "property", "version"))
_ENV: Final = object_of("EnvConfiguration", {**_texts("name", "value"), "remoteRef": _REMOTE_REFERENCE})
_FILE: Final = object_of("FileConfiguration", {**_texts("name", "mountPath", "value"), "remoteRef": _REMOTE_REFERENCE})
_CONFIGURATION_ITEMS: Final = object_of("ConfigurationItems", {"envs": list_of(_ENV), "files": list_of(_FILE)})
_CONFIGURATIONS: Final = object_of(
    "ContainerConfigurations", {"configs": _CONFIGURATION_ITEMS, "secrets": _CONFIGURATION_ITEMS}
)

# --- dependencies

_KEY: Final = object_of("KeyRef", _texts("name", "key"))
_ENV_SOURCE: Final = object_of("EnvVarSourceEntry", {"secretKeyRef": _KEY, "configMapKeyRef": _KEY})
_ENV_VAR: Final = object_of("EnvVarEntry", {**_texts("name", "value"), "valueFrom": _ENV_SOURCE})
_VOLUME_MOUNT: Final = object_of("VolumeMountEntry", _texts("name", "mountPath", "subPath"))
_VOLUME: Final = object_of(
    "VolumeEntry",
    {
        "name": STRING,
        "configMap": object_of("ConfigMapVolume", _texts("name")),
        "secret": object_of("SecretVolume", _texts("secretName")),
    },
)
_MERGED: Final = {
    "envVars": list_of(_ENV_VAR),
    "volumeMounts": list_of(_VOLUME_MOUNT),
    "volumes": list_of(_VOLUME),
}
_CONNECTION: Final = object_of(
    "ConnectionItem",
    {**_texts("namespace", "project", "component", "endpoint", "visibility"), "envVars": list_of(_ENV_VAR)},
)
_DEPENDENCIES: Final = object_of(
    "ConnectionsContextData",
    {
        "items": list_of(_CONNECTION),
        "resources": list_of(object_of("ResourceDependencyItem", {"ref": STRING, **_MERGED})),
        **_MERGED,
    },
)

# --- what is derived from them

_NAME: Final = object_of("NameRef", _texts("name"))
_LISTED_FILE: Final = {**_texts("name", "mountPath", "resourceName"), "remoteRef": _REMOTE_REFERENCE}
_ENVS_BY_CONTAINER: Final = list_of(object_of("EnvsByContainerEntry", {"resourceName": STRING, "envs": list_of(_ENV)}))
_DERIVED: Final = object_of(
    "DerivedContext",
    {
        "configFileList": list_of(object_of("ConfigFileListEntry", {**_LISTED_FILE, "value": STRING})),
        "secretFileList": list_of(object_of("SecretFileListEntry", _LISTED_FILE)),
        "containerEnvFrom": list_of(object_of("EnvFromEntry", {"configMapRef": _NAME, "secretRef": _NAME})),
        "configVolumeMounts": list_of(_VOLUME_MOUNT),
        "configVolumes": list_of(_VOLUME),
        "configEnvs": _ENVS_BY_CONTAINER,
        "secretEnvs": _ENVS_BY_CONTAINER,
        "servicePorts": list_of(
            object_of("ServicePortEntry", {**_texts("name", "protocol"), "port": INT, "targetPort": INT})
        ),
        "dependencyEnvVars": list_of(_ENV_VAR),
        "dependencyVolumeMounts": list_of(_VOLUME_MOUNT),
        "dependencyVolumes": list_of(_VOLUME),
        "endpointResources": map_of(
            STRING, list_of(object_of("EndpointResource", _texts("kind", "service", "method", "path")))
        ),
    },
)

# --- the sets of variables

_PLACE: Final = _texts(
    *("name", "namespace", "projectName", "projectUID", "environmentName", "environmentUID"),
    *("dataPlaneName", "dataPlaneUID"),
)
_PLANE: Final = {
    "secretStore": STRING,
    "gateway": _GATEWAY,
    "observabilityPlaneRef": object_of("ObservabilityPlaneRefData", _texts("kind", "name")),
}

COMPONENT: Final[Variables] = {
    "metadata": object_of(
        "MetadataContext",
        {
            **_PLACE,
            **_texts("componentName", "componentUID", "componentNamespace"),
            **dict.fromkeys(("labels", "annotations", "podSelectors"), _TEXTS),
        },
    ),
    "dataplane": object_of("DataPlaneData", {**_PLANE, "annotations": _TEXTS}),
    "environment": object_of("EnvironmentData", {"gateway": _GATEWAY, "defaultNotificationChannel": STRING}),
    "gateway": _GATEWAY,
    "workload": _WORKLOAD,
    "configurations": _CONFIGURATIONS,
    "dependencies": _DEPENDENCIES,
    "derived": _DERIVED,
}
"""What a component type's expressions see, besides ``parameters`` and ``environmentConfigs``."""

TRAIT: Final[Variables] = {**COMPONENT, "trait": object_of("TraitMetadata", _texts("name", "instanceName"))}
"""What a trait's expressions see, besides its own ``parameters`` and ``environmentConfigs``."""

RESOURCE: Final[Variables] = {
    "metadata": object_of(
        "MetadataContext",
        {
            **_PLACE,
            **_texts("resourceName", "resourceUID", "resourceNamespace"),
            **dict.fromkeys(("labels", "annotations"), _TEXTS),
        },
    ),
    "dataplane": object_of("DataPlaneContext", _PLANE),
    "environment": object_of("EnvironmentContext", {"gateway": _GATEWAY}),
    "gateway": _GATEWAY,
}
"""What a resource type's expressions see, besides ``parameters`` and ``environmentConfigs``."""

APPLIED: Final = map_of(STRING, object_of("AppliedEntry", {"status": DYN}))
"""``applied`` of outputs and ``readyWhen``: what a plane reports, by the id of a manifest."""


def loop_variable(items: Type) -> Type:
    """Return the type of the variable of a loop over values of type ``items``.

    A list gives its items. A map gives ``{key, value}``, in which the contract knows only the fields of nested objects
    and takes everything else for ``dyn``. Anything else gives ``dyn``.
    """
    if items.kind == "list":
        return items.parameters[0]
    if items.kind == "map":
        return object_of("MapEntry", {"key": STRING, "value": _shadow(items.parameters[1], "MapEntry.value")})
    return DYN


def _shadow(value: Type, name: str) -> Type:
    if value.kind != "object" or not value.fields:
        return DYN
    return object_of(name, {field: _shadow(inner, f"{name}.{field}") for field, inner in value.fields.items()})
