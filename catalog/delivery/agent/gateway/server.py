"""The gateway as one process: both ports, the lease, and what planes say of their agents."""

from __future__ import annotations

import asyncio
import logging
import secrets
import signal
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from aiohttp import ClientSession, TCPConnector, web
from asgiref.sync import sync_to_async
from django.db import DatabaseError, close_old_connections

from catalog.delivery.agent import replicas
from catalog.delivery.agent.gateway.agents import AgentsPort
from catalog.delivery.agent.gateway.internal import InternalPort
from catalog.delivery.agent.gateway.limits import Limits
from catalog.delivery.agent.gateway.link import Links
from catalog.delivery.agent.gateway.reporting import report_agents
from catalog.delivery.agent.gateway.tls import TlsListener
from catalog.delivery.agent.replicas import Connected

log = logging.getLogger("stagecraft.gateway")
REPORT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class InternalTls:
    """The files of the internal port's TLS; callers must show a certificate of the authority."""

    certificate: Path
    key: Path
    authority: Path


@dataclass(frozen=True, slots=True)
class Where:
    """What the gateway listens on; a port 0 means any. `url` is how others reach the internal port, "" for as is."""

    agents: tuple[str, int]
    internal: tuple[str, int]
    certificate: Path
    key: Path
    url: str = ""
    internal_tls: InternalTls | None = None


class Gateway:
    """A replica of the gateway."""

    def __init__(self, where: Where, limits: Limits) -> None:
        self.where, self.limits = where, limits
        self.name = f"{socket.gethostname()[:40]}-{secrets.token_hex(6)}"
        self.links = Links()
        self.agents_port = self.internal_port = 0

    async def run(self, started: asyncio.Event | None = None) -> None:
        """Serve until cancelled or told to stop by SIGTERM or SIGINT. Raises `NoCertificate` and OSError."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        listener = TlsListener(web.Server(lambda request: port.serve(request)), self.where.certificate, self.where.key)
        port = AgentsPort(self.links, self.limits, listener.peers)
        tls = client_context(self.where.internal_tls)
        async with ClientSession(connector=TCPConnector(ssl=tls if tls is not None else True)) as others:
            internal = InternalPort(self.name, self.links, port, self.limits, others)
            runner = web.AppRunner(internal.application(), handler_cancellation=True, access_log=None)
            await runner.setup()
            site = web.TCPSite(runner, *self.where.internal, ssl_context=server_context(self.where.internal_tls))
            await site.start()
            self.internal_port = runner.addresses[0][1]
            self.agents_port = await listener.start(*self.where.agents)
            tasks = [asyncio.create_task(work) for work in (self.renew_for_ever(), port.recheck_for_ever())]
            log.info("agents connect to port %d, the platform to %s", self.agents_port, self.url)
            if started is not None:
                started.set()
            try:
                await stop.wait()
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                for link in list(self.links.held.values()):
                    await link.close("the gateway stops")
                await listener.stop()
                await runner.cleanup()
                await sync_to_async(self.leave)()

    @property
    def url(self) -> str:
        host, _ = self.where.internal
        shown = f"[{host}]" if ":" in host else host
        scheme = "https" if self.where.internal_tls else "http"
        return self.where.url or f"{scheme}://{shown}:{self.internal_port}"

    async def renew_for_ever(self) -> None:
        """Write down who is connected whenever that changes, and now and then that this replica still runs."""
        while True:
            self.links.changed.clear()
            try:
                await sync_to_async(self.renew)()
            except DatabaseError as error:
                log.warning("who is connected cannot be written down: %s", error)
                await asyncio.sleep(1)
                continue
            with suppress(TimeoutError):
                await asyncio.wait_for(self.links.changed.wait(), replicas.RENEW_SECONDS)

    def renew(self) -> None:
        close_old_connections()
        replicas.renew(self.name, self.url, [
            Connected(link.id, link.plane_type, link.plane_id, link.planes, link.connected_at)
            for link in list(self.links.held.values())
        ])  # fmt: skip
        report_agents()

    def leave(self) -> None:
        try:
            replicas.give_up(self.name)
            report_agents()
        except DatabaseError as error:
            log.warning("the end of this replica cannot be written down: %s", error)


def server_context(tls: InternalTls | None) -> ssl.SSLContext | None:
    if tls is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(tls.authority))
    context.load_cert_chain(tls.certificate, tls.key)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(tls: InternalTls | None) -> ssl.SSLContext | None:
    if tls is None:
        return None
    context = ssl.create_default_context(cafile=str(tls.authority))
    context.load_cert_chain(tls.certificate, tls.key)
    return context
