"""`manage.py quickstart`: from an empty directory to a running platform with a sample shop delivered.

This command prepares: database, platform defaults, administrator, sample. Then it becomes `supervise.py`, which starts
the server and the worker and waits for the delivery. Each step is shown with its time, and everything is idempotent.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from portal.accounts.issuer import clients, keys
from portal.quickstart import content, credentials, supervise


class Command(BaseCommand):
    help = "Set up and run everything on this machine: database, defaults, sample, server and worker."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on")
        parser.add_argument("--no-sample", action="store_true", help="leave the sample shop out")
        parser.add_argument(
            "--agents", action="store_true", help="also start the gateway for agents, and the server for commands"
        )
        parser.add_argument("--exit", action="store_true", help="stop again as soon as the sample is delivered")
        parser.add_argument("--json", metavar="FILE", help="also write URLs, login, token and times to a file")

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            orders = self.prepare(**options)
        except KeyboardInterrupt:
            raise CommandError("interrupted. What is done is kept; run it again to go on.") from None
        self.stdout.flush()
        # By a pipe, not as an argument: everybody on the machine can read a process's arguments.
        reader, writer = os.pipe()
        os.set_inheritable(reader, True)
        os.write(writer, json.dumps(asdict(orders)).encode())
        os.close(writer)
        # Tokens name the address that they come from; a set one stays, for a proxy may stand in front.
        os.environ.setdefault("PUBLIC_URL", orders.url)
        os.execv(sys.executable, [sys.executable, supervise.__file__, str(reader)])  # noqa: S606

    def prepare(
        self, *, host: str, port: int, no_sample: bool, agents: bool, exit: bool, json: str | None, **_: Any
    ) -> Any:
        began = time.time()
        if not port_is_free(host, port):
            raise CommandError(f"port {port} is in use. Choose another: make quickstart PORT={port + 1}")
        self.stdout.write(f"Stagecraft quickstart, data in {settings.HOME}")
        with self.step("database"):
            call_command("migrate", verbosity=0)
        with self.step("platform defaults") as notes:
            notes.append(told(content.apply_directory(content.DEFAULTS)))
        with self.step("administrator and token"):
            login = credentials.administrator(settings.HOME)
        with self.step("issuer of tokens"):
            clients.known_clients()
            keys.signing_row()
        counts = {} if no_sample else content.apply_directory(content.SHOP)
        return supervise.Orders(
            host=host,
            port=port,
            home=str(settings.HOME),
            git_repository=settings.GIT_PLANE_REPOSITORY,
            git_branch=settings.GIT_PLANE_BRANCH,
            username=login.username,
            password=login.password,
            token=login.token,
            began=began,
            sample=not no_sample,
            agents=agents,
            told=told(counts),
            exit_when_delivered=exit,
            json_file=json,
        )

    @contextmanager
    def step(self, name: str) -> Iterator[list[str]]:
        """Show a step when it is done, with its time and what it left in the list of notes."""
        started = time.monotonic()
        notes: list[str] = []
        yield notes
        supervise.step(started, f"{name}  ({'; '.join(notes)})" if notes else name)


def port_is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def told(counts: dict[str, int]) -> str:
    """`3 created, 1 changed`, leaving out what is zero."""
    return ", ".join(f"{number} {word}" for word, number in counts.items() if number) or "nothing new"
