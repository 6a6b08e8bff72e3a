"""`make audit-dependencies`: known holes in what the lock file pins.

Asks the advisory service (PyPI's, by pip-audit) about every locked package. Three ends, never taken for one another:

    0  every package was looked up, and none has a hole that is not allowed
    1  a known hole, or an entry of the allowlist that has run out
    3  the service did not answer for some package: nothing is known, which is not the same as clean

Holes that must be lived with stand in `audit-allow.toml`, each with its reason and the day on which that ends.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
ALLOWED = REPOSITORY / "audit-allow.toml"
SECONDS = 300
CLEAN, HOLES, UNKNOWN = 0, 1, 3


class NoAnswer(Exception):
    """The advisory service could not be asked; the text says what was seen."""


class BadAllowlist(ValueError):
    """An entry of the allowlist lacks something."""


@dataclass(frozen=True)
class Hole:
    package: str
    version: str
    ids: frozenset[str]
    """The advisory's id and its aliases: one hole has several names."""
    fixed_in: tuple[str, ...]

    def __str__(self) -> str:
        fix = f"; fixed in {', '.join(self.fixed_in)}" if self.fixed_in else "; no fix yet"
        return f"{self.package} {self.version}: {', '.join(sorted(self.ids))}{fix}"


@dataclass(frozen=True)
class Allowance:
    id: str
    package: str
    reason: str
    expires: date


def allowances(text: str) -> list[Allowance]:
    """The entries of the allowlist. Raises `BadAllowlist`."""
    found = []
    for entry in tomllib.loads(text).get("hole", []):
        missing = [name for name in ("id", "package", "reason", "expires") if not entry.get(name)]
        if missing or not isinstance(entry["expires"], date):
            raise BadAllowlist(f"{entry.get('id', 'an entry')} needs {', '.join(missing) or 'a date in expires'}")
        found.append(Allowance(entry["id"], entry["package"], entry["reason"], entry["expires"]))
    return found


def holes_in(report: Mapping[str, Any]) -> tuple[list[Hole], list[str]]:
    """What pip-audit's report says: the holes, and the packages that it could not look up."""
    holes, unknown = [], []
    for package in report["dependencies"]:
        if "skip_reason" in package:
            unknown.append(f"{package['name']}: {package['skip_reason']}")
            continue
        for hole in package["vulns"]:
            ids = frozenset([hole["id"], *hole.get("aliases", ())])
            holes.append(Hole(package["name"], package["version"], ids, tuple(hole.get("fix_versions", ()))))
    return holes, unknown


def verdict(
    holes: Iterable[Hole], unknown: Iterable[str], allowed: Iterable[Allowance], today: date
) -> tuple[int, list[str]]:
    """The exit code, and what to say."""
    said, code, used = [], CLEAN, set()
    allowed = list(allowed)
    for hole in holes:
        entry = next((item for item in allowed if item.id in hole.ids and item.package == hole.package), None)
        if entry is None:
            code = HOLES
            said.append(f"known hole: {hole}. Upgrade it, or add it to {ALLOWED.name} with a reason and a date.")
            continue
        used.add(entry)
        if entry.expires < today:
            code = HOLES
            said.append(f"allowed until {entry.expires}, which has passed: {hole} ({entry.reason})")
        else:
            said.append(f"allowed until {entry.expires}: {hole} ({entry.reason})")
    said += [f"{item.id} of {item.package} is allowed and not there any more: remove the entry" for item in allowed
             if item not in used]  # fmt: skip
    missing = list(unknown)
    if missing:
        code = code or UNKNOWN
        said.append(f"not looked up: {len(missing)} packages, so nothing is known about them; first {missing[0]}")
    return code, said


def report() -> Mapping[str, Any]:
    """pip-audit's report on the locked packages. Raises `NoAnswer`."""
    with tempfile.TemporaryDirectory() as directory:
        locked = Path(directory) / "requirements.txt"
        export = [
            str(REPOSITORY / "scripts" / "uv"),
            "export",
            "--frozen",
            "--all-groups",
            "--no-hashes",
            "-o",
            str(locked),
        ]
        made = subprocess.run(export, cwd=REPOSITORY, capture_output=True, text=True)
        if made.returncode:
            raise SystemExit(f"the lock file cannot be read: {made.stderr.strip()}")
        command = [
            *(sys.executable, "-m", "pip_audit", "--requirement", str(locked), "--no-deps", "--disable-pip"),
            *("--format", "json", "--progress-spinner", "off", "--aliases", "on"),
        ]
        try:
            asked = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            raise NoAnswer(f"no answer within {SECONDS} s") from None
    try:
        found: Mapping[str, Any] = json.loads(asked.stdout)
    except ValueError:
        last = asked.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise NoAnswer(last[0][-300:]) from None
    return found


def main() -> int:
    try:
        found = report()
    except NoAnswer as reason:
        print(f"the advisory service cannot be asked, so nothing is known: {reason}", file=sys.stderr)
        return UNKNOWN
    holes, unknown = holes_in(found)
    code, said = verdict(holes, unknown, allowances(ALLOWED.read_text()), datetime.now(UTC).date())
    print("\n".join(said), file=sys.stderr)
    if code == CLEAN:
        print(f"{len(found['dependencies'])} locked packages looked up, no hole that is not allowed")
    return code


if __name__ == "__main__":
    raise SystemExit(main())
