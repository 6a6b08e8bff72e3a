"""The machine that a benchmark ran on, in one line: figures without it mean nothing."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def describe_machine() -> str:
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"machine: {cpu_model()}, {os.cpu_count()} CPUs, {memory_gib():.0f} GiB, "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}, load {load}"
    )


def cpu_model() -> str:
    for line in read(Path("/proc/cpuinfo")).splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
