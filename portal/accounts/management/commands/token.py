"""`manage.py token`: access tokens, from the command line."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from portal.access.limited import BadLimits, limits_for
from portal.accounts.management.commands.account import user_named
from portal.accounts.models import AccessToken, BadToken, make_token
from portal.accounts.tokens import revoke


class Command(BaseCommand):
    help = "Access tokens: issue one (its text is shown once), list them, revoke them."
    requires_system_checks: Sequence[str] = ()  # type: ignore[assignment]

    def add_arguments(self, parser: ArgumentParser) -> None:
        tasks = parser.add_subparsers(dest="task", required=True)
        issue = tasks.add_parser("issue", help="make a token; its text is the only line on standard output")
        issue.add_argument("user", help="whose token it is")
        issue.add_argument("--name", required=True, help="what it is for")
        issue.add_argument("--days", type=int, default=0, help="how long it lasts (TOKEN_DAYS)")
        issue.add_argument(
            "--action", action="append", default=[], help="only for this action, or kind:*; may be given again"
        )
        issue.add_argument("--namespace", default="", help="only within this namespace")
        issue.add_argument("--project", default="", help="only within this project of it")
        issue.add_argument("--on-behalf-of", default="", help="for an agent: the person for whom it acts")
        tasks.add_parser("list", help="the tokens of an account").add_argument("user", nargs="?", default="")
        ending = tasks.add_parser("revoke", help="end tokens at once")
        ending.add_argument("id", nargs="*", type=int, help="numbers, as `list` shows them")
        ending.add_argument("--user", default="", help="all of this account, and those by which agents act for it")

    def handle(self, *_: Any, **options: Any) -> None:
        getattr(self, options["task"])(options)

    def issue(self, options: dict[str, Any]) -> None:
        person = user_named(options["on_behalf_of"]) if options["on_behalf_of"] else None
        ends = timezone.now() + timedelta(days=options["days"]) if options["days"] else None
        try:
            limits = limits_for(options["action"], options["namespace"], options["project"])
            row, text = make_token(
                user_named(options["user"]), options["name"], ends, limits=limits, on_behalf_of=person
            )
        except (BadLimits, BadToken) as error:
            raise CommandError(str(error)) from None
        self.stderr.write(f"token {row.pk}, until {row.expires_at:%Y-%m-%d}; it is not shown again")
        self.stdout.write(text)

    def list(self, options: dict[str, Any]) -> None:
        rows = AccessToken.objects.select_related("user", "on_behalf_of").order_by("user__username", "id")
        if options["user"]:
            rows = rows.filter(user=user_named(options["user"]))
        for row in rows:
            limits = [*row.actions, "/".join(part for part in (row.namespace, row.project) if part)]
            behind = f" for {row.on_behalf_of.username}" if row.on_behalf_of else ""
            used = f"used {row.last_used_at:%Y-%m-%d}" if row.last_used_at else "never used"
            state = f"until {row.expires_at:%Y-%m-%d}" if row.is_valid else "ended"
            shown = " ".join(item for item in limits if item) or "all rights"
            self.stdout.write(f"{row.pk:6}  {row.user.username}{behind}  {row.name}  {shown}  {state}  {used}")

    def revoke(self, options: dict[str, Any]) -> None:
        if bool(options["id"]) == bool(options["user"]):
            raise CommandError("name tokens by their numbers, or one account by --user")
        with transaction.atomic():
            if options["user"]:
                user = user_named(options["user"])
                rows = AccessToken.objects.filter(user=user) | AccessToken.objects.filter(on_behalf_of=user)
            else:
                rows = AccessToken.objects.filter(pk__in=options["id"])
                if missing := set(options["id"]) - set(rows.values_list("pk", flat=True)):
                    raise CommandError(f"there is no token {min(missing)}")
            ended = revoke(rows)
        self.stdout.write(f"{len(ended)} tokens were revoked")
