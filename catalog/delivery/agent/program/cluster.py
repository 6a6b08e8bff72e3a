"""The API server that the agent asks: where it is, and as whom.

Inside a cluster that is the pod's service account, whose token is read anew for each request, because it is renewed.
Outside it is a kubeconfig with a token or a client certificate.
"""

from __future__ import annotations

import base64
import os
import ssl
import tempfile
from pathlib import Path
from typing import Any

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class NoCluster(Exception):
    """There is no API server to ask; the text says what to do."""


class Cluster:
    """`url` and `tls` to connect with; `headers` are made anew for each request."""

    def __init__(self, kubeconfig: Path | None) -> None:
        self.token_file: Path | None = None
        self.token = ""
        if kubeconfig is not None:
            self.read_kubeconfig(kubeconfig)
        else:
            self.read_account()

    def read_account(self) -> None:
        host, port = (os.environ.get(f"KUBERNETES_SERVICE_{name}", "") for name in ("HOST", "PORT"))
        if not host or not (ACCOUNT / "token").exists():
            raise NoCluster("this is no pod with a service account; name a file by --kubeconfig")
        self.url = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
        self.tls = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))
        self.token_file = ACCOUNT / "token"

    def read_kubeconfig(self, path: Path) -> None:
        import yaml

        try:
            held = yaml.safe_load(path.read_text())
            context = named(held, "context", held["current-context"])
            cluster, user = named(held, "cluster", context["cluster"]), named(held, "user", context["user"])
            self.url = str(cluster["server"]).rstrip("/")
            self.tls = trusting(cluster)
            self.token = user.get("token", "")
            self.token_file = Path(user["tokenFile"]) if user.get("tokenFile") else None
            show_certificate(self.tls, user)
        except (OSError, KeyError, TypeError, ValueError, StopIteration, yaml.YAMLError) as error:
            raise NoCluster(f"{path} cannot be used as a kubeconfig: {error!r}") from None

    def headers(self) -> dict[str, str]:
        token = self.token_file.read_text().strip() if self.token_file is not None else self.token
        return {"Authorization": f"Bearer {token}"} if token else {}


def named(held: dict[str, Any], sort: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(item[sort] for item in held[f"{sort}s"] if item["name"] == name)
    return found


def trusting(cluster: dict[str, Any]) -> ssl.SSLContext:
    data = cluster.get("certificate-authority-data")
    found = ssl.create_default_context(
        cafile=cluster.get("certificate-authority"), cadata=base64.b64decode(data).decode() if data else None
    )
    if cluster.get("insecure-skip-tls-verify"):
        found.check_hostname = False
        found.verify_mode = ssl.CERT_NONE
    return found


def show_certificate(tls: ssl.SSLContext, user: dict[str, Any]) -> None:
    """Python reads certificates and keys from files only."""
    with tempfile.TemporaryDirectory() as directory:
        paths = []
        for name in ("client-certificate", "client-key"):
            path = Path(user.get(name) or Path(directory) / name)
            if data := user.get(f"{name}-data"):
                path = Path(directory) / name
                path.write_bytes(base64.b64decode(data))
            paths.append(path)
        if paths[0].exists():
            tls.load_cert_chain(str(paths[0]), str(paths[1]))
