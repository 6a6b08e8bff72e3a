"""The compiler's readers of text, fuzzed for a while: nothing but its own errors comes out, and nothing hangs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, missing
from tests.soak.targets import TARGETS

# Not among the project's dependencies: it has 150 MB, and wheels for Linux only.
ATHERIS = "atheris==3.0.0"
SECONDS = int(os.environ.get("FUZZ_SECONDS", "120"))
pytestmark = [pytest.mark.soak, pytest.mark.timeout(SECONDS + 300)]


@pytest.fixture(scope="session")
def atheris(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the fuzzer in it."""
    directory = tmp_path_factory.mktemp("atheris")
    command = ["scripts/uv", "pip", "install", "--quiet", "--python", sys.executable, "--only-binary", ":all:"]
    installed = subprocess.run(
        [*command, "--target", str(directory), ATHERIS], cwd=REPOSITORY, capture_output=True, text=True
    )
    if installed.returncode:
        missing("atheris", f"{ATHERIS} cannot be installed: {installed.stderr.strip()[-300:]}")
    return directory


@pytest.mark.parametrize("target", TARGETS)
def test_any_bytes_give_a_result_or_an_error_of_the_compiler(target: str, atheris: Path, tmp_path: Path) -> None:
    paths = os.pathsep.join([str(REPOSITORY), str(atheris)])
    run = subprocess.run(
        [sys.executable, "-m", "tests.soak.fuzz", target, str(tmp_path), str(SECONDS)],
        env={**os.environ, "PYTHONPATH": paths},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        errors="replace",
    )
    assert run.returncode == 0, run.stderr[-5000:]
    assert "stat::number_of_executed_units" in run.stderr


@pytest.mark.parametrize("target", TARGETS)
def test_the_seeds_pass(target: str) -> None:
    for seed in TARGETS[target].seeds:
        TARGETS[target].run(seed.encode())
