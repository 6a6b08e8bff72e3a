"""`manage.py quickstart`: from an empty directory to a running platform with a sample shop delivered.

The steps, each shown with its time: migrate, platform defaults, administrator, server and worker, sample, delivery.
Everything is idempotent; Ctrl-C stops the children and ends.
"""

from __future__ import annotations

import json
import signal
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from portal.quickstart import content, credentials, processes
from portal.settings import HOME

DELIVERY_SECONDS = 60.0


class Stopped(Exception):
    """Ctrl-C or SIGTERM."""


class Command(BaseCommand):
    help = "Set up and run everything on this machine: database, defaults, sample, server and worker."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on")
        parser.add_argument("--no-sample", action="store_true", help="leave the sample shop out")
        parser.add_argument("--exit", action="store_true", help="stop again as soon as the sample is delivered")
        parser.add_argument("--json", metavar="FILE", help="also write URLs, login, token and times to a file")

    def handle(self, *_: Any, **options: Any) -> None:
        host, port = options["host"], options["port"]
        self.began = time.monotonic()
        if not processes.port_is_free(host, port):
            raise CommandError(f"port {port} is in use. Choose another: make quickstart PORT={port + 1}")
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.on_signal)
        children = processes.Processes(HOME / "logs")
        try:
            self.run(children, host, port, options)
        except Stopped:
            self.stdout.write("\nstopping …")
        finally:
            # A second Ctrl-C while stopping must not leave children behind.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            children.stop()
        self.stdout.write("stopped. Everything is kept; run it again to go on.")

    def run(self, children: processes.Processes, host: str, port: int, options: dict[str, Any]) -> None:
        self.stdout.write(f"Stagecraft quickstart, data in {HOME}")
        with self.step("database"):
            call_command("migrate", verbosity=0)
        with self.step("platform defaults") as notes:
            notes.append(told(content.apply_directory(content.DEFAULTS)))
        with self.step("administrator and token"):
            login = credentials.administrator(HOME)
        with self.step("server and worker"):
            children.start("worker", *processes.worker_command())
            children.start("server", *processes.server_command(host, port))
            if not options["no_sample"]:
                counts = content.apply_directory(content.SHOP)
            if not processes.wait_for_port(host, port, children):
                name = children.ended() or "server"
                raise CommandError(f"the {name} did not start; see {children.log_of(name)}")
        if not options["no_sample"]:
            with self.step("sample shop compiled and delivered") as notes:
                notes.append(told(counts))
                notes.append(self.wait_for_delivery(children))
        seconds = time.monotonic() - self.began
        self.show(host, port, login, seconds)
        if options["json"]:
            facts = {"url": f"http://{host}:{port}", "seconds": round(seconds, 2), "username": login.username}
            facts |= {"password": login.password, "token": login.token, "git": settings.GIT_PLANE_REPOSITORY}
            facts["pids"] = [str(child.pid) for child in children.running.values()]
            Path(options["json"]).write_text(json.dumps(facts))
        if options["exit"]:
            return
        while (name := children.ended()) is None:
            time.sleep(0.5)
        raise CommandError(f"the {name} has ended by itself; see {children.log_of(name)}")

    def wait_for_delivery(self, children: processes.Processes) -> str:
        """Until every binding of the sample has its objects on the plane. Returns what was delivered."""
        from catalog.controllers import work
        from catalog.kinds.registry import kind_named
        from catalog.kinds.rendered_object import RenderedObject

        bindings: Any = kind_named("ReleaseBinding")._default_manager
        deadline = time.monotonic() + DELIVERY_SECONDS
        shown = -1
        while time.monotonic() < deadline:
            if (name := children.ended()) is not None:
                raise CommandError(f"the {name} has ended by itself; see {children.log_of(name)}")
            ready, wanted = bindings.filter(ready="True").count(), bindings.count()
            if ready != shown:
                shown = ready
                self.progress(f"{ready} of {wanted} releases delivered")
            if wanted and ready == wanted and work.unconverged_count() == 0:
                objects = RenderedObject.objects.exclude(applied_hash="").count()
                return f"{ready} releases, {objects} objects"
            time.sleep(0.1)
        left = bindings.exclude(ready="True")
        waiting = ", ".join(f"{binding.name} ({binding.ready_reason or 'not looked at yet'})" for binding in left)
        log = children.log_of("worker")
        raise CommandError(f"after {DELIVERY_SECONDS:.0f} s these are not delivered: {waiting}; see {log}")

    @contextmanager
    def step(self, name: str) -> Iterator[list[str]]:
        """Show a step, its time, and what it left in the list of notes."""
        started = time.monotonic()
        self.progress(f"{name} …")
        notes: list[str] = []
        yield notes
        detail = f"  ({'; '.join(notes)})" if notes else ""
        self.clear()
        self.stdout.write(f"  {time.monotonic() - started:5.1f} s  {name}{detail}")

    def progress(self, text: str) -> None:
        if self.stdout.isatty():
            self.stdout.write(f"\r\033[K         {text}", ending="")
            self.stdout.flush()

    def clear(self) -> None:
        if self.stdout.isatty():
            self.stdout.write("\r\033[K", ending="")

    def show(self, host: str, port: int, login: credentials.Credentials, seconds: float) -> None:
        url = f"http://{host}:{port}"
        self.stdout.write(
            self.style.SUCCESS(f"\nReady after {seconds:.1f} s.\n")
            + f"""
  Admin      {url}/admin/
             user {login.username}, password {login.password}
  REST       {url}/api/v1/namespaces/default/components
  API token  {login.token}
  Git plane  {settings.GIT_PLANE_REPOSITORY}
             see it: git -C {settings.GIT_PLANE_REPOSITORY} log --stat {settings.GIT_PLANE_BRANCH}
  Logs       {HOME / "logs"}

  Try        curl -s -H 'Authorization: Bearer {login.token}' {url}/api/v1/namespaces/default/releasebindings
             .venv/bin/python manage.py get components

  Ctrl-C stops everything."""
        )

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        raise Stopped


def told(counts: dict[str, int]) -> str:
    """`3 created, 1 changed`, leaving out what is zero."""
    return ", ".join(f"{number} {word}" for word, number in counts.items() if number) or "nothing"
