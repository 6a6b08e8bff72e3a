"""Installations to measure: an empty one for each database, what fills it, and the product's own server on it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from portal.quickstart.supervise import server_command
from tests.real import services

REPOSITORY = Path(__file__).resolve().parent.parent
TICKS = os.sysconf("SC_CLK_TCK")
START_SECONDS = 60.0


def installations(setups: Iterable[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """For `sqlite` and `postgresql` in turn the environment of an installation that is gone with the next one. One that
    cannot be had here is left out, with the reason on the screen."""
    for setup in setups:
        with ExitStack() as stack:
            try:
                url = stack.enter_context(services.start_postgresql()).url if setup == "postgresql" else ""
            except services.Unavailable as reason:
                print(f"{setup}: left out, {reason}", flush=True)
                continue
            home = stack.enter_context(tempfile.TemporaryDirectory(prefix="stagecraft-bench-"))
            yield setup, {
                **os.environ, "STAGECRAFT_HOME": home, "DATABASE_URL": url, "CELERY_BROKER_URL": "memory://",
                "LOG_LEVEL": "WARNING",
            }  # fmt: skip


def child(environment: dict[str, str], module: str, argument: str) -> Any:
    """What a module that is run in an installation prints in its last line, as JSON."""
    command = [sys.executable, "-m", module, argument]
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


@contextmanager
def server(environment: dict[str, str]) -> Iterator[tuple[int, int]]:
    """The product's server as the quickstart starts it, answering: its process and its port."""
    port = services.free_port()
    process = subprocess.Popen(
        server_command("127.0.0.1", port), cwd=REPOSITORY, env=environment, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_for(port)
        yield process.pid, port
    finally:
        process.terminate()
        process.wait()


def wait_for(port: int) -> None:
    """Until the server says that it is healthy."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/health")
            if connection.getresponse().status == 200:
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.1)


def cpu_seconds(pid: int) -> float:
    """CPU time of a process and its descendants."""
    children: dict[int, list[int]] = {}
    used: dict[int, float] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        number = int(path.parent.name)
        children.setdefault(int(fields[1]), []).append(number)
        used[number] = (int(fields[11]) + int(fields[12])) / TICKS
    total, open_ones = 0.0, [pid]
    while open_ones:
        number = open_ones.pop()
        total += used.get(number, 0.0)
        open_ones += children.get(number, [])
    return total
