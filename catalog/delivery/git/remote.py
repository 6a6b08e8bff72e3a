"""The repository elsewhere that Argo CD or Flux really watches: fetched from before a commit, pushed to after.

Both go through the `git` program, because it brings what a network needs: credential helpers, SSH configuration,
proxies, and a push that the other side checks against what its branch is at that moment. libgit2's push to a path does
not do the last.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pygit2

from catalog.delivery.plane import PlaneError, PlaneNotConfigured

TIMEOUT = 15.0  # seconds for one fetch or push
ALLOWED = re.compile(r"(https?|ssh|file)://[^\s]+|[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:[^\s]+")
# For a remote that a user has chosen: no other protocol than those that can be permitted, and no way on from there.
GUARDS = ("-c", "http.followRedirects=false")
GUARDED_PROTOCOLS = "https:ssh"
TRACKING = "refs/stagecraft/remote"
# How Git says that the branch has moved; any other refusal (a hook, a protected branch) is not cured by trying again.
MOVED = ("fetch first", "non-fast-forward", "stale info", "cannot lock ref", "incorrect old value", "already exists")
# A process started by a Git hook inherits these, and they would lead Git to another repository.
MISLEADING = ("GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE", "GIT_PREFIX")


class Rejected(Exception):
    """The remote's branch has moved since it was fetched."""


@dataclass(frozen=True, slots=True)
class Remote:
    """A remote of the repository at `path`. The URL is never an option and never a command (`ALLOWED`).

    `is_guarded`: a user has chosen it, among those that the settings permit (`permitted`).
    """

    path: Path
    url: str
    is_guarded: bool = False

    def fetch(self, reference: str) -> pygit2.Oid | None:
        """The commit that the remote's branch names, with all that it needs brought here; None if it has no branch."""
        result = self.git("fetch", "--quiet", "--no-tags", "--", self.url, f"+{reference}:{TRACKING}")
        if result.returncode == 0:
            return pygit2.Oid(hex=self.git("rev-parse", TRACKING).stdout.strip())
        if "couldn't find remote ref" in result.stderr:
            return None
        raise self.error("fetched from", result.stderr)

    def push(self, commit: pygit2.Oid, reference: str) -> None:
        """Move the remote's branch to the commit, never forced. Raises `Rejected` if it has moved meanwhile."""
        result = self.git("push", "--quiet", "--porcelain", "--", self.url, f"{commit}:{reference}")
        if result.returncode == 0:
            return
        output = result.stdout + result.stderr
        if any(word in output for word in MOVED):
            raise Rejected(output)
        raise self.error("pushed to", output)

    def git(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        program = shutil.which("git")
        if program is None:
            raise PlaneNotConfigured(f"the Git plane pushes to {self.shown}, which needs the git program: install it")
        environment = {name: value for name, value in os.environ.items() if name not in MISLEADING}
        environment.setdefault("GIT_SSH_COMMAND", "ssh -o BatchMode=yes")
        environment |= {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", "GIT_DIR": str(self.path)}
        if self.is_guarded:
            environment["GIT_ALLOW_PROTOCOL"] = GUARDED_PROTOCOLS
        try:
            return subprocess.run(
                [program, *(GUARDS if self.is_guarded else ()), *arguments],
                env=environment,
                capture_output=True,
                text=True,
                timeout=TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise PlaneError(f"{self.shown} did not answer within {TIMEOUT:.0f} s") from error

    def error(self, what: str, output: str) -> PlaneError:
        reason = " ".join(output.replace(self.url, self.shown).split())[-500:]
        return PlaneError(f"{self.shown} cannot be {what}: {reason}")

    @property
    def shown(self) -> str:
        """The URL without a password."""
        return re.sub(r"//[^/@]+@", "//", self.url)
