"""Every command in the README and the guides works, in the order in which a reader meets it, on a real quickstart."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SHELL_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
PAGES = ["README.md"] + [
    str(path.relative_to(REPOSITORY))
    for path in sorted((REPOSITORY / "docs").rglob("*.md"))
    if SHELL_BLOCK.search(path.read_text())
]


@dataclass(frozen=True)
class Quickstart:
    """A running `manage.py quickstart` and the directory in which a reader would stand."""

    directory: Path
    facts: dict[str, str]
    process: subprocess.Popen[str]
    environment: dict[str, str]

    def shell(self, script: str) -> str:
        """Run a block as a reader would paste it; a failing command fails the test with its output."""
        port = self.facts["url"].rpartition(":")[2]
        script = script.replace("127.0.0.1:8000", f"127.0.0.1:{port}")
        result = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.directory, env=self.environment, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert result.returncode == 0, f"{script}\n--- said ---\n{result.stdout}{result.stderr}"
        return result.stdout

    def read(self, kind: str, name: str) -> dict:
        return json.loads(self.shell(f".venv/bin/python manage.py get {kind} {name} -o json"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module", params=PAGES)
def quickstart(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Quickstart]:
    directory = tmp_path_factory.mktemp("reader")
    home = directory / ".stagecraft"
    facts_file = directory / "facts.json"
    for name in (".venv", "manage.py", "docs"):
        (directory / name).symlink_to(REPOSITORY / name)
    environment = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "SECRET_KEY")}
    environment |= {"STAGECRAFT_HOME": str(home), "DJANGO_SETTINGS_MODULE": "portal.settings"}
    command = [sys.executable, "manage.py", "quickstart", "--port", str(free_port()), "--json", str(facts_file)]
    process = subprocess.Popen(
        command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        deadline = time.monotonic() + 90
        while not facts_file.exists():
            assert process.poll() is None and time.monotonic() < deadline, process.stdout.read()  # type: ignore[union-attr]
            time.sleep(0.1)
        time.sleep(0.1)
        facts = json.loads(facts_file.read_text())
        yield Quickstart(directory, facts, process, environment | {"TOKEN": facts["token"]})
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)


def test_every_command_of_the_page_works(quickstart: Quickstart, request: pytest.FixtureRequest) -> None:
    page = request.node.callspec.params["quickstart"]
    blocks = [block for block in SHELL_BLOCK.findall((REPOSITORY / page).read_text()) if not block.startswith("make ")]
    assert blocks, f"{page} has no commands: the pattern that finds them must be wrong"
    for block in blocks:
        quickstart.shell(block)
    if page == "README.md":
        readers_see_what_the_readme_promises(quickstart)


def readers_see_what_the_readme_promises(quickstart: Quickstart) -> None:
    hello = quickstart.read("releasebinding", "hello-staging")
    ready = next(item for item in hello["status"]["conditions"] if item["type"] == "Ready")
    assert ready["status"] == "True", ready
    released = quickstart.read("componentrelease", hello["spec"]["releaseName"])
    assert released["spec"]["workload"]["container"]["image"] == "ghcr.io/example/hello:1.1"
    handbook = json.loads(quickstart.shell(".venv/bin/python manage.py get componentreleases -o json"))
    names = [item["metadata"]["name"] for item in handbook["items"] if item["metadata"]["name"].startswith("handbook-")]
    assert len(names) == 2, names
    commits = quickstart.shell("git -C .stagecraft/planes/default.git log --format=%s main")
    assert "handbook" in commits and "hello" in commits
