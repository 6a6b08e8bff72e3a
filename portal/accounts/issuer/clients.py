"""Makes clients of each sort, checked before they are stored."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings

from portal.accounts.issuer.discovery import CLI
from portal.accounts.issuer.models import Client
from portal.accounts.models import User

OCC_CALLBACK = "http://127.0.0.1/auth-callback"
"""Where `occ login` listens; the port of a loopback address is free (RFC 8252, section 7.3)."""
MCP_CALLBACKS = (
    "http://127.0.0.1/callback",
    "http://localhost/callback",
    "http://127.0.0.1/oauth/callback",
    "http://localhost/oauth/callback",
    "http://127.0.0.1/",
    "http://localhost/",
)


def public_client(client_id: str, name: str, redirect_uris: Sequence[str], **fields: object) -> Client:
    """A program on people's own machines, which can keep no secret. Raises `ValidationError`."""
    client = Client(
        client_id=client_id,
        name=name,
        client_type=Client.CLIENT_PUBLIC,
        authorization_grant_type=Client.GRANT_AUTHORIZATION_CODE,
        redirect_uris=" ".join(redirect_uris),
        client_secret="",
        hash_client_secret=False,
        **fields,
    )
    return stored(client)


def web_client(client_id: str, name: str, redirect_uris: Sequence[str], **fields: object) -> tuple[Client, str]:
    """A program on a server that signs people in, such as Backstage, and its secret. Raises `ValidationError`."""
    client = Client(
        client_id=client_id,
        name=name,
        client_type=Client.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Client.GRANT_AUTHORIZATION_CODE,
        redirect_uris=" ".join(redirect_uris),
        **fields,
    )
    secret = client.new_secret()
    return stored(client), secret


def machine_client(client_id: str, name: str, user: User, **fields: object) -> tuple[Client, str]:
    """A program that signs in as a service account or an agent, and its secret. Raises `ValidationError`."""
    client = Client(
        client_id=client_id,
        name=name,
        user=user,
        client_type=Client.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Client.GRANT_CLIENT_CREDENTIALS,
        **fields,
    )
    secret = client.new_secret()
    return stored(client), secret


def stored(client: Client) -> Client:
    client.full_clean(exclude=["client_secret"])
    client.save()
    return client


def known_clients() -> list[str]:
    """Make the clients that programs expect to find, if they are missing; returns the ids of those made.

    `occ` does not keep a refresh token that it gets for another, so it would show one twice, which ends the family. It
    therefore gets none, and an access token that lasts as long as a session.
    """
    made = []
    if not Client.objects.filter(client_id=CLI).exists():
        public_client(
            CLI,
            "Command line (occ)",
            [OCC_CALLBACK],
            advertised_as="cli",
            uses_device_flow=True,
            skip_authorization=True,
            issues_refresh_tokens=False,
            token_minutes=settings.SESSION_HOURS * 60,
        )
        made.append(CLI)
    if not Client.objects.filter(client_id="user_mcp_client").exists():
        public_client("user_mcp_client", "MCP client", MCP_CALLBACKS)
        made.append("user_mcp_client")
    return made
