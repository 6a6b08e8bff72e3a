"""A whole Kubernetes control plane on loopback, made in seconds and gone afterwards.

    with start_cluster() as cluster:
        cluster.call("GET", "/api/v1/namespaces")        as the administrator
        Path("kubeconfig").write_text(cluster.kubeconfig)

The parts are real programs: etcd, kube-apiserver, kube-controller-manager, kube-scheduler, and KWOK, which plays the
nodes (pods become Running and Ready without containers). Each has a log in `directory`, can be killed and started
again. Several clusters run side by side.
"""

from __future__ import annotations

import base64
import json
import secrets
import shutil
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from tests.real.cluster import build
from tests.real.services import Service, free_port

NODES = 2
TOO_MANY_REQUESTS, BUSY_SECONDS = 429, 20.0
"""What a server answers that has just begun to serve a kind, and how long to ask again."""
AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "Request", "verbs": ["patch"]}, {"level": "Metadata"}],
}
"""Of patches also the content: tests want to know whether the same was written twice."""


@dataclass
class Cluster:
    """A running control plane. `token` is the administrator's; `tokens` has those of users without rights by name."""

    directory: Path
    port: int
    token: str
    tokens: dict[str, str]
    parts: dict[str, Service] = field(default_factory=dict)

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def certificate(self) -> str:
        """The API server's certificate, which is its own authority, as PEM."""
        return (self.directory / "pki" / "apiserver.crt").read_text()

    @property
    def kubeconfig(self) -> str:
        return self.kubeconfig_of(self.token)

    def kubeconfig_of(self, token: str, url: str = "", certificate: str = "") -> str:
        """A kubeconfig that needs no other file; `url` and `certificate` are those of a proxy, if one is meant."""
        authority = base64.b64encode((certificate or self.certificate).encode()).decode()
        server = {"server": url or self.url, "certificate-authority-data": authority}
        return yaml.safe_dump({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": server}],
            "users": [{"name": "user", "user": {"token": token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "user"}}],
            "current-context": "test",
        })  # fmt: skip

    def call(
        self, method: str, path: str, body: Any = None, *, token: str = "", content_type: str = "application/json"
    ) -> Any:
        """One request; the decoded answer. Raises `urllib.error.HTTPError`, and OSError while nobody listens."""
        trusted = ssl.create_default_context(cadata=self.certificate)
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {token or self.token}", "Content-Type": content_type}
        request = urllib.request.Request(self.url + path, data, headers, method=method)  # noqa: S310 - our own address
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                with urllib.request.urlopen(request, timeout=30, context=trusted) as answer:  # noqa: S310
                    text = answer.read().decode()
                    return json.loads(text) if text.startswith(("{", "[")) else text
            except urllib.error.HTTPError as error:
                if error.code != TOO_MANY_REQUESTS or time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def apply(self, documents: Iterable[dict[str, Any]]) -> None:
        """Apply documents as the administrator, in their order, by the names that the API server gives their kinds."""
        for document in documents:
            version, metadata = document["apiVersion"], document["metadata"]
            prefix = f"/api/{version}" if "/" not in version else f"/apis/{version}"
            kinds = {item["kind"]: item for item in self.call("GET", prefix)["resources"] if "/" not in item["name"]}
            kind = kinds[document["kind"]]
            inside = f"/namespaces/{metadata.get('namespace', 'default')}" if kind["namespaced"] else ""
            path = f"{prefix}{inside}/{kind['name']}/{metadata['name']}?fieldManager=test&force=true"
            self.call("PATCH", path, document, content_type="application/apply-patch+yaml")

    def writes(self, since: int = 0) -> list[dict[str, Any]]:
        """The audit events of writes after the first `since`, oldest first."""
        lines = (self.directory / "audit.jsonl").read_text().splitlines()
        events = [json.loads(line) for line in lines]
        return [event for event in events if event["verb"] not in ("get", "list", "watch")][since:]

    def stop(self) -> None:
        """Stop every part, those that use others first, and remove the data."""
        for part in reversed(self.parts.values()):
            part.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


def start_cluster(
    *,
    nodes: int = NODES,
    crds: Iterable[str] = ("gateway-api", "external-secrets"),
    audited: dict[str, Any] = AUDIT_POLICY,
) -> Cluster:
    """A cluster with nodes, and the custom resources that releases use. Raises `services.Unavailable`."""
    program = build.kubernetes()
    definitions = [path for name in crds for path in sorted(build.crds(name).glob("*.yaml"))]
    directory = Path(tempfile.mkdtemp(prefix="stagecraft-cluster-"))
    users = {name: secrets.token_hex(16) for name in ("admin", "stranger")}
    cluster = Cluster(directory, free_port(), users["admin"], {"stranger": users["stranger"]})
    prepare(cluster, users, audited)
    try:
        start_etcd_and_api_server(cluster, program)
        start_controllers(cluster, program)
        cluster.apply(document for path in definitions for document in documents_of(path))
        start_nodes(cluster, program, nodes)
        cluster.parts["kwok"].wait_until(lambda: ready_nodes(cluster) == nodes)
    except BaseException:
        cluster.stop()
        raise
    return cluster


def prepare(cluster: Cluster, users: dict[str, str], audited: dict[str, Any]) -> None:
    """Keys, tokens and the audit's policy."""
    pki = cluster.directory / "pki"
    pki.mkdir()
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    (pki / "sa.key").write_bytes(pem_of(key))
    groups = {"admin": "system:masters", "stranger": "strangers"}
    lines = [f"{token},{name},{name},{groups[name]}\n" for name, token in users.items()]
    (cluster.directory / "tokens.csv").write_text("".join(lines))
    (cluster.directory / "audit.yaml").write_text(yaml.safe_dump(audited))


