"""The figures as people read them, with the peer's beside them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import NamedTuple

from bench.delivery import Measurement

PEER_APPLY = "113 to 153"
PEER_EDIT = "336 to 392"
PEER_MEMORY = "106"
PEER = "OpenChoreo 1.2, recorded (200 components, 2 shared cores)"


class Row(NamedTuple):
    """One figure: what, how much, of what, what it must stay below, the peer's recorded one, and what was aimed at."""

    name: str
    value: float
    unit: str
    target: float | None = None
    peer: str = ""
    aim: str = ""


def figures(title: str, rows: Iterable[Row]) -> str:
    """Figures under a title, each with its target and the peer's."""
    lines = [f"\n{title}"]
    for row in rows:
        target = f"  (target: below {row.target:g} {row.unit})" if row.target is not None else ""
        peer = f"  [peer: {row.peer}]" if row.peer else ""
        aim = f"  (aim: {row.aim})" if row.aim else ""
        lines.append(f"  {row.value:10.3f} {row.unit:<5} {row.name}{target}{aim}{peer}")
    return "\n".join(lines)


def line(measured: Measurement) -> str:
    """One run in one line, printed as soon as it is done."""
    marks = ", ".join(f"{count} after {seconds:.1f} s" for count, seconds in measured.milestones.items())
    return (
        f"{title(measured)}: {measured.components} components, {measured.objects} objects; "
        f"apply took {measured.apply_seconds:.1f} s; delivered: {marks}; "
        f"at rest after {measured.settled_seconds:.1f} s; "
        f"one edit of the type reached all after {measured.edit_seconds:.1f} s"
    )


def title(measured: Measurement) -> str:
    names = {"sqlite": "SQLite, files", "postgresql": "PostgreSQL, files", "redis": "PostgreSQL, Redis"}
    return f"{names[measured.setup]}, {measured.workers} worker{'s' if measured.workers > 1 else ''}"


def table(measurements: Sequence[Measurement]) -> str:
    """All runs side by side."""
    rows = [("", "applied to delivered, per minute", "one edit to all, per minute", "peak MiB a worker", "CPU ms each")]
    rows += [
        (
            title(measured),
            f"{measured.per_minute:.0f}",
            f"{measured.edits_per_minute:.0f}",
            f"{max(measured.peak_memory):.0f}",
            f"{measured.worker_cpu_seconds / measured.components / 2 * 1000:.0f}",
        )
        for measured in measurements
    ]
    rows.append((PEER, PEER_APPLY, PEER_EDIT, PEER_MEMORY, "79 to 106"))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


def as_json(measurements: Sequence[Measurement]) -> str:
    figures = [
        {**asdict(item), "per_minute": item.per_minute, "edits_per_minute": item.edits_per_minute}
        for item in measurements
    ]
    return json.dumps(figures, indent=2) + "\n"
