"""`manage.py gateway`: the cluster gateway, to which agents connect."""

from __future__ import annotations

import asyncio
import logging
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from catalog.delivery.agent.authority import own_files
from catalog.delivery.agent.gateway.limits import configured
from catalog.delivery.agent.gateway.server import Gateway, InternalTls, Where
from catalog.delivery.agent.gateway.tls import NoCertificate

LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "::1")


class Command(BaseCommand):
    help = "Serve the cluster gateway, to which agents in clusters connect."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--address", default=settings.GATEWAY_ADDRESS, help="where agents connect, as host:port")
        parser.add_argument(
            "--internal-address", default=settings.GATEWAY_INTERNAL_ADDRESS, help="where server and workers ask"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        logging.getLogger("aiohttp").setLevel(logging.WARNING)
        try:
            asyncio.run(Gateway(where(options["address"], options["internal_address"]), configured()).run())
        except (NoCertificate, OSError) as error:
            raise CommandError(f"the gateway cannot start: {error}") from None


def where(address: str, internal: str) -> Where:
    """What to listen on, with which files. Raises `CommandError`."""
    if settings.GATEWAY_CERTIFICATE:
        certificate, key = Path(settings.GATEWAY_CERTIFICATE), Path(settings.GATEWAY_KEY)
    else:
        files = own_files(settings.HOME / "gateway", settings.GATEWAY_HOSTS)
        certificate, key = files.certificate, files.key
    tls = internal_tls()
    if tls is None and host_and_port(internal)[0] not in LOOPBACK:
        raise CommandError(
            f"GATEWAY_INTERNAL_ADDRESS is {internal}: others reach it, and secrets would go there in the clear. Set "
            "GATEWAY_INTERNAL_CERTIFICATE, GATEWAY_INTERNAL_KEY and GATEWAY_INTERNAL_AUTHORITY, or use 127.0.0.1"
        )
    return Where(
        host_and_port(address),
        host_and_port(internal),
        certificate,
        key,
        settings.GATEWAY_INTERNAL_URL.rstrip("/"),
        tls,
    )


def internal_tls() -> InternalTls | None:
    given = [
        settings.GATEWAY_INTERNAL_CERTIFICATE, settings.GATEWAY_INTERNAL_KEY, settings.GATEWAY_INTERNAL_AUTHORITY,
    ]  # fmt: skip
    if not any(given):
        return None
    if not all(given):
        raise CommandError("GATEWAY_INTERNAL_CERTIFICATE, _KEY and _AUTHORITY belong together: set all three or none")
    return InternalTls(*map(Path, given))


def host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)