def start_etcd_and_api_server(cluster: Cluster, program: Path) -> None:
    directory = cluster.directory
    clients, peers = f"http://127.0.0.1:{free_port()}", f"http://127.0.0.1:{free_port()}"
    add(cluster, "etcd", [
        program, "etcd", "--name", "test", "--data-dir", directory / "etcd-data", "--unsafe-no-fsync", "--log-level",
        "warn", "--listen-client-urls", clients, "--advertise-client-urls", clients, "--listen-peer-urls", peers,
        "--initial-advertise-peer-urls", peers, "--initial-cluster", f"test={peers}",
    ])  # fmt: skip
    server = add(cluster, "kube-apiserver", [
        program, "kube-apiserver", "--etcd-servers", clients, "--bind-address", "127.0.0.1", "--advertise-address",
        "127.0.0.1", "--secure-port", cluster.port, "--cert-dir", directory / "pki", "--token-auth-file",
        directory / "tokens.csv", "--authorization-mode", "RBAC", "--endpoint-reconciler-type", "none",
        "--service-cluster-ip-range", "10.96.0.0/16", "--service-account-issuer", "https://kubernetes.default.svc",
        "--service-account-key-file", directory / "pki" / "sa.key", "--service-account-signing-key-file",
        directory / "pki" / "sa.key", "--profiling=false", "--audit-policy-file", directory / "audit.yaml",
        "--audit-log-path", directory / "audit.jsonl", "--shutdown-watch-termination-grace-period", "0s",
    ])  # fmt: skip
    server.wait_until(lambda: says_ok(cluster))


def start_controllers(cluster: Cluster, program: Path) -> None:
    kubeconfig = cluster.directory / "kubeconfig"
    kubeconfig.write_text(cluster.kubeconfig)
    shared = ["--kubeconfig", kubeconfig, "--leader-elect=false", "--secure-port", "0"]
    add(cluster, "kube-controller-manager", [
        program, "kube-controller-manager", *shared, "--service-account-private-key-file",
        cluster.directory / "pki" / "sa.key", "--root-ca-file", cluster.directory / "pki" / "apiserver.crt",
    ])  # fmt: skip
    add(cluster, "kube-scheduler", [program, "kube-scheduler", *shared])


def start_nodes(cluster: Cluster, program: Path, count: int) -> None:
    """KWOK, and the nodes that it plays."""

    stages = cluster.directory / "stages.yaml"
    stages.write_text(subprocess.run([program, "stages"], capture_output=True, text=True, check=True).stdout)
    logs = cluster.directory / "pod.log"
    logs.write_text(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ} stdout F a line of log\n")
    certificate, key = self_signed(cluster.directory / "pki")
    (cluster.directory / "logs.yaml").write_text(yaml.safe_dump({
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "ClusterLogs",
        "metadata": {"name": "every-pod"},
        "spec": {"logs": [{"logsFile": str(logs), "follow": True}]},
    }))  # fmt: skip
    (cluster.directory / "commands.yaml").write_text(yaml.safe_dump({
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "ClusterExec",
        "metadata": {"name": "every-pod"},
        "spec": {"execs": [{"local": {"workDir": str(cluster.directory)}}]},
    }))  # fmt: skip
    port = free_port()
    add(cluster, "kwok", [
        program, "kwok", "--kubeconfig", cluster.directory / "kubeconfig", "--config", stages, "--config",
        cluster.directory / "logs.yaml", "--config", cluster.directory / "commands.yaml", "--manage-all-nodes=true",
        "--node-lease-duration-seconds", "40", "--cidr",
        "10.244.0.0/16", "--node-ip", "127.0.0.1", "--node-port", port, "--server-address", f"127.0.0.1:{port}",
        "--tls-cert-file", certificate, "--tls-private-key-file", key,
    ])  # fmt: skip
    cluster.apply(
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": f"node-{number}",
                "labels": {"kubernetes.io/hostname": f"node-{number}", "kubernetes.io/os": "linux"},
            },
        }
        for number in range(1, count + 1)
    )


def add(cluster: Cluster, name: str, command: list[Any]) -> Service:
    """Start one part; its log lies in its own directory."""
    directory = cluster.directory / name
    directory.mkdir()
    part = Service(name, "", 0, [str(word) for word in command], directory)
    cluster.parts[name] = part
    part.start()
    return part


def says_ok(cluster: Cluster) -> bool:
    return bool(quietly(lambda: cluster.call("GET", "/readyz")) == "ok")


def ready_nodes(cluster: Cluster) -> int:
    """How many nodes take pods, or -1 while the default service account, without which no pod is made, is missing."""
    nodes = quietly(lambda: cluster.call("GET", "/api/v1/nodes"))
    account = quietly(lambda: cluster.call("GET", "/api/v1/namespaces/default/serviceaccounts/default"))
    if nodes is None or account is None:
        return -1
    return sum(not item["spec"].get("taints") for item in nodes["items"])


def quietly(ask: Callable[[], Any]) -> Any:
    """The answer, or None while there is none yet."""
    try:
        return ask()
    except (OSError, urllib.error.URLError):
        return None


def documents_of(path: Path) -> list[dict[str, Any]]:
    """The definitions in a file; the folders hold Kustomize's lists too."""
    loaded = yaml.load_all(path.read_text(), yaml.CSafeLoader)
    return [document for document in loaded if document and document.get("kind") == "CustomResourceDefinition"]


def self_signed(directory: Path) -> tuple[Path, Path]:
    """A certificate and key for 127.0.0.1: the port from which KWOK serves logs."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kwok")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=7))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = directory / "kwok.crt", directory / "kwok.key"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(pem_of(key))
    return paths


def pem_of(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
