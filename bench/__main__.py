"""`make bench`: how fast a change reaches a plane, and what compiling, previewing, permission and clusters cost.

See `--help`.
A run of `delivery` is a whole installation in a temporary directory with real worker processes. The peer's figures
beside ours were recorded from OpenChoreo 1.2 itself, on another day and with a cluster as its plane: they tell the
order of magnitude.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path

from bench import report
from bench.delivery import Measurement, measure
from bench.machine import describe_machine
from tests.real import services

SETUPS = ("sqlite", "postgresql", "redis")
SUBJECTS = ("compiler", "delivery", "preview", "access", "rest", "mcp")
SCALED = ("access", "rest")


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    print(describe_machine(), flush=True)
    for subject in options.subjects:
        if subject == "delivery":
            measure_delivery(options)
        elif subject == "cluster":
            measure_cluster(options)
        else:
            # Imported here: each of them loads what it measures.
            measure_subject = import_module(f"bench.{subject}").run
            rows = measure_subject(options.scale) if subject in SCALED else measure_subject()
            print(report.figures(subject, rows), flush=True)
    return 0


def measure_delivery(options: argparse.Namespace) -> None:
    """From apply to the plane, on each set-up."""
    measurements = []
    for setup in options.setups:
        for workers in options.workers:
            with ExitStack() as stack:
                try:
                    measured = run(stack, setup, workers, options.components)
                except services.Unavailable as reason:
                    print(f"{setup}: left out, {reason}", flush=True)
                    continue
            measurements.append(measured)
            print(report.line(measured), flush=True)
    print(report.table(measurements))
    if options.json:
        Path(options.json).write_text(report.as_json(measurements))


def measure_cluster(options: argparse.Namespace) -> None:
    """On a real cluster, on each database."""
    cluster = import_module("bench.cluster")
    for setup in options.setups:
        try:
            cluster.run("sqlite" if setup == "sqlite" else "postgresql", options.cluster_components, options.idle)
        except services.Unavailable as reason:
            print(f"cluster, {setup}: left out, {reason}", flush=True)


def run(stack: ExitStack, setup: str, workers: int, components: int) -> Measurement:
    """One measurement: `sqlite` with files as broker, `postgresql` with files, `redis` for PostgreSQL and Redis."""
    home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="stagecraft-bench-")))
    database = stack.enter_context(services.start_postgresql()).url if setup != "sqlite" else ""
    broker = stack.enter_context(services.start_redis()).url if setup == "redis" else ""
    return measure(setup, home, database, broker, workers, components)


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.splitlines()[0])
    parser.add_argument("subjects", nargs="*", metavar="SUBJECT", help=f"what to measure: {', '.join(SUBJECTS)} (all)")
    parser.add_argument("--components", type=int, default=300, help="how many components are applied (300)")
    parser.add_argument(
        "--scale", type=float, default=1.0, help="access, rest: part of their million or 100,000 components (1)"
    )
    parser.add_argument("--workers", type=int, nargs="+", default=[2], help="how many worker processes (2)")
    parser.add_argument("--setups", nargs="+", choices=SETUPS, default=["sqlite", "postgresql"], help="databases")
    parser.add_argument(
        "--cluster-components", type=int, default=1000, help="cluster: how many in three environments (1000)"
    )
    parser.add_argument("--idle", type=float, default=310.0, help="cluster: seconds of rest that are measured (310)")
    parser.add_argument("--json", metavar="FILE", help="also write the figures to a file")
    options = parser.parse_args(arguments)
    unknown = set(options.subjects) - set(SUBJECTS)
    if unknown:
        parser.error(f"unknown subject {', '.join(sorted(unknown))}; choose from {', '.join(SUBJECTS)}")
    options.subjects = options.subjects or list(SUBJECTS)
    return options


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
