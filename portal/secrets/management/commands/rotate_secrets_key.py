"""`manage.py rotate_secrets_key`: a new key for the secrets at rest."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal.accounts.actor import system
from portal.audit.operation import operation
from portal.secrets import keys
from portal.secrets.envelope import CannotOpen
from portal.secrets.rotation import keys_in_use, reseal_everything

SETTLED = 60  # seconds: longer than any transaction that seals something


class Command(BaseCommand):
    help = "Seal every secret at rest under a new key; servers and workers may go on meanwhile."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--forget", action="store_true", help="make no new key; take out those that nothing is sealed with any more"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            with operation(system("operator", surface="cli"), "secrets:rotate"):
                if options["forget"]:
                    self.forget()
                else:
                    self.rotate()
        except (CannotOpen, keys.NoSuchKey) as error:
            raise CommandError(f"nothing more was changed: {error}") from error

    def rotate(self) -> None:
        if keys.are_kept():
            keys.make_key()
        done = reseal_everything()
        present = keys.sealing_key().id
        self.stdout.write(f"{done} secrets brought under the key {present}; {keys_in_use()[present]} are under it now")
        if keys.are_kept():
            self.stdout.write("older keys are kept until you run this command with --forget")
        else:
            old = sorted({key.id for key in keys.keyring()} - set(keys_in_use()) - {present})
            if old:
                self.stdout.write(f"nothing needs {', '.join(old)} any more: take them out of SECRETS_KEYS")

    def forget(self) -> None:
        if not keys.are_kept():
            raise CommandError("the keys come from SECRETS_KEYS: take old ones out there, then restart")
        if keys.seconds_since_change() < SETTLED:
            raise CommandError(
                "the key was changed a moment ago, and what was being saved then may still be under the old one: run "
                f"this again {SETTLED} seconds after the change"
            )
        reseal_everything()
        needless = {key.id for key in keys.keyring()} - set(keys_in_use()) - {keys.sealing_key().id}
        keys.forget_keys(needless)
        self.stdout.write(f"keys forgotten: {', '.join(sorted(needless)) or 'none'}")
