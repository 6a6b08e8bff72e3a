"""`manage.py why USER ACTION`: whether the user may do that, by which binding, role, scope and condition, or what would
be the smallest grant that allows it. `can-i` prints yes or no."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.access.engine import Access
from portal.access.explanations import explain
from portal.access.place import Place
from portal.accounts.models import User

ATTRIBUTES = ("environment", "componentType", "resourceType", "workflow")


class Command(BaseCommand):
    help = "Tell whether a user may do something, and why."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="user name")
        parser.add_argument("action", help="for example component:update")
        for name in ("namespace", "project", "component", "resource"):
            parser.add_argument(f"--{name}", default="", help=f"the {name} in question")
        for name in ATTRIBUTES:
            parser.add_argument(f"--{name.lower()}", dest=name, default="", help=f"resource.{name} of conditions")

    def handle(self, *args: Any, **options: Any) -> None:
        shown = self.answer(options)
        self.stdout.write(f"{'yes' if shown['allowed'] else 'no'}: {shown['reason']}")
        if rule := shown.get("rule"):
            role = rule["role"]
            self.stdout.write(f"  {rule['effect']}  {role.get('kind', 'action')} {role.get('name') or role['action']}")
            self.stdout.write(f"  scope    {rule['scope']}\n  through  {rule['through']}")
            for binding in rule["bindings"]:
                self.stdout.write(f"  binding  {binding}")
            for expression in rule.get("conditions", ()):
                self.stdout.write(f"  condition  {expression}  with {rule['attributes']}")
        if grant := shown.get("wouldAllow"):
            self.stdout.write(f"  smallest change that allows it: {grant}")
        if not shown["allowed"]:
            raise SystemExit(1)

    def answer(self, options: dict[str, Any]) -> dict[str, Any]:
        """The decision and its reason. Raises `CommandError` for an unknown user."""
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"there is no user {options['user']!r}")
        place = Place(options["namespace"], options["project"], options["component"], options["resource"])
        attributes = {name: options[name] for name in ATTRIBUTES if options[name]}
        return explain(Access.of(user), options["action"], place, attributes)
