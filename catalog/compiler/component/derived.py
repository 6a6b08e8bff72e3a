"""The variable ``derived``: lists that component templates would otherwise have to compute.

Names of ConfigMaps and Secrets, volumes and mounts for configuration files, ports of a Service. The helper macros of
component templates (``configurations.toVolumes()`` and the like) read these lists. Names that stand for secrets carry
a hash of where the secret lives, so that a changed reference makes a new object. Called by ``component.context``.
"""

from __future__ import annotations

import re

from catalog.compiler.documents import Document, text
from catalog.compiler.names import RESOURCE_NAME_LIMIT, fnv1a32_hex, kubernetes_name

_PORT_NAME_LIMIT = 15
_NOT_IN_PORT_NAME = re.compile("[^a-z0-9-]")


def derived_context(
    configurations: Document, workload: Document, dependencies: Document, prefix: str, endpoint_resources: Document
) -> Document:
    """Return the variable ``derived``.

    The first three arguments are the variables of those names; ``prefix`` is ``component-environment``;
    ``endpoint_resources`` holds the operations of each endpoint's API schema, by endpoint.
    """
    configs, secrets = configurations["configs"], configurations["secrets"]
    config_files = [{**file, "resourceName": _config_file_name(prefix, file)} for file in configs["files"]]
    secret_files = [
        {
            "name": file["name"],
            "mountPath": file["mountPath"],
            "resourceName": _secret_file_name(prefix, file),
            "remoteRef": file["remoteRef"],
        }
        for file in secrets["files"]
    ]
    config_envs, secret_envs = configs["envs"], secrets["envs"]
    configs_name = kubernetes_name(RESOURCE_NAME_LIMIT, prefix, "env-configs") if config_envs else ""
    secrets_name = _secret_envs_name(prefix, secret_envs) if secret_envs else ""
    environment_sources: list[Document] = []
    if config_envs:
        environment_sources.append({"configMapRef": {"name": configs_name}})
    if secret_envs:
        environment_sources.append({"secretRef": {"name": secrets_name}})
    return {
        "configFileList": config_files,
        "secretFileList": secret_files,
        "containerEnvFrom": environment_sources,
        "configVolumeMounts": [_volume_mount(file) for file in [*config_files, *secret_files]],
        "configVolumes": _volumes(config_files, secret_files),
        "configEnvs": [{"resourceName": configs_name, "envs": config_envs}] if config_envs else [],
        "secretEnvs": [{"resourceName": secrets_name, "envs": secret_envs}] if secret_envs else [],
        "servicePorts": service_ports(workload["endpoints"]),
        "dependencyEnvVars": dependencies["envVars"],
        "dependencyVolumeMounts": dependencies["volumeMounts"],
        "dependencyVolumes": dependencies["volumes"],
        "endpointResources": endpoint_resources,
    }


def service_ports(endpoints: Document) -> list[Document]:
    """Return ``{name, port, targetPort, protocol}`` of each port and protocol once, by sorted endpoint name."""
    ports: list[Document] = []
    used_names: set[str] = set()
    seen: set[tuple[float, str]] = set()
    for endpoint_name in sorted(endpoints):
        endpoint = endpoints[endpoint_name]
        port = endpoint["port"]
        protocol = "UDP" if endpoint["type"] == "UDP" else "TCP"
        if (port, protocol) in seen:
            continue
        seen.add((port, protocol))
        name = _unique_port_name(endpoint_name, int(port), used_names)
        used_names.add(name)
        ports.append({"name": name, "port": port, "targetPort": endpoint["targetPort"], "protocol": protocol})
    return ports


def _unique_port_name(endpoint_name: str, port: int, used: set[str]) -> str:
    base = _NOT_IN_PORT_NAME.sub("", endpoint_name.lower().replace("_", "-")).strip("-")
    base = base[:_PORT_NAME_LIMIT].rstrip("-") or f"port-{port}"
    name, counter = base, 2
    while name in used:
        suffix = f"-{counter}"
        name = base[: _PORT_NAME_LIMIT - len(suffix)] + suffix
        counter += 1
    return name


def _volume_name(file: Document) -> str:
    return "file-mount-" + fnv1a32_hex(f"{file['mountPath']}/{file['name']}")


def _volume_mount(file: Document) -> Document:
    return {
        "name": _volume_name(file),
        "mountPath": f"{file['mountPath']}/{file['name']}",
        "subPath": file["name"],
    }


def _volumes(config_files: list[Document], secret_files: list[Document]) -> list[Document]:
    volumes: dict[str, Document] = {}
    for file in config_files:
        name = _volume_name(file)
        volumes[name] = {"name": name, "configMap": {"name": file["resourceName"]}}
    for file in secret_files:
        name = _volume_name(file)
        volumes[name] = {"name": name, "secret": {"secretName": file["resourceName"]}}
    return [volumes[name] for name in sorted(volumes)]


def _config_file_name(prefix: str, file: Document) -> str:
    return kubernetes_name(RESOURCE_NAME_LIMIT, prefix, "config", file["name"].replace(".", "-"))


def _secret_file_name(prefix: str, file: Document) -> str:
    remote = file["remoteRef"]
    content = fnv1a32_hex(f"{remote['key']}\0{text(remote, 'property')}\0{text(remote, 'version')}")
    return kubernetes_name(RESOURCE_NAME_LIMIT, prefix, "secret", file["name"].replace(".", "-"), extra=content)


def _secret_envs_name(prefix: str, envs: list[Document]) -> str:
    content = "".join(
        f"{env['name']}\0{env['remoteRef']['key']}\0{text(env['remoteRef'], 'property')}"
        f"\0{text(env['remoteRef'], 'version')}\0"
        for env in envs
    )
    return kubernetes_name(RESOURCE_NAME_LIMIT, prefix, "env-secrets", extra=fnv1a32_hex(content))
