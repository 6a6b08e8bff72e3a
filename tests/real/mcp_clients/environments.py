"""Environments for the clients, made once from the package registries and cached like the build of Kubernetes."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.conftest import REPOSITORY
from tests.real.cluster.build import cache, locked
from tests.real.services import Unavailable

HERE = Path(__file__).resolve().parent
PYTHON_SDK = {"python-1": "mcp==1.30.0", "python-2": "mcp==2.3.0"}
PROGRAMS = {"python-1": "python_1.py", "python-2": "python_2.py", "typescript": "client.mjs"}
SECONDS = 240


def tell(client: str, job: dict[str, Any]) -> dict[str, Any]:
    """Do a job with a client; what it printed. Raises `Unavailable` where its environment cannot be had."""
    command = python_command(client) if client in PYTHON_SDK else typescript_command()
    done = subprocess.run(
        command, input=json.dumps(job), capture_output=True, text=True, timeout=SECONDS, check=False, cwd=HERE
    )
    assert done.returncode == 0, f"{client}: {done.stderr[-4000:]}"
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def python_command(client: str) -> list[str]:
    requirement = PYTHON_SDK[client]
    home = kept(f"mcp-client-{requirement.replace('==', '-')}", lambda place: install_python(place, requirement))
    return [str(home / "bin" / "python"), str(HERE / PROGRAMS[client])]


def install_python(place: Path, requirement: str) -> None:
    uv = str(REPOSITORY / "scripts" / "uv")
    run([uv, "venv", "--quiet", "--python", "3.11", str(place)])
    run([uv, "pip", "install", "--quiet", "--python", str(place / "bin" / "python"), requirement])


def typescript_command() -> list[str]:
    node = shutil.which("node")
    if node is None:
        raise Unavailable("there is no Node (program `node`), in which the TypeScript client runs")
    locks = [HERE / "typescript" / name for name in ("package.json", "package-lock.json")]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in locks)).hexdigest()[:16]
    home = kept(f"mcp-client-typescript-{digest}", lambda place: install_node(place, locks))
    # Node looks for packages beside the program, so it stands beside them.
    program = home / PROGRAMS["typescript"]
    source = (HERE / "typescript" / PROGRAMS["typescript"]).read_bytes()
    if not program.exists() or program.read_bytes() != source:
        unfinished = program.with_suffix(".unfinished")
        unfinished.write_bytes(source)
        unfinished.rename(program)
    return [node, str(program)]


def install_node(place: Path, locks: list[Path]) -> None:
    place.mkdir(parents=True)
    for path in locks:
        shutil.copy(path, place)
    run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"], place)


def kept(name: str, install: Callable[[Path], None]) -> Path:
    """The environment of that name, installed if it is not there. Raises `Unavailable`."""
    home = cache() / name
    with locked(cache() / f"{name}.lock"):
        if not (home / ".finished").exists():
            shutil.rmtree(home, ignore_errors=True)
            install(home)
            (home / ".finished").touch()
    return home


def run(command: list[str], directory: Path = HERE) -> None:
    """Run an installer. Raises `Unavailable` with its last words."""
    try:
        done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{command[0]}: {error}") from None
    if done.returncode != 0:
        raise Unavailable(f"{' '.join(command)}: {done.stderr.strip()[-1000:]}")
