"""`manage.py can-i USER ACTION`: yes or no, with exit code 0 or 1. `why` also says by what."""

from __future__ import annotations

from typing import Any

from catalog.management.commands.why import Command as Why


class Command(Why):
    help = "Tell whether a user may do something."

    def handle(self, *args: Any, **options: Any) -> None:
        is_allowed = self.answer(options)["allowed"]
        self.stdout.write("yes" if is_allowed else "no")
        if not is_allowed:
            raise SystemExit(1)
