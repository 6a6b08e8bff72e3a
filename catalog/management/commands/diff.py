"""`manage.py diff -f FILE`: what apply would change, as a unified diff of YAML; 1 when anything differs."""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from typing import Any

from catalog.manifests.applying import compare_entries
from catalog.manifests.command_line import ManifestCommand, add_files, add_namespace, entries_of, operator, show

FAILED = 2  # kubectl's diff: above 1 for an error, because 1 means that there are differences


class Command(ManifestCommand):
    help = "Show what apply would change. Exit code 0: nothing, 1: something, 2: a document cannot be applied."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_files(parser, required=True)
        add_namespace(parser)

    def run(self, **options: Any) -> int:
        counts: Counter[str] = Counter()
        differs = False
        compared = compare_entries(entries_of(options), operator(), default_namespace=options["namespace"])
        for outcome, difference in compared:
            if outcome.result == "failed":
                counts += show(self, [outcome])
            if difference:
                differs = True
                self.stdout.write(difference, ending="")
        return FAILED if counts["failed"] else int(differs)
