"""`manage.py prune-releases`: drop old releases that nobody uses, as workers do by themselves once an hour."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from catalog.manifests.command_line import ManifestCommand, operator
from catalog.releases.retention import prune, superfluous


class Command(ManifestCommand):
    help = "Drop releases beyond RELEASES_KEEP and RELEASES_KEEP_DAYS that are not in use."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only name them")

    def run(self, **options: Any) -> int:
        if options["dry_run"]:
            named = [f"{release.kind} {release.namespace_name}/{release.name}" for release in superfluous()]
        else:
            named = prune(operator())
        for name in named:
            self.stdout.write(f"{name} {'would go' if options['dry_run'] else 'is gone'}")
        if not named:
            self.stdout.write("nothing to drop")
        return 0
