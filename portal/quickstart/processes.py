"""The quickstart's children: the HTTP server and the worker, started together and stopped together."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

STOP_SECONDS = 15.0


@dataclass
class Processes:
    """Starts processes, notices when one ends by itself, and stops the rest by their own ids."""

    log_directory: Path
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, *command: str) -> None:
        """Start a child whose output goes to `<name>.log`. It gets no Ctrl-C of its own: `stop` ends it."""
        self.log_directory.mkdir(parents=True, exist_ok=True)
        log = (self.log_directory / f"{name}.log").open("ab")
        with log:
            self.running[name] = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True
            )

    def ended(self) -> str | None:
        """The name of a child that has ended by itself, or None."""
        for name, process in self.running.items():
            if process.poll() is not None:
                return name
        return None

    def log_of(self, name: str) -> Path:
        return self.log_directory / f"{name}.log"

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
        self.running.clear()


def server_command(host: str, port: int) -> list[str]:
    """granian with one process: the embedded set-up."""
    return [
        str(Path(sys.executable).parent / "granian"),
        "--interface", "wsgi", "--host", host, "--port", str(port),
        "--workers", "1", "--blocking-threads", "4", "--no-ws", "--log-level", "warning",
        "portal.wsgi:application",
    ]  # fmt: skip


def worker_command() -> list[str]:
    """One Celery worker without child processes."""
    return [
        sys.executable, "-m", "celery", "-A", "portal", "worker",
        "--pool", "solo", "--loglevel", "warning", "--without-gossip", "--without-mingle", "--without-heartbeat",
    ]  # fmt: skip


def port_is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def wait_for_port(host: str, port: int, processes: Processes, seconds: float = 30.0) -> bool:
    """Whether something answers on the port before the time is over or a child has ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and processes.ended() is None:
        with socket.socket() as probe:
            probe.settimeout(0.5)
            if probe.connect_ex((host, port)) == 0:
                return True
        time.sleep(0.05)
    return False
