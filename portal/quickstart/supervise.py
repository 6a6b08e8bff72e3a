"""Starts the server and the worker, waits until the sample is delivered, and stops them on Ctrl-C.

`manage.py quickstart` becomes this program by exec once the database is ready. It imports nothing but the standard
library and asks the server over HTTP, so that it costs the machine 20 MB instead of 110. Its argument is a file
descriptor from which it reads its orders as JSON.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

START_SECONDS = 30.0
DELIVERY_SECONDS = 60.0
STOP_SECONDS = 15.0
SERVER_THREADS = 72
"""As many as the default settings can use: STREAMS_MAX and REQUESTS_AT_ONCE. They come and go as they are needed."""


@dataclass(frozen=True)
class Orders:
    """What `manage.py quickstart` hands over. `began` is a `time.time()`; `told` is its note on the sample."""

    host: str
    port: int
    home: str
    git_repository: str
    git_branch: str
    username: str
    password: str
    token: str
    began: float
    sample: bool
    agents: bool
    told: str
    exit_when_delivered: bool
    json_file: str | None

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


class Stopped(Exception):
    """Ctrl-C or SIGTERM."""


class Failed(Exception):
    """Why it cannot go on, for the person at the terminal."""


@dataclass
class Children:
    """The processes started here; stopped by their own ids."""

    log_directory: Path
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, *command: str) -> None:
        """Start a child whose output goes to `<name>.log`. It gets no Ctrl-C of its own: `stop` ends it."""
        self.log_directory.mkdir(parents=True, exist_ok=True)
        with self.log_of(name).open("ab") as log:
            self.running[name] = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True
            )

    def log_of(self, name: str) -> Path:
        return self.log_directory / f"{name}.log"

    def check(self) -> None:
        """Raise `Failed` if one has ended by itself."""
        for name, process in self.running.items():
            if process.poll() is not None:
                raise Failed(f"the {name} has ended by itself; see {self.log_of(name)}")

    def stop(self) -> None:
        """Ask all to stop, wait, and end what does not listen."""
        for process in self.running.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for process in self.running.values():
            try:
                process.wait(timeout=max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def supervise(orders: Orders) -> None:
    """The whole life of the quickstart after its preparation."""
    children = Children(Path(orders.home) / "logs")
    try:
        started = time.monotonic()
        children.start("worker", *worker_command())
        children.start("server", *server_command(orders.host, orders.port))
        if orders.agents:
            children.start("gateway", sys.executable, "manage.py", "gateway")
            children.start("streams", sys.executable, "manage.py", "streams", "--host", orders.host)
        wait_for_port(orders, children)
        step(started, "server and worker")
        if orders.sample:
            started = time.monotonic()
            delivered = wait_for_delivery(orders, children)
            step(started, f"sample shop compiled and delivered  ({orders.told}; {delivered} releases)")
        seconds = time.time() - orders.began
        show(orders, seconds)
        if orders.json_file:
            write_facts(orders, children, seconds)
        while not orders.exit_when_delivered:
            time.sleep(0.5)
            children.check()
    finally:
        # A second Ctrl-C while stopping must not leave children behind.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        children.stop()


def server_command(host: str, port: int) -> list[str]:
    """granian with one process: the embedded set-up."""
    return [
        str(Path(sys.executable).parent / "granian"),
        "--interface", "wsgi", "--host", host, "--port", str(port),
        "--workers", "1", "--blocking-threads", str(SERVER_THREADS), "--no-ws", "--log-level", "warning",
        "portal.wsgi:application",
    ]  # fmt: skip


def worker_command() -> list[str]:
    """One Celery worker without child processes."""
    return [
        sys.executable, "-m", "celery", "-A", "portal", "worker",
        "--pool", "solo", "--loglevel", "warning", "--without-gossip", "--without-mingle", "--without-heartbeat",
    ]  # fmt: skip


def wait_for_port(orders: Orders, children: Children) -> None:
    """Until the server answers."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        children.check()
        with socket.socket() as probe:
            probe.settimeout(0.5)
            if probe.connect_ex((orders.host, orders.port)) == 0:
                return
        time.sleep(0.05)
    raise Failed(f"the server does not answer on {orders.url}; see {children.log_of('server')}")


