"""`python -m tests`: the whole suite on SQLite, then every test that uses the database on a real PostgreSQL.

One pytest per database, so that each run sees one database only. Arguments go to both. `--soak` runs the long tests
instead. The exit code is that of the first run that failed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from tests.conftest import REAL
from tests.real import services
from tests.real.cluster import build


def run_pytest(title: str, arguments: list[str], **environment: str) -> int:
    print(f"\n=== {title} ===", flush=True)
    started = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-q", "-n", str(workers()), "--dist", "loadgroup", *arguments]
    code = subprocess.run(command, env={**os.environ, **environment}).returncode
    print(f"=== {title}: {'passed' if code == 0 else 'failed'} in {time.monotonic() - started:.0f} s ===", flush=True)
    return code


def workers() -> int:
    return max(1, min(4, os.cpu_count() or 1))


def prepare_kubernetes() -> None:
    """Build the control plane before a whole run, once: it takes longer than a test may. Tests say if it failed."""
    try:
        build.kubernetes()
    except services.Unavailable as reason:
        print(f"\nKubernetes is not to be had here: {reason}", flush=True)


def main(arguments: list[str]) -> int:
    if "--soak" in arguments:
        rest = [argument for argument in arguments if argument != "--soak"]
        return run_pytest("soak", ["-m", "soak", *rest])
    if not arguments:
        prepare_kubernetes()
    arguments = ["-m", "not soak", *arguments] if "-m" not in arguments else arguments
    first = run_pytest("SQLite", arguments)
    try:
        postgresql = services.start_postgresql()
    except services.Unavailable as reason:
        print(f"\nPostgreSQL is not to be had here: {reason}; its run is left out", flush=True)
        return first or (1 if REAL else 0)
    with postgresql:
        selected = ["-m", "database and not soak", *arguments[2:]] if arguments[:1] == ["-m"] else arguments
        second = run_pytest("PostgreSQL", selected, DATABASE_URL=postgresql.url)
        if second == pytest.ExitCode.NO_TESTS_COLLECTED and arguments[2:]:
            second = 0  # a choice of tests that has none on the database
    return first or second


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
