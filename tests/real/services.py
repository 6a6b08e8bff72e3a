"""Real components for tests and benchmarks: a PostgreSQL and a Redis of their own, on loopback, gone afterwards.

Installed programs are used; missing ones are installed from Debian when this runs as root. Data lie in a temporary
directory on a free port, with nothing synced to disk. `Unavailable` says why a component is not to be had.

    with start_postgresql() as postgresql:
        DATABASE_URL = postgresql.url
"""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

READY_SECONDS = 60.0
STOP_SECONDS = 10.0
INSTALL_SECONDS = 600.0


class Unavailable(Exception):
    """The component cannot be started here; the text says why."""


@dataclass
class Service:
    """A running component. Use it as a context manager, or call `stop`; the end of the process stops it too."""

    name: str
    url: str
    port: int
    command: Sequence[str]
    directory: Path
    user: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def __enter__(self) -> Service:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def log(self) -> Path:
        return self.directory / "log"

    def start(self) -> None:
        """Start the process; it hears no Ctrl-C of the terminal, so that tests end before their database does."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.directory,
                start_new_session=True, **identity(self.user),
            )  # fmt: skip

    def wait_until(self, is_ready: Callable[[], bool]) -> None:
        """Wait until it answers. Raises `Unavailable` with the end of its log."""
        deadline = time.monotonic() + READY_SECONDS
        while not is_ready():
            if self.process is None or self.process.poll() is not None or time.monotonic() > deadline:
                said = self.log.read_text(errors="replace").strip()[-500:]
                self.stop()
                raise Unavailable(f"{self.name} did not become ready: {said or 'it said nothing'}")
            time.sleep(0.05)

    def kill(self) -> None:
        """End it without warning, as a power cut does; `start` brings it back on the same port."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> None:
        """Stop this very process and remove its data."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(self.stop_signal)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)
        atexit.unregister(self.stop)


def start_postgresql() -> Service:
    """A PostgreSQL with an empty database `stagecraft`; its `url` is a DATABASE_URL. Raises `Unavailable`."""
    programs = postgresql_programs()
    user = unprivileged("postgres", "nobody") if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
    directory = directory_for("postgresql", user)
    data, port = directory / "data", free_port()
    initdb = [
        str(programs / "initdb"), "-D", str(data), "-U", "stagecraft", "--auth=trust", "-E", "UTF8", "--locale=C",
        "--no-sync",
    ]  # fmt: skip
    made = subprocess.run(initdb, cwd=directory, capture_output=True, text=True, check=False, **identity(user))
    if made.returncode != 0:
        shutil.rmtree(directory, ignore_errors=True)
        raise Unavailable(f"initdb failed: {made.stderr.strip()[-500:]}")
    command = [str(programs / "postgres"), "-D", str(data), "-p", str(port)]
    for setting in (
        "listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "synchronous_commit=off",
        "full_page_writes=off", "max_connections=100", "shared_buffers=64MB",
    ):  # fmt: skip
        command += ["-c", setting]
    # SIGINT is PostgreSQL's fast shutdown: it does not wait for clients to leave.
    url = f"postgresql://stagecraft@127.0.0.1:{port}/stagecraft"
    service = Service("PostgreSQL", url, port, command, directory, user, signal.SIGINT)
    return started(service, lambda: create_database(port))


def create_database(port: int) -> bool:
    """Whether the server answers; makes the database if it does."""
    import psycopg

    address = {"host": "127.0.0.1", "port": port, "user": "stagecraft", "connect_timeout": 2}
    try:
        with psycopg.connect(dbname="postgres", autocommit=True, **address) as connection:  # type: ignore[arg-type]
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = 'stagecraft'").fetchone() is None:
                connection.execute("CREATE DATABASE stagecraft")
    except psycopg.OperationalError:
        return False
    return True


def postgresql_programs() -> Path:
    """The directory with `initdb` and `postgres`, the newest version's. Raises `Unavailable`."""

    def find() -> Path | None:
        found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
        found.sort(key=lambda path: float(path.parent.name))
        in_path = shutil.which("initdb")
        return found[-1] if found else Path(in_path).parent if in_path else None

    return find() or install("postgresql", find)


def start_redis() -> Service:
    """A Redis that keeps nothing on disk; its `url` is a CELERY_BROKER_URL. Raises `Unavailable`."""

    def find() -> Path | None:
        found = shutil.which("redis-server") or shutil.which("valkey-server")
        return Path(found) if found else None

    program = find() or install("redis-server", find)
    port, directory = free_port(), directory_for("redis", None)
    command = [str(program), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    return started(Service("Redis", f"redis://127.0.0.1:{port}/0", port, command, directory), lambda: answers(port))


def answers(port: int) -> bool:
    """Whether Redis answers a PING."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def started(service: Service, is_ready: Callable[[], bool]) -> Service:
    """Start a service and wait for it."""
    atexit.register(service.stop)
    service.start()
    service.wait_until(is_ready)
    return service


def install(package: str, find: Callable[[], Path | None]) -> Path:
    """Install a Debian package and return what it brings. Raises `Unavailable`."""
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        raise Unavailable(f"{package} is not installed, and installing it needs root on Debian or Ubuntu")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in ([apt, "install", "-y", "-qq", package], [apt, "update", "-qq"], [apt, "install", "-y", package]):
        try:
            result = subprocess.run(
                command, env=quiet, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise Unavailable(f"{' '.join(command)} took longer than {INSTALL_SECONDS:.0f} s") from None
        if (found := find()) is not None:
            return found
    raise Unavailable(f"{package} could not be installed: {result.stderr.strip()[-500:]}")


def unprivileged(*names: str) -> str:
    """The first of these users that exists. Raises `Unavailable`."""
    known = {entry.pw_name for entry in pwd.getpwall()}
    for name in names:
        if name in known:
            return name
    raise Unavailable(f"it must not run as root, and there is no user {' or '.join(names)}")


def identity(user: str | None) -> dict[str, object]:
    """The arguments of `subprocess` that run a program as another user."""
    return {} if user is None else {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


def directory_for(name: str, user: str | None) -> Path:
    directory = Path(tempfile.mkdtemp(prefix=f"stagecraft-{name}-"))
    if user is not None:
        os.chown(directory, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
    return directory


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