def wait_for_delivery(orders: Orders, children: Children) -> int:
    """Until every release binding is Ready. Returns how many there are."""
    deadline = time.monotonic() + DELIVERY_SECONDS
    shown = -1
    waiting = ["nothing has been released yet"]
    while time.monotonic() < deadline:
        children.check()
        states = [ready_state(item) for item in read(orders, "/api/v1/namespaces/default/releasebindings?limit=100")]
        waiting = [state for state in states if state] or ([] if states else waiting)
        if not waiting:
            return len(states)
        ready = len(states) - len(waiting) if states else 0
        if ready != shown and sys.stdout.isatty():
            shown = ready
            print(f"\r\033[K         {ready} of {len(states)} releases delivered", end="", flush=True)
        time.sleep(0.1)
    raise Failed(
        f"after {DELIVERY_SECONDS:.0f} s not everything is delivered: {', '.join(waiting)}; "
        f"see {children.log_of('worker')}"
    )


def read(orders: Orders, path: str) -> list[dict[str, Any]]:
    """A list from the server; empty while it does not answer."""
    request = urllib.request.Request(orders.url + path, headers={"Authorization": f"Bearer {orders.token}"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=5) as reply:  # noqa: S310 - our own server
            items: list[dict[str, Any]] = json.load(reply)["items"]
            return items
    except OSError:
        return []


def ready_state(binding: dict[str, Any]) -> str:
    """ "" if the binding is ready, else its name and what it waits for."""
    conditions = {item["type"]: item for item in binding.get("status", {}).get("conditions", [])}
    ready = conditions.get("Ready", {})
    if ready.get("status") == "True":
        return ""
    return f"{binding['metadata']['name']} ({ready.get('reason', 'not looked at yet')})"


def step(started: float, name: str) -> None:
    """A finished step with its time."""
    clear = "\r\033[K" if sys.stdout.isatty() else ""
    print(f"{clear}  {time.monotonic() - started:5.1f} s  {name}", flush=True)


def show(orders: Orders, seconds: float) -> None:
    print(
        f"""
Ready after {seconds:.1f} s.

  Admin      {orders.url}/admin/
             user {orders.username}, password {orders.password}
  REST       {orders.url}/api/v1/namespaces/default/components
             all of it: {orders.url}/reference/
  API token  {orders.token}
  Git plane  {orders.git_repository}
             see it: git -C {orders.git_repository} log --stat {orders.git_branch}
  Logs       {orders.home}/logs

  Try        curl -s -H 'Authorization: Bearer {orders.token}' {orders.url}/api/v1/namespaces/default/releasebindings
             .venv/bin/python manage.py get components

  Ctrl-C stops everything.""",
        flush=True,
    )


def write_facts(orders: Orders, children: Children, seconds: float) -> None:
    """The same for programs; the file appears whole or not at all."""
    facts = {
        "url": orders.url,
        "username": orders.username,
        "password": orders.password,
        "token": orders.token,
        "git": orders.git_repository,
        "seconds": round(seconds, 2),
        "pids": [os.getpid(), *(child.pid for child in children.running.values())],
    }
    path = Path(str(orders.json_file))
    draft = path.with_suffix(".part")
    draft.write_text(json.dumps(facts))
    draft.rename(path)


def on_signal(number: int, frame: FrameType | None) -> None:
    raise Stopped


def main() -> int:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    try:
        with os.fdopen(int(sys.argv[1])) as pipe:
            orders = Orders(**json.load(pipe))
        supervise(orders)
    except Stopped:
        print("\nstopping …", flush=True)
    except Failed as reason:
        print(f"\nstagecraft: {reason}", file=sys.stderr)
        return 1
    print("stopped. Everything is kept; run it again to go on.", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
