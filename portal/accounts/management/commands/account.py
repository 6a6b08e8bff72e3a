"""`manage.py account`: people, service accounts and agents, from the command line."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from portal.access.subject import entitlement
from portal.accounts.models import User
from portal.accounts.principals import make_agent, make_person, make_service_account, set_active


def user_named(name: str) -> User:
    """Raises `CommandError`."""
    found = User.objects.select_related("owner").filter(username=name).first()
    if found is None:
        raise CommandError(f"there is no account {name!r}; `manage.py account list` shows all")
    return found


class Command(BaseCommand):
    help = "Accounts: list them, make people, service accounts and agents, shut them out and let them in."
    requires_system_checks: Sequence[str] = ()  # type: ignore[assignment]

    def add_arguments(self, parser: ArgumentParser) -> None:
        tasks = parser.add_subparsers(dest="task", required=True)
        tasks.add_parser("list", help="all accounts: what they are, who owns them, whether they may act")
        person = tasks.add_parser("create-person", help="a person; set a password in the admin or by changepassword")
        person.add_argument("name")
        person.add_argument("--email", default="")
        for kind, words in (("service-account", "an account for a program"), ("agent", "an account for an AI agent")):
            machine = tasks.add_parser(f"create-{kind}", help=f"{words}; it signs in by tokens only")
            machine.add_argument("name")
            machine.add_argument("--owner", default="", required=kind == "agent", help="the person who answers for it")
            machine.add_argument("--days", type=int, default=0, help="end the account after so many days")
            if kind == "agent":
                machine.add_argument(
                    "--tools", default="", help="the MCP tools that it may call, such as 'get_* list_*'"
                )
        for task, words in (
            ("disable", "shut an account out, from the next request on"),
            ("enable", "let it in again"),
        ):
            tasks.add_parser(task, help=words).add_argument("name")

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            getattr(self, options["task"].replace("-", "_"))(options)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None

    def list(self, options: dict[str, Any]) -> None:
        for user in User.objects.select_related("owner").order_by("username"):
            owner = f"  of {user.owner.username}" if user.owner else ""
            issuer = f"  from {user.issuer}" if user.issuer else ""
            state = "" if user.is_usable else "  (may not act)"
            self.stdout.write(f"{user.username:30} {user.principal_kind:15}{owner}{issuer}{state}")

    def create_person(self, options: dict[str, Any]) -> None:
        self.said(make_person(options["name"], email=options["email"]))

    def create_service_account(self, options: dict[str, Any]) -> None:
        owner = user_named(options["owner"]) if options["owner"] else None
        self.said(make_service_account(options["name"], owner=owner, expires_at=end_of(options)))

    def create_agent(self, options: dict[str, Any]) -> None:
        owner = user_named(options["owner"])
        self.said(make_agent(options["name"], owner=owner, expires_at=end_of(options), tools=options["tools"]))

    def disable(self, options: dict[str, Any]) -> None:
        set_active(user_named(options["name"]), False)
        self.stdout.write(f"{options['name']} may do nothing from now on")

    def enable(self, options: dict[str, Any]) -> None:
        user = user_named(options["name"])
        set_active(user, True)
        self.stdout.write(f"{user} may act again" if user.is_usable else f"{user} is active, but expired or unowned")

    def said(self, user: User) -> None:
        kind = user.get_principal_kind_display().lower()
        if Group.objects.filter(name=entitlement("sub", user.username)).exists():
            self.stdout.write(f"{user.username} is a {kind}; bindings name it already, so it may do what they give")
            self.stdout.write(f"see GET /api/stagecraft/v1/access/why?user={user.username} before you hand out a token")
        else:
            self.stdout.write(f"{user.username} is a {kind} without any right of its own yet")
        if user.is_machine:
            self.stdout.write(f"give it a token by: manage.py token issue {user.username} --name PURPOSE")


def end_of(options: dict[str, Any]) -> Any:
    return timezone.now() + timedelta(days=options["days"]) if options["days"] else None
