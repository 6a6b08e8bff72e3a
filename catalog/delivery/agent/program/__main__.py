"""Start the agent. Every option may be a variable of the environment instead, as in OpenChoreo's agent."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

from catalog.delivery.agent.messages import PLANE_TYPES
from catalog.delivery.agent.program.agent import Agent, Options
from catalog.delivery.agent.program.cluster import Cluster, NoCluster

PATHS = {"CLIENT_CERT": "CLIENT_CERT_PATH", "CLIENT_KEY": "CLIENT_KEY_PATH", "SERVER_CA": "SERVER_CA_PATH"}


def main() -> int:
    given = parser().parse_args()
    logging.basicConfig(
        level=given.log_level.upper(), format="%(asctime)s %(levelname)s %(message)s", stream=sys.stdout
    )
    try:
        cluster = Cluster(Path(given.kubeconfig) if given.kubeconfig else None)
    except NoCluster as error:
        print(f"agent: {error}", file=sys.stderr)
        return 1
    options = Options(
        url=given.server_url, plane_type=given.plane_type, plane_id=given.plane_id,
        certificate=Path(given.client_cert), key=Path(given.client_key),
        authority=Path(given.server_ca) if given.server_ca else None, most_seconds=given.reconnect_seconds,
        answer_bytes=given.answer_bytes, heartbeat_seconds=given.heartbeat_seconds,
    )  # fmt: skip
    return asyncio.run(serve(Agent(options, cluster)))


async def serve(agent: Agent) -> int:
    """Until SIGTERM."""
    running = asyncio.create_task(agent.run_for_ever())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, running.cancel)
    try:
        await running
    except asyncio.CancelledError:
        return 0
    return 1


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(prog="agent", description="Connects this cluster to a Stagecraft gateway.")

    def option(name: str, default: str, help: str) -> None:
        variable = name.upper().replace("-", "_")
        variable = PATHS.get(variable, variable)
        value = os.environ.get(variable, default)
        is_needed = name == "plane-id" and not value
        found.add_argument(f"--{name}", default=value, required=is_needed, help=f"{help} ({variable})")

    option("server-url", "wss://cluster-gateway:8443/ws", "address of the gateway")
    option("plane-type", "dataplane", f"one of {', '.join(PLANE_TYPES)}")
    option("plane-id", "", "spec.planeID of the plane, or its name")
    option("client-cert", "/certs/tls.crt", "PEM file with the agent's certificate; read anew for each connection")
    option("client-key", "/certs/tls.key", "PEM file with its key")
    option("server-ca", "/ca-certs/server-ca.crt", "PEM file with the authority of the gateway")
    option("kubeconfig", "", "file, for use outside of a cluster")
    option("log-level", "info", "debug, info, warning or error")
    found.add_argument("--reconnect-seconds", type=float, default=30.0, help="the longest pause before dialling again")
    found.add_argument(
        "--heartbeat-seconds", type=float, default=30.0, help="how often the gateway is asked for a sign"
    )
    found.add_argument(
        "--answer-bytes", type=int, default=32 * 1024 * 1024, help="the largest answer that is passed on"
    )
    return found


if __name__ == "__main__":
    sys.exit(main())
