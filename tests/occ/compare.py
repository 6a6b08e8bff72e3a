"""`python -m tests.occ.compare PROGRAM`: the commands of the conformance data's `live/occ.txt`, and what they print.

Each is run by the CLI against a fresh server that started as the recording's did. Ends with how many print the same,
how many differ for a reason that `REASONS` names, and how many differ otherwise (exit code 1 if any do).
"""

from __future__ import annotations

import argparse
import difflib
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import yaml

from tests.conftest import conformance_directory
from tests.replay.stage import Stage

GROUP = "openchoreo.dev/v1alpha1"


def ref(kind: str, name: str) -> dict[str, str]:
    return {"kind": kind, "name": name}


TYPES = "ClusterProjectType", "ClusterComponentType"
FILES = {
    "project.yaml": (
        "Project",
        "shop",
        {"deploymentPipelineRef": {"name": "default"}, "type": ref(TYPES[0], "default")},
    ),
    "env.yaml": ("Environment", "perf", {"dataPlaneRef": ref("ClusterDataPlane", "default")}),
    "ns.yaml": ("Namespace", "team-b", None),
    "rr.yaml": ("RenderedRelease", "x", {"environmentName": "development"}),
    "bad.yaml": ("Component", "bad", {"owner": {"projectName": "absent"}, "componentType": ref(TYPES[1], "worker")}),
}
"""Kind, name and spec of the files that the recording used."""
ADMINISTRATOR = {"claim": "sub", "value": "tester"}
VARIES = (
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UID"),
    (r"\d{4}-\d\d-\d\dT[\d:]+Z", "TIME"),
    (r"\b20\d{6}-(\d+)\b", r"DATE-\1"),
    (r"\b(\d+[dhms])+\b", "AGE"),
    (r"http://127\.0\.0\.1:\d+", "URL"),
    (r"observedGeneration: \d+", "observedGeneration: N"),
    (r" +", " "),
)
REASONS = (
    (r"Go Version: ", "the server is written in Python"),
    (r"last-applied-configuration|^ *\{\"apiVersion\"", "the recording's start state was made by kubectl"),
    (r"^zz-tester ", "the binding that lets the client of this run in"),
    (
        r"ResourcesProgressing|greeter-service-production .* Ready",
        "controllers act at once; pods were still starting there",
    ),
    (r"plane does not report health|Primary workload Deployment", "a Git plane reports no health"),
    (
        r"^Project 'shop' is already deployed|^ *Release: shop-",
        "the project's bindings are there before they are asked for",
    ),
    (r"platform cannot run commands there", "a Git plane runs no commands"),
)
"""A line that differs, as a pattern → why it may. What is no line of these differs otherwise."""
RACES = {"apply -f project.yaml": "a second apply lost a race with a finalizer there; here it succeeds"}


def compare(program: str, conformance: Path) -> int:
    blocks = re.split(r"^\$ occ ", (conformance / "live" / "occ.txt").read_text(), flags=re.MULTILINE)[1:]
    count = Counter[str]()
    with tempfile.TemporaryDirectory(prefix="stagecraft-occ-") as directory:
        home = Path(directory)
        prepare(home, conformance)
        with Stage(home / "stage", conformance, settings={"BUILT_IN_ISSUER": "true"}) as stage:
            secret = client(stage, home)
            environment = {**os.environ, "HOME": str(home / "user"), "CHOREO_API_ENDPOINT": stage.url}
            for block in blocks:
                command, _, recorded = block.partition("\n")
                given = command.replace("--client-secret x", f"--client-secret {secret}")
                given = given.replace("--client-id  ", "--client-id '' ") + ("''" if given.endswith("secret ") else "")
                done = subprocess.run(
                    [program, *shlex.split(given)],
                    cwd=home / "work", env=environment, text=True, capture_output=True, timeout=90, check=False,
                )  # fmt: skip
                printed = f"{done.stdout}{done.stderr}[exit {done.returncode}]\n"
                stage.settle()
                lines = different(shown(recorded), shown(printed))
                told = [line for line in lines if not line[2:].startswith("[exit ")] or lines
                unexplained = [line for line in told if not reason(line[2:]) and command not in RACES]
                count["the same" if not lines else "otherwise" if unexplained else "with a reason"] += 1
                if lines:
                    why = {RACES.get(command) or reason(line[2:]) for line in lines} - {""}
                    print(f"$ occ {command}\n  " + "\n  ".join([*lines, *(f"because: {item}" for item in sorted(why))]))
    sorts = ("the same", "with a reason", "otherwise")
    print(f"{', '.join(f'{count[sort]} {sort}' for sort in sorts)}, of {len(blocks)}")
    return 1 if count["otherwise"] else 0


def prepare(home: Path, conformance: Path) -> None:
    for name in ("work", "user"):
        (home / name).mkdir()
    (home / "work" / "samples").symlink_to((conformance / "samples").resolve())
    for name, (kind, called, spec) in FILES.items():
        metadata = {"name": called} if kind == "Namespace" else {"name": called, "namespace": "default"}
        document = {"apiVersion": GROUP, "kind": kind, "metadata": metadata, **({"spec": spec} if spec else {})}
        (home / "work" / name).write_text(yaml.safe_dump(document))


def client(stage: Stage, home: Path) -> str:
    """Make the client `tester`, which may do everything; its secret."""

    def manage(*arguments: str) -> str:
        environment = {**os.environ, **stage.installation.environment}
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments], env=environment, text=True, capture_output=True, check=True
        )
        return done.stdout

    manage("account", "create-service-account", "tester")
    mapping = [{"roleRef": {"kind": "ClusterAuthzRole", "name": "admin"}}]
    binding = {"entitlement": ADMINISTRATOR, "roleMappings": mapping}
    document = {
        "apiVersion": GROUP,
        "kind": "ClusterAuthzRoleBinding",
        "metadata": {"name": "zz-tester"},
        "spec": binding,
    }
    (home / "binding.yaml").write_text(yaml.safe_dump(document))
    manage("apply", "-f", str(home / "binding.yaml"))
    printed = manage("oauth_client", "add", "tester", "--account", "tester", "--name", "Tester")
    return next(line.split()[1] for line in printed.splitlines() if line.startswith("secret "))


def shown(text: str) -> list[str]:
    for pattern, word in VARIES:
        text = re.sub(pattern, word, text)
    return [line.strip() for line in text.strip().splitlines()]


def different(recorded: Sequence[str], ours: Sequence[str]) -> list[str]:
    """Lines that only one of the two has; the order of conditions is that of their first setting, and says nothing."""
    found = difflib.ndiff(sorted(recorded), sorted(ours))
    return [line for line in found if line.startswith(("- ", "+ "))]


def reason(line: str) -> str:
    return next((why for pattern, why in REASONS if re.search(pattern, line)), "")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.occ.compare", description=__doc__)
    parser.add_argument("program", type=lambda given: str(Path(given).resolve(strict=True)))
    sys.exit(compare(parser.parse_args().program, conformance_directory().resolve()))
