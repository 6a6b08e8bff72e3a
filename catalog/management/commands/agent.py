"""`manage.py agent enroll PLANE`: let an agent in. `manage.py agent list`: who is connected."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings

from catalog import store
from catalog.delivery.agent.authority import own_files, write_private
from catalog.delivery.agent.enrolment import enroll
from catalog.delivery.agent.heads import TYPES
from catalog.delivery.agent.replicas import live
from catalog.kinds.registry import UnknownKind
from catalog.manifests.command_line import ManifestCommand, add_namespace, operator
from catalog.manifests.kind_names import find_kind

IMAGE = "stagecraft-agent:latest"


class Command(ManifestCommand):
    help = "Let agents of clusters in, and see which are connected."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("list", help="agents that are connected now")
        given = verbs.add_parser("enroll", help="make a certificate for a plane's agent, and print what to apply")
        given.add_argument("plane", help="KIND/NAME, such as ClusterDataPlane/default or DataPlane/edge")
        add_namespace(given)
        given.add_argument("--url", default="", help="how the agent reaches the gateway, as wss://host:port/ws")
        given.add_argument("--image", default=IMAGE, help=f"the agent's container image ({IMAGE})")
        given.add_argument("--days", type=int, default=365, help="how long the certificate lasts (365)")
        given.add_argument("--replace", action="store_true", help="agents that were let in before must go")
        given.add_argument(
            "--files", metavar="DIRECTORY", help="write certificate, key and authority there instead of the manifest"
        )

    def run(self, **options: Any) -> int:
        return self.show() if options["verb"] == "list" else self.let_in(**options)

    def show(self) -> int:
        rows = list(live().order_by("plane_type", "plane_id", "connected_at"))
        for row in rows:
            self.stdout.write(
                f"{row.plane_type}/{row.plane_id}  {row.connected_at:%Y-%m-%d %H:%M:%S}  at {row.replica_id}  "
                f"for {', '.join(row.planes)}"
            )
        if not rows:
            self.stdout.write("no agent is connected")
        return 0

    def let_in(self, plane: str, namespace: str, days: int, image: str, **options: Any) -> int:
        found = self.find_plane(plane, namespace)
        if days < 1:
            self.end("--days must be at least 1", 2)
        try:
            enrolled = enroll(
                found, operator(), url=options["url"] or self.default_url(), gateway_authority=self.gateway_authority(),
                image=image, days=days, replaces=options["replace"],
            )  # fmt: skip
        except store.StoreError as error:
            self.end(str(error), 1)
        if options["files"]:
            self.write_files(Path(options["files"]), enrolled.signed.certificate, enrolled.signed.key)
        else:
            self.stdout.write(yaml.safe_dump_all(enrolled.manifests, sort_keys=False).rstrip())
            self.complain(
                "apply this in the plane's cluster (kubectl apply -f -); it holds a key: keep it nowhere else"
            )
        return 0

    def find_plane(self, typed: str, namespace: str) -> Any:
        kind_name, _, name = typed.partition("/")
        try:
            kind = find_kind(kind_name)
        except UnknownKind as error:
            self.end(str(error), 2)
        if kind.kind not in TYPES or not name:
            self.end(f"{typed!r} is no plane: write KIND/NAME with one of {', '.join(TYPES)}", 2)
        try:
            return store.get(kind.kind, namespace if kind.namespaced else "", name)
        except store.NotFound as error:
            self.end(str(error), 1)

    def default_url(self) -> str:
        _, _, port = settings.GATEWAY_ADDRESS.rpartition(":")
        return f"wss://{settings.GATEWAY_HOSTS[0]}:{port}/ws"

    def gateway_authority(self) -> str:
        """Whom the agent has to believe: our own authority, or the chain that the operator's certificate came with."""
        if settings.GATEWAY_CERTIFICATE:
            return Path(settings.GATEWAY_AUTHORITY or settings.GATEWAY_CERTIFICATE).read_text()
        return own_files(settings.HOME / "gateway", settings.GATEWAY_HOSTS).authority.read_text()

    def write_files(self, directory: Path, certificate: str, key: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        write_private(directory / "tls.key", key)
        (directory / "tls.crt").write_text(certificate)
        (directory / "server-ca.crt").write_text(self.gateway_authority())
        self.stdout.write(f"wrote tls.crt, tls.key and server-ca.crt to {directory}")
