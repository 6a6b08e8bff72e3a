"""`manage.py why USER ACTION`: whether the user may do that, by which bindings, roles, scopes and conditions, or what
would be the least change that allows it; `--as-of` asks about the past. `can-i` prints yes or no."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.access.asking import ATTRIBUTES, PLACE, Question, answer, moment_of
from portal.access.engine import Access
from portal.access.explanation_text import lines_of
from portal.access.place import Place
from portal.accounts.models import User
from portal.wire.responses import Unreadable


def add_place(parser: CommandParser) -> None:
    """The arguments that say where, and with which attributes."""
    for name in PLACE:
        parser.add_argument(f"--{name}", default="", help=f"the {name} in question")
    for name in ATTRIBUTES:
        parser.add_argument(f"--{name.lower()}", dest=name, default="", help=f"resource.{name} of conditions")


def asked(options: dict[str, Any]) -> Question:
    """The question that the arguments ask. Raises `CommandError`."""
    try:
        at = moment_of(options["at"]) if options.get("at") else None
    except Unreadable as error:
        raise CommandError(str(error)) from None
    place = Place(*(options[name] for name in PLACE))
    attributes = {name: options[name] for name in ATTRIBUTES if options[name]}
    return Question(options["action"], place, attributes, options.get("user", ""), at)


class Command(BaseCommand):
    help = "Tell whether a user may do something, and why."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="user name")
        parser.add_argument("action", help="for example component:update")
        add_place(parser)
        parser.add_argument("--as-of", dest="at", default="", help="a past time (2026-05-31T12:00:00Z) or day")

    def handle(self, *args: Any, **options: Any) -> None:
        shown = self.answer(options)
        self.stdout.write("\n".join(lines_of(shown)))
        if not shown["allowed"]:
            raise SystemExit(1)

    def answer(self, options: dict[str, Any]) -> dict[str, Any]:
        """The decision and its reasons. Raises `CommandError` for an unknown user or a time that is none."""
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"there is no user {options['user']!r}")
        return answer(asked(options), user, Access.of(user))
