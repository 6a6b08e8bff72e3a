"""`manage.py streams`: the server for WebSockets, beside the one for everything else."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Serve commands in containers (/exec/…), which need WebSockets, on a port of their own."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8001)

    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        command = [
            str(Path(sys.executable).parent / "granian"), "--interface", "asginl", "--host", host, "--port", str(port),
            "--workers", "1", "--log-level", "warning", "portal.asgi:application",
        ]  # fmt: skip
        os.execv(command[0], command)  # noqa: S606 - becomes the server
