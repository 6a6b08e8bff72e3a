"""The agent plane: a cluster that only an agent inside it can reach. All but streams is the Kubernetes plane's work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar
from urllib.parse import urlencode

from catalog.delivery.agent.connection import AgentConnection
from catalog.delivery.kubernetes.commands import SHELL, GatewayCommand, channels_at
from catalog.delivery.kubernetes.connection import error_of
from catalog.delivery.kubernetes.plane import KubernetesPlane
from catalog.delivery.plane import Capabilities, Command, CommandSession, Place, PlaneError

FLOWS_QUIET_SECONDS = 3600.0
"""Where nothing is said on the network there are no flows."""


@dataclass(frozen=True, slots=True)
class AgentPlane(KubernetesPlane):
    """A cluster behind an agent."""

    connection: AgentConnection

    driver: ClassVar[str] = "agent"
    capabilities: ClassVar[Capabilities] = replace(KubernetesPlane.capabilities, runs_commands=True, streams_flows=True)

    def run_command(self, place: Place, command: Command) -> CommandSession:
        query = [("podNamespace", command.namespace), ("podName", command.pod)]
        query += [("container", command.container)] if command.container else []
        query += [(name, "true") for name, wanted in (("stdin", command.stdin), ("tty", command.tty)) if wanted]
        query += [("command", word) for word in command.words or SHELL]
        url = f"{self.connection.gateway()}/api/exec/{self.connection.head}?{urlencode(query)}"
        return GatewayCommand(channels_at(self.connection, url))

    def stream_flows(self, namespace: str, environment: str, project: str, component: str) -> Iterator[bytes]:
        query = {"namespace": namespace, "environment": environment, "project": project, "component": component}
        given = {name: value for name, value in query.items() if value}
        url = f"{self.connection.gateway()}/api/wirelogs/{self.connection.head}"
        answer = self.connection.ask("GET", url, query=given, read_seconds=FLOWS_QUIET_SECONDS, preload=False)
        if answer.status >= 400:
            raise PlaneError(str(error_of(answer.status, answer.read())))
        return events(self.connection, answer)


def events(connection: AgentConnection, answer: object) -> Iterator[bytes]:
    """The lines of a stream of events as they come; closing it ends the stream."""
    try:
        for line in connection.lines_of(answer):  # type: ignore[arg-type]
            yield line + b"\n"
    finally:
        answer.close()  # type: ignore[attr-defined]
