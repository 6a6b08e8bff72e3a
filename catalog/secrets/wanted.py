"""What a request for a secret asks for, and whether it can be had. The rules and their words are the contract's."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from portal.secrets import SecretText
from portal.wire.kubernetes_names import label_key_problems, label_value_problems

TYPES = {
    "Opaque": (),
    "kubernetes.io/basic-auth": ("password",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}
"""The types, and the keys that each must have."""

SEGMENTS = {
    "kubernetes.io/basic-auth": "basic-auth",
    "kubernetes.io/ssh-auth": "ssh-auth",
    "kubernetes.io/dockerconfigjson": "registry",
    "kubernetes.io/tls": "tls",
}
PLANE_KINDS = ("WorkflowPlane", "ClusterWorkflowPlane", "DataPlane", "ClusterDataPlane")
WORKFLOW_PLANE_KINDS = PLANE_KINDS[:2]
MAX_BYTES = 1024 * 1024  # of all values together, as for a Secret in Kubernetes
DATA_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")
Values = Mapping[str, SecretText]


class Unusable(ValueError):
    """The request cannot be met as it is; the text is for the client and quotes no value."""


@dataclass(frozen=True, slots=True)
class PlaneName:
    """The plane that a secret is for; of a cluster kind or in the secret's namespace."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class WantedSecret:
    """A secret as asked for. `path` is its key in the plane's secret store."""

    namespace: str
    name: str
    type: str
    plane: PlaneName
    values: Values
    labels: Mapping[str, str] = field(default_factory=dict)
    is_git: bool = False

    @property
    def path(self) -> str:
        segment = "git" if self.is_git else SEGMENTS.get(self.type, "generic")
        return f"secret/{self.namespace}/{segment}/{self.name}"

    @property
    def plane_namespace(self) -> str:
        """Where on the plane its objects are."""
        return f"workflows-{self.namespace}" if self.is_git else f"openchoreo-kv-{self.namespace}"


def check_secret(wanted: WantedSecret) -> None:
    """Whether the request is whole. Raises `Unusable`."""
    if not wanted.name:
        raise Unusable("secretName is required")
    check_values(wanted.type, wanted.values)
    if not wanted.plane.kind:
        raise Unusable("targetPlane.kind is required")
    if wanted.plane.kind not in PLANE_KINDS:
        raise Unusable(f"unsupported targetPlane.kind: {wanted.plane.kind}")
    if not wanted.plane.name:
        raise Unusable("targetPlane.name is required")
    check_labels(wanted.labels)


def check_values(secret_type: str, values: Values) -> None:
    """The type is known and has its keys, and Kubernetes would take them. Raises `Unusable`."""
    if secret_type not in TYPES:
        raise Unusable(f"unsupported secretType: {secret_type}")
    if not values:
        raise Unusable("data must contain at least one entry")
    for key, value in values.items():
        if not key:
            raise Unusable("data keys must not be empty")
        if not DATA_KEY.fullmatch(key) or key in (".", "..") or key.startswith(".."):
            raise Unusable(f"data[{quoted(key)}]: a key must consist of letters, digits, '-', '_' or '.'")
        if not value:
            raise Unusable(f"data[{quoted(key)}] must not be empty")
    for key in TYPES[secret_type]:
        if key not in values:
            raise Unusable(f"data[{quoted(key)}] is required for secretType {secret_type}")
    if sum(len(value.reveal().encode()) for value in values.values()) > MAX_BYTES:
        raise Unusable(f"data must not be larger than {MAX_BYTES} bytes")
    if secret_type == "kubernetes.io/dockerconfigjson":  # noqa: S105  # the name of a type
        check_docker_config(values[".dockerconfigjson"])


def check_docker_config(value: SecretText) -> None:
    try:
        is_object = isinstance(json.loads(value.reveal()), dict)
    except (ValueError, RecursionError):
        is_object = False
    if not is_object:
        raise Unusable('data[".dockerconfigjson"] must be a JSON object')


def check_labels(labels: Mapping[str, str]) -> None:
    """Labels as Kubernetes takes them. Raises `Unusable`."""
    for key, value in labels.items():
        if problems := list(label_key_problems(key)):
            raise Unusable(f"invalid label key {quoted(key)}: {'; '.join(problems)}")
        if problems := list(label_value_problems(value)):
            raise Unusable(f"invalid label value for key {quoted(key)}: {'; '.join(problems)}")


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
