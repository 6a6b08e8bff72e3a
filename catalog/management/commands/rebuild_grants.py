"""`manage.py rebuild_grants`: compile every role and binding again; with `--check` only tell what that would change."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from catalog.access.compile import rebuild, snapshot


class Command(BaseCommand):
    help = "Compile every role and binding into grants again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="change nothing; exit code 1 if it would")

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            before = snapshot()
            rebuild()
            after = snapshot()
            if options["check"]:
                transaction.set_rollback(True)
        for sign, rows in (("-", before - after), ("+", after - before)):
            for row in sorted(rows, key=repr):
                self.stdout.write(f"{sign} {row}")
        self.stdout.write(f"{len(after)} grants from bindings; {len(before ^ after)} differences")
        if options["check"] and before != after:
            raise SystemExit(1)
