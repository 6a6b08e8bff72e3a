"""The code keeps its own rules: style, types, and the arrows between the layers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["mypy"],
        ["lint-imports"],
    ],
    ids=lambda command: " ".join(command),
)
def test_it_holds(command: list[str]) -> None:
    result = subprocess.run([str(BIN / command[0]), *command[1:]], cwd=REPOSITORY, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_reference_says_what_the_code_says() -> None:
    command = [sys.executable, "-m", "scripts.reference", "--check"]
    result = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def test_nothing_but_the_settings_reads_the_environment() -> None:
    readers = {"portal/settings.py"}
    passes_on = {
        "catalog/delivery/git/remote.py",  # gives the git program its own environment
        "portal/quickstart/management/commands/quickstart.py",  # tells server and worker their address
    }
    apart = {
        f"catalog/delivery/agent/program/{name}.py"  # a program of its own, in a container of its own
        for name in ("__main__", "cluster")
    }
    setters = {"portal/wsgi.py", "portal/asgi.py", "portal/celery.py"}  # name the settings module to Django
    found = {
        str(path.relative_to(REPOSITORY))
        for layer in ("portal", "catalog", "workflows")
        for path in (REPOSITORY / layer).rglob("*.py")
        if "os.environ" in path.read_text() or "os.getenv" in path.read_text()
    }
    assert found == readers | passes_on | apart | setters
