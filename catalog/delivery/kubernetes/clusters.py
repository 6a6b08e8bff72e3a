"""Which clusters this installation can reach directly, and with what credentials.

A cluster is a file `<name>.kubeconfig` in the directory `KUBERNETES_CLUSTERS`, put there by whoever runs Stagecraft, or
`in-cluster` for the cluster that this process runs in. A plane names one by its annotation
`stagecraft.dev/kubernetes-cluster`. So credentials are never in the database, and whoever may write a plane cannot
make the platform talk to an address of their choice.

A plane of a namespace is written by that namespace's engineers, and must not reach a cluster that was connected for
others: its file is `<namespace>/<name>.kubeconfig`. Inside the platform such a cluster is called `<namespace>/<name>`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

from catalog.delivery.kubernetes.connection import Connection, Credentials
from catalog.delivery.plane import PlaneNotConfigured

NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
IN_CLUSTER = "in-cluster"


def cluster_of(namespace: str, annotations: Mapping[str, str]) -> str:
    """The cluster that a plane of that namespace ("" for cluster-scoped ones) names by its annotations, "" for none."""
    name = annotations.get("kubernetes-cluster", "")
    return f"{namespace}/{name}" if namespace and name else name


def connection_to(cluster: str) -> Connection:
    """The connection to a cluster, one for each process and version of its file. Raises `PlaneNotConfigured`."""
    if cluster == IN_CLUSTER:
        return in_cluster()
    path = kubeconfig_of(cluster)
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        raise PlaneNotConfigured(
            f"there is no file {path.name} in {path.parent}; put the cluster's kubeconfig there, readable by the "
            "server and the workers"
        ) from None
    return from_file(cluster, path, changed)


def kubeconfig_of(cluster: str) -> Path:
    """Where the cluster's kubeconfig is expected. Raises `PlaneNotConfigured` for what cannot be a name."""
    namespace, _, name = cluster.rpartition("/")
    if not NAME.fullmatch(name):
        raise PlaneNotConfigured(f"{name!r} cannot be the name of a cluster: use lower case letters, digits and '-'")
    directory: Path = settings.KUBERNETES_CLUSTERS
    return directory / namespace / f"{name}.kubeconfig"


@lru_cache(maxsize=64)
def from_file(name: str, path: Path, changed: int) -> Connection:
    """`changed` is part of the key, so that a new file makes a new connection."""
    # Imported here: 18 MB that an installation without clusters does not need.
    from kubernetes.client import Configuration
    from kubernetes.config import ConfigException, load_kube_config

    configuration = Configuration()
    try:
        load_kube_config(str(path), client_configuration=configuration, persist_config=False)
    except (ConfigException, ValueError, TypeError, KeyError, OSError) as error:
        raise PlaneNotConfigured(f"{path} cannot be used as a kubeconfig: {error}") from None
    return Connection(name, credentials_of(configuration))


@lru_cache(maxsize=1)
def in_cluster() -> Connection:
    from kubernetes.client import Configuration
    from kubernetes.config import ConfigException, load_incluster_config

    configuration = Configuration()
    try:
        load_incluster_config(client_configuration=configuration)
    except ConfigException as error:
        raise PlaneNotConfigured(f"this process does not run in a cluster: {error}") from None
    return Connection(IN_CLUSTER, credentials_of(configuration))


def credentials_of(configuration: Any) -> Credentials:
    """What the library has made of a kubeconfig."""
    return Credentials(
        url=str(configuration.host).rstrip("/"),
        authority=configuration.ssl_ca_cert,
        verify=bool(configuration.verify_ssl),
        certificate=configuration.cert_file,
        key=configuration.key_file,
        server_name=configuration.tls_server_name,
        authorization=lambda: authorization_of(configuration),
    )


def authorization_of(configuration: Any) -> str | None:
    """The header as the library would send it; it renews tokens that have expired when it is asked."""
    for setting in configuration.auth_settings().values():
        if str(setting["key"]).lower() == "authorization":
            return str(setting["value"])
    return None
