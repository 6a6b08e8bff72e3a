"""`manage.py apply -f FILE`: create or update objects from manifests, as kubectl's apply."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from catalog.manifests.applying import apply_entries, apply_together
from catalog.manifests.command_line import (
    ManifestCommand,
    add_files,
    add_namespace,
    entries_of,
    operator,
    progress,
    show,
)

COUNTED = ("created", "changed", "unchanged", "skipped", "failed")


class Command(ManifestCommand):
    help = "Create or update objects from YAML or JSON manifests. Documents of other systems are skipped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_files(parser, required=True)
        add_namespace(parser)
        parser.add_argument("--atomic", action="store_true", help="store all documents or, if one fails, none")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen and store nothing")

    def run(self, **options: Any) -> int:
        dry_run = options["dry_run"]
        with progress(list(entries_of(options)), "applying") as entries:
            apply = apply_together if options["atomic"] else apply_entries
            outcomes = apply(entries, operator(), default_namespace=options["namespace"], dry_run=dry_run)
            counts = show(self, outcomes, note=" (dry run)" if dry_run else "")
        counted = (*COUNTED, "undone") if counts["undone"] else COUNTED
        summary = ", ".join(f"{counts[result]} {result}" for result in counted)
        self.stdout.write(f"{summary}{' (dry run, nothing stored)' if dry_run else ''}")
        if not counts:
            self.complain("error: no documents found")
            return 1
        return 1 if counts["failed"] else 0
