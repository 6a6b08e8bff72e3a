"""Who a verified token of the outside issuer speaks of.

A subject is known by issuer and `sub`, and gets a row when it is seen first, with no rights. Its user name is its
`sub` where that is free and plain, else one that nobody else can have: a name that somebody holds is never taken over.
Groups come from the token at each request and are stored nowhere.

The sort of a subject stays what it was at first: a token that makes a person of a service account, or the other way
round, is refused, so that nobody who may choose their own `sub` comes by the rights of a client.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction

from portal.accounts.actor import system
from portal.accounts.identity import Identity
from portal.accounts.jwt_verification import Refused
from portal.accounts.models import User
from portal.prepared import Prepared, prepare

GROUPS_MAX = 1000
"""More are refused, not cut off: the one that was left out could be one that denies."""
GROUP_MAX = 1024
PLAIN_NAME = re.compile(r"[A-Za-z0-9_@+-][A-Za-z0-9_.@+-]{0,149}")
RESERVED = frozenset({"admin", "administrator", "anonymous", "root", "superuser", "system"})
HUMAN, SERVICE, AGENT = User.PrincipalKind.HUMAN, User.PrincipalKind.SERVICE_ACCOUNT, User.PrincipalKind.AGENT


def identity_of_claims(claims: Mapping[str, Any]) -> Identity:
    """The subject of a verified token; with an `act` claim (RFC 8693 §4.1), the actor on behalf of the subject. Raises
    `Refused`."""
    issuer, subject = claims["iss"], claims["sub"]
    groups = groups_of(claims)
    credential = f"jwt:{sha256(issuer.encode()).hexdigest()[:8]}"
    if isinstance(claims.get("jti"), str):
        credential += f":{printable(claims['jti'])[:40]}"
    counted = frozenset((settings.OIDC_GROUPS_CLAIM, group) for group in groups)
    email = claims.get("email")
    if claims.get("email_verified") is True and isinstance(email, str) and "@" in email and email.isprintable():
        counted |= {("email", email)}
    if "act" not in claims:
        return Identity(row_for(issuer, subject, sort_of(claims), claims), credential, counted)
    person = row_for(issuer, subject, HUMAN, claims)
    if person.is_machine:
        raise Refused("INVALID_CLAIMS", "an actor acts for persons only")
    actor = row_for(issuer, actor_of(claims, issuer), AGENT, {})
    if not actor.is_machine:
        raise Refused("INVALID_CLAIMS", "the actor is a person")
    return Identity(actor, credential, acting_for=Identity(person, credential, counted))


def groups_of(claims: Mapping[str, Any]) -> list[str]:
    """The groups of a token: a list of texts, or one text, which is one group whatever is in it. Raises `Refused`."""
    given = claims.get(settings.OIDC_GROUPS_CLAIM)
    if given is None:
        return []
    listed = [given] if isinstance(given, str) else given
    if not isinstance(listed, list) or len(listed) > GROUPS_MAX:
        raise Refused("INVALID_CLAIMS", f"{settings.OIDC_GROUPS_CLAIM} is no list of at most {GROUPS_MAX} groups")
    for group in listed:
        if not isinstance(group, str) or len(group) > GROUP_MAX or (group and not group.isprintable()):
            raise Refused("INVALID_CLAIMS", f"{settings.OIDC_GROUPS_CLAIM} has an entry that is no name of a group")
    return sorted({group for group in listed if group})


def actor_of(claims: Mapping[str, Any], issuer: str) -> str:
    """The `sub` of the present actor; actors before it, nested within, say nothing about rights. Raises `Refused`."""
    act = claims["act"]
    actor = act.get("sub") if isinstance(act, Mapping) else None
    if not isinstance(actor, str) or not actor or len(actor) > 255 or not actor.isprintable():
        raise Refused("INVALID_CLAIMS", "act names nobody")
    if act.get("iss", issuer) != issuer or actor == claims["sub"]:
        raise Refused("INVALID_CLAIMS", "act names another issuer, or the subject itself")
    return actor


def sort_of(claims: Mapping[str, Any]) -> str:
    """What the token says its subject is: an agent if the settings name it, a client by itself (`client_id` is the
    `sub`) a service account, and else a person. A token that names no client is taken for a person's: of a machine that
    costs nothing, while a person taken for a machine would be shut out later."""
    client = client_of(claims)
    name, _, value = settings.OIDC_AGENT_CLAIM.partition("=")
    if (name and str(claims.get(name)) == value) or (client in ("", claims["sub"]) and is_agent(claims["sub"])):
        return AGENT
    return SERVICE if client == claims["sub"] else HUMAN


def is_agent(subject: str) -> bool:
    return subject in settings.OIDC_AGENTS


def client_of(claims: Mapping[str, Any]) -> str:
    """The client that the token was issued to (RFC 8693 `client_id`, OpenID Connect `azp`), "" if it does not say."""
    found = claims.get("client_id") or claims.get("azp") or claims.get("cid") or ""
    return found if isinstance(found, str) else ""


@cache
def by_subject() -> Prepared:
    rows = User.objects.select_related("owner")
    return prepare(lambda issuer, subject: rows.filter(issuer=issuer, subject=subject), "issuer", "subject")


def row_for(issuer: str, subject: str, sort: str, claims: Mapping[str, Any]) -> User:
    """The user of that subject, made if there is none yet. Raises `Refused` if it is of another sort."""
    found: User | None = by_subject().row(issuer=issuer, subject=subject)
    if found is None:
        if sort == HUMAN and is_agent(subject):
            raise Refused("INVALID_CLAIMS", "a person with the name of an agent")
        return made(issuer, subject, sort, claims)
    held = found.principal_kind
    # Of machines the row knows best which they are: an actor is named without a word about its client.
    if held != sort and HUMAN in (held, sort):
        raise Refused("INVALID_CLAIMS", f"a token for {sort}, but {found.username} is {held}")
    if held == SERVICE and sort == AGENT and claims:
        # It has been named an agent since. That only takes rights away.
        found.owner, found.principal_kind = owner_of_agents(subject), AGENT
        found.save(update_fields=["owner", "principal_kind"])
        announce(found, "update")
    return found


def made(issuer: str, subject: str, sort: str, claims: Mapping[str, Any]) -> User:
    """A row for a subject that is seen for the first time: no groups, no rights, no password."""
    fields: dict[str, Any] = {"principal_kind": sort, "password": make_password(None)}
    if sort == AGENT:
        fields["owner"] = owner_of_agents(subject)
    if isinstance(name := claims.get("name"), str):
        fields["first_name"] = printable(name)[:150]
    for username in names_for(issuer, subject):
        try:
            with transaction.atomic():
                user, is_new = User.objects.get_or_create(
                    issuer=issuer, subject=subject, defaults={**fields, "username": username}
                )
        except IntegrityError:
            continue  # somebody has that name
        if is_new:
            announce(user, "create")
        return user
    raise Refused("INVALID_CLAIMS", "no user name is free")


def announce(user: User, verb: str) -> None:
    """The audit's event of an account that a token has made or changed: the platform's, beside the one of the
    request."""
    # Imported late: the audit's modules import models of this application.
    from portal.audit import ledger
    from portal.audit.accounts import account_event

    actor = system("identity", surface="rest")
    ledger.write([account_event(actor, user, verb, {"issuer": user.issuer, "principalKind": user.principal_kind})])


def names_for(issuer: str, subject: str) -> list[str]:
    """User names to try: the subject itself, and one with a hash that no form lets anybody choose."""
    marked = (
        re.sub(r"[^A-Za-z0-9_.@+-]", "_", subject)[:120] + "~" + sha256(f"{issuer} {subject}".encode()).hexdigest()[:16]
    )
    return [subject, marked] if is_plain(subject) else [marked]


def is_plain(subject: str) -> bool:
    """Whether a `sub` can be a user name as it is: no look-alikes, no separators, none of the names that mean more."""
    return PLAIN_NAME.fullmatch(subject) is not None and subject.lower() not in RESERVED


def owner_of_agents(subject: str) -> User:
    """Who answers for agents of the issuer. Raises `Refused` if nobody does."""
    owner = User.objects.filter(username=settings.OIDC_AGENT_OWNER, principal_kind=HUMAN).first()
    if owner is None:
        raise Refused(
            "INVALID_CLAIMS",
            f"agent {subject!r} has no owner: set OIDC_AGENT_OWNER, or make it first by manage.py account",
        )
    return owner


def printable(text: str) -> str:
    return "".join(character if character.isprintable() else "_" for character in text)
