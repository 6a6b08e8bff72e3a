"""`manage.py oauth_client`: the programs that may ask for tokens."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from portal.accounts.issuer import clients
from portal.accounts.issuer.models import Client
from portal.accounts.models import User


class Command(BaseCommand):
    help = "Make, list, disable and enable OAuth clients; give one a new secret."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        add = actions.add_parser("add", help="make a client; its secret, if it has one, is shown once")
        add.add_argument("client_id")
        add.add_argument("--name", default="", help="shown to people at sign-in")
        add.add_argument("--account", metavar="USER", help="the service account or agent that it signs in as")
        add.add_argument("--redirect-uri", action="append", default=[], metavar="URI", help="may be given often")
        add.add_argument("--public", action="store_true", help="runs on people's own machines and keeps no secret")
        add.add_argument("--first-party", action="store_true", help="people are not asked for consent")
        add.add_argument("--device", action="store_true", help="may use the device grant")
        add.add_argument("--acts-for-anyone", action="store_true", help="may exchange every person's token")
        actions.add_parser("list", help="list all clients")
        for name, text in (
            ("new-secret", "replace the secret; the new one is shown once"),
            ("disable", "refuse the client and every token that it has"),
            ("enable", "let the client in again"),
        ):
            actions.add_parser(name, help=text).add_argument("client_id")

    def handle(self, *_: Any, action: str, **options: Any) -> None:
        if action == "add":
            self.add(**options)
        elif action == "list":
            self.list_all()
        else:
            self.change(action, options["client_id"])

    def add(self, *, client_id: str, name: str, account: str | None, redirect_uri: list[str], **given: Any) -> None:
        flags = {"acts_for_anyone": given["acts_for_anyone"], "uses_device_flow": given["device"]}
        secret = ""
        try:
            if account:
                if redirect_uri or given["public"]:
                    raise CommandError("--account makes a client that signs in by itself; leave redirect URIs out.")
                user = User.objects.filter(username=account).first()
                if user is None:
                    raise CommandError(f"there is no account {account}; make it first: manage.py account")
                _, secret = clients.machine_client(client_id, name, user, **flags)
            else:
                flags["skip_authorization"] = given["first_party"]
                if not redirect_uri:
                    raise CommandError("name a --redirect-uri, or an --account for a client that signs in by itself.")
                if given["public"]:
                    clients.public_client(client_id, name, redirect_uri, **flags)
                else:
                    _, secret = clients.web_client(client_id, name, redirect_uri, **flags)
        except ValidationError as error:
            raise CommandError("; ".join(f"{field}: {' '.join(texts)}" for field, texts in told(error))) from None
        self.stdout.write(f"client {client_id} made")
        self.show(secret)

    def show(self, secret: str) -> None:
        if secret:
            self.stdout.write(f"secret {secret}\nIt is not shown again.")

    def list_all(self) -> None:
        for client in Client.objects.select_related("user"):
            who = f"as {client.user}" if client.user else "signs people in"
            state = "disabled" if client.disabled_at else client.client_type
            self.stdout.write(f"{client.client_id:32} {state:14} {who}")

    def change(self, action: str, client_id: str) -> None:
        client = Client.objects.filter(client_id=client_id).first()
        if client is None:
            raise CommandError(f"there is no client {client_id}; see manage.py oauth_client list")
        secret = ""
        if action == "new-secret":
            if client.client_type == Client.CLIENT_PUBLIC:
                raise CommandError(f"{client_id} is a public client and has no secret.")
            secret = client.new_secret()
        else:
            client.disabled_at = timezone.now() if action == "disable" else None
        client.save()
        self.stdout.write(f"client {client_id}: {action} done")
        self.show(secret)


def told(error: ValidationError) -> list[tuple[str, list[str]]]:
    """The mistakes by field."""
    return list(error.message_dict.items()) if hasattr(error, "error_dict") else [("client", error.messages)]
