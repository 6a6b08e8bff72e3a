"""What a plane gets for a secret, as pure functions: the namespace, the Secret, and the PushSecret.

The PushSecret has the external-secrets operator copy the Secret into the plane's secret store, where ExternalSecrets of
rendered releases take it from. The documents that `secret` returns hold the values in plain: they go to a plane that
can hold secrets and nowhere else.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable

from catalog.compiler.documents import Document
from catalog.delivery.plane import ObjectKey
from catalog.secrets.wanted import WantedSecret

EXTERNAL_SECRETS = "external-secrets.io"
MANAGED_BY = "openchoreo.dev/managed-by"
MANAGER = "openchoreo-api"
SECRET_TYPE = "openchoreo.dev/secret-type"  # noqa: S105  # the key of a label
GIT_CREDENTIALS = "git-credentials"
AUTH_TYPE = "kubernetes.io/secret-type"
PLANE_KIND, PLANE_NAME = "openchoreo.dev/workflow-plane-kind", "openchoreo.dev/workflow-plane-name"
OWNER_NAMESPACE = "openchoreo.dev/owner-namespace"
SYNC_TRIGGER = "openchoreo.dev/sync-trigger"


def secret_reference(wanted: WantedSecret) -> Document:
    """The SecretReference by which components and workflows name the secret."""
    spec: Document = {
        "template": {"type": wanted.type},
        "data": [
            {"secretKey": key, "remoteRef": {"key": wanted.path, "property": key}} for key in sorted(wanted.values)
        ],
    }
    if wanted.is_git:
        labels = {
            SECRET_TYPE: GIT_CREDENTIALS,
            AUTH_TYPE: wanted.type.removeprefix("kubernetes.io/"),
            PLANE_KIND: wanted.plane.kind,
            PLANE_NAME: wanted.plane.name,
        }
    else:
        spec["targetPlane"] = {"kind": wanted.plane.kind, "name": wanted.plane.name}
        labels = {**wanted.labels, MANAGED_BY: MANAGER}
    return {
        "apiVersion": "openchoreo.dev/v1alpha1",
        "kind": "SecretReference",
        "metadata": {"name": wanted.name, "namespace": wanted.namespace, "labels": labels},
        "spec": spec,
    }


def plane_objects(wanted: WantedSecret, store: str, moment: str) -> list[Document]:
    """All that a plane gets, in the order of application. `moment` makes the operator look at once."""
    return [namespace(wanted), secret(wanted), push_secret(wanted, store, moment)]


def namespace(wanted: WantedSecret) -> Document:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": wanted.plane_namespace}}


def secret(wanted: WantedSecret) -> Document:
    """The Secret. `data`, not `stringData`: so the field manager owns each key, and a key left out later goes."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata(wanted),
        "type": wanted.type,
        "data": {key: encoded(value.reveal()) for key, value in sorted(wanted.values.items())},
    }


def push_secret(wanted: WantedSecret, store: str, moment: str) -> Document:
    """The PushSecret that carries every key to the store."""
    document: Document = {
        "apiVersion": f"{EXTERNAL_SECRETS}/v1alpha1",
        "kind": "PushSecret",
        "metadata": metadata(wanted),
        "spec": {
            "updatePolicy": "Replace",
            "secretStoreRefs": [{"kind": "ClusterSecretStore", "name": store}],
            "selector": {"secret": {"name": wanted.name}},
            "data": [
                {"match": {"secretKey": key, "remoteRef": {"remoteKey": wanted.path, "property": key}}}
                for key in sorted(wanted.values)
            ],
        },
    }
    if not wanted.is_git:
        document["metadata"]["annotations"] = {SYNC_TRIGGER: moment}
        document["spec"]["deletionPolicy"] = "Delete"
    return document


def plane_keys(wanted: WantedSecret) -> list[ObjectKey]:
    """The objects to remove from a plane, the PushSecret first: it takes the value out of the store."""
    return [
        ObjectKey(EXTERNAL_SECRETS, "PushSecret", wanted.plane_namespace, wanted.name),
        ObjectKey("", "Secret", wanted.plane_namespace, wanted.name),
    ]


def metadata(wanted: WantedSecret) -> Document:
    found: Document = {"name": wanted.name, "namespace": wanted.plane_namespace}
    if wanted.is_git:
        found["labels"] = {OWNER_NAMESPACE: wanted.namespace}
    return found


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def decoded(data: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The texts of a Secret's `data`. What is no UTF-8 was not put there by us; it is kept as far as it can be."""
    return {key: base64.b64decode(value).decode(errors="replace") for key, value in data}
