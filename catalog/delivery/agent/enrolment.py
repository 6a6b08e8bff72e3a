"""Letting an agent in: a certificate for it, its authority on the plane, and the manifest that starts it.

Each enrolment has an authority of its own, which signs one certificate and is forgotten. So no key that could make
further agents lies anywhere, and an agent is shut out by taking its authority from the plane.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from catalog import store
from catalog.delivery.agent.authority import Signed, sign_client
from catalog.delivery.agent.heads import head_of
from catalog.delivery.drivers import DRIVER
from catalog.kinds.base import PlatformObject
from portal.accounts.actor import Actor

NAMESPACE = "stagecraft-agent"
NAME = "stagecraft-agent"
RIGHTS = [
    {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
    {"nonResourceURLs": ["*"], "verbs": ["get"]},
]
"""What the platform's types may render. A platform engineer narrows it to the kinds that theirs do."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """The certificate, and what to apply in the cluster."""

    signed: Signed
    manifests: Sequence[dict[str, Any]]


def enroll(
    plane: PlatformObject, actor: Actor, *, url: str, gateway_authority: str, image: str, days: int, replaces: bool
) -> Enrolled:
    """Make a certificate, have the plane trust it, and say what to apply. `replaces`: agents let in before must go."""
    signed = sign_client(f"{plane.kind}-{plane.name}", timedelta(days=days))
    trust(plane, signed.authority, actor, replaces=replaces)
    return Enrolled(signed, manifests(plane, signed, url, gateway_authority, image))


def trust(plane: PlatformObject, authority: str, actor: Actor, *, replaces: bool) -> None:
    """Put the authority on the plane, and its deliveries behind agents."""
    document = store.to_document(plane, with_status=False)
    held = (document["spec"].setdefault("clusterAgent", {}).get("clientCA") or {}).get("value") or ""
    before = "" if replaces or not held.strip() else f"{held.rstrip()}\n"
    document["spec"]["clusterAgent"]["clientCA"] = {"value": f"{before}{authority}"}
    document["metadata"].setdefault("annotations", {})[DRIVER] = "agent"
    store.replace(document, actor)


def manifests(
    plane: PlatformObject, signed: Signed, url: str, gateway_authority: str, image: str
) -> list[dict[str, Any]]:
    """Namespace, account, rights, certificates, and the agent itself."""
    head = head_of(plane)
    labels = {"app.kubernetes.io/name": NAME}
    here = {"name": NAME, "namespace": NAMESPACE, "labels": labels}
    account = {"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": NAME}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": here},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {"name": NAME, "labels": labels}, "rules": RIGHTS,
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": {"name": NAME, "labels": labels}, "roleRef": role, "subjects": [account],
        },
        {
            "apiVersion": "v1", "kind": "Secret", "metadata": {**here, "name": f"{NAME}-tls"},
            "type": "kubernetes.io/tls",
            "data": {
                "tls.crt": encoded(signed.certificate), "tls.key": encoded(signed.key),
            },
        },
        {
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {**here, "name": f"{NAME}-gateway"},
            "data": {"server-ca.crt": gateway_authority},
        },
        deployment(here, labels, head.plane_type, head.plane_id, url, image),
    ]  # fmt: skip


def deployment(
    here: dict[str, Any], labels: dict[str, str], plane_type: str, plane_id: str, url: str, image: str
) -> dict[str, Any]:
    """Two agents, so that one may go."""
    container = {
        "name": "agent",
        "image": image,
        "args": ["--server-url", url, "--plane-type", plane_type, "--plane-id", plane_id],
        "resources": {"requests": {"cpu": "20m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "tls", "mountPath": "/certs", "readOnly": True},
            {"name": "gateway", "mountPath": "/ca-certs", "readOnly": True},
        ],
    }  # fmt: skip
    pod = {
        "serviceAccountName": NAME,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
        "volumes": [
            {"name": "tls", "secret": {"secretName": f"{NAME}-tls"}},
            {"name": "gateway", "configMap": {"name": f"{NAME}-gateway"}},
        ],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": here,
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
