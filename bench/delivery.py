"""From `apply` to delivered: the time until N components are on the plane, and the time until one edit reaches all.

The clock starts before the first document is applied and stops when the last object's row says that it was delivered,
so that the apply itself is part of it, as in the peer's figures. Every component is a service of six objects.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.real.installation import Installation, greeter

POLL_SECONDS = 0.1
LIMIT_SECONDS = 900.0
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Measurement:
    """Seconds, mebibytes, CPU seconds. `milestones`: seconds until that many components were delivered."""

    setup: str
    workers: int
    components: int
    apply_seconds: float = 0.0
    delivered_seconds: float = 0.0
    settled_seconds: float = 0.0
    edit_seconds: float = 0.0
    objects: int = 0
    peak_memory: list[float] = field(default_factory=list)
    worker_cpu_seconds: float = 0.0
    commits: int = 0
    milestones: dict[int, float] = field(default_factory=dict)

    @property
    def per_minute(self) -> float:
        return self.components / self.delivered_seconds * 60

    @property
    def edits_per_minute(self) -> float:
        return self.components / self.edit_seconds * 60


def measure(setup: str, home: Path, database: str, broker: str, workers: int, components: int) -> Measurement:
    """Run one installation and take its figures."""
    measured = Measurement(setup, workers, components)
    with Installation(home, database, broker) as installation:
        installation.prepare()
        for _ in range(workers):
            installation.start_worker()
        installation.apply(*greeter("warm-up"))  # the workers are up, and the types have been compiled once
        installation.wait_until_settled(1)
        apply_all(installation, measured)
        edit_the_type(installation, measured)
        measured.peak_memory = [memory_of(worker.pid) for worker in installation.workers]
        measured.worker_cpu_seconds = sum(cpu_of(worker.pid) for worker in installation.workers)
    return measured


def apply_all(installation: Installation, measured: Measurement) -> None:
    """Apply all components while the workers work."""
    documents = [document for number in range(measured.components) for document in greeter(f"greeter-{number}")]
    watcher = Installation(installation.home, installation.database_url, installation.broker_url)
    with watcher:
        watcher.ask(delivered=True)
        started = time.monotonic()
        applying = threading.Thread(target=lambda: answers.append(installation.apply(*documents)))
        answers: list[dict[str, Any]] = []
        applying.start()
        marks = sorted({1, measured.components // 2, measured.components})
        while marks:
            count = watcher.ask(delivered=True)["delivered"] - 1
            while marks and count >= marks[0]:
                measured.milestones[marks.pop(0)] = time.monotonic() - started
            if time.monotonic() - started > LIMIT_SECONDS:
                raise TimeoutError(f"{count} of {measured.components} delivered after {LIMIT_SECONDS:.0f} s")
            time.sleep(POLL_SECONDS)
        measured.delivered_seconds = time.monotonic() - started
        applying.join()
    measured.apply_seconds = answers[0]["seconds"]
    measured.objects = installation.wait_until_settled(measured.components + 1, LIMIT_SECONDS)["objects"]
    measured.settled_seconds = time.monotonic() - started


def edit_the_type(installation: Installation, measured: Measurement) -> None:
    """Edit the component type once: every component gets a new release, and its objects change."""
    before = installation.state()
    started = time.monotonic()
    installation.ask(edit_type="service")
    wanted = {name: count + 1 for name, count in before["releases"].items()}
    while True:
        found = installation.state()
        if found["releases"] == wanted and found["delivered"] == found["objects"] and found["due"] == 0:
            break
        if time.monotonic() - started > LIMIT_SECONDS:
            raise TimeoutError(f"the edit did not reach all components within {LIMIT_SECONDS:.0f} s")
        time.sleep(POLL_SECONDS * 5)
    measured.edit_seconds = time.monotonic() - started


def memory_of(pid: int) -> float:
    """The most memory that a process has had resident, in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (peak,) = (line for line in lines if line.startswith("VmHWM"))
    return int(peak.split()[1]) / 1024


def cpu_of(pid: int) -> float:
    """CPU seconds of a process so far, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS
