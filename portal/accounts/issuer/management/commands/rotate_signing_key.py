"""`manage.py rotate_signing_key`: a new key for the tokens that are signed here."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from portal.accounts.issuer import keys


class Command(BaseCommand):
    help = (
        "Make a new key for signing tokens. It is published at once and signs ten minutes later; the old key stays "
        "published until the last token signed with it has ended. With --now (the key has leaked) the old keys are "
        "withdrawn at once, and everybody signs in anew."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--now", action="store_true", help="withdraw the old keys and every token at once")

    def handle(self, *_: Any, now: bool, **__: Any) -> None:
        removed = keys.remove_retired()
        made = keys.rotate(at_once=now)
        self.stdout.write(f"new key {made.kid}, signs from {made.signs_from:%Y-%m-%d %H:%M:%S} UTC")
        if removed:
            self.stdout.write(f"{removed} withdrawn before removed")
