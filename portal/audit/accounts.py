"""What happens to people, tokens and groups, and who signs in: events for what does not go through the store.

In the admin, `AuditedAdmin` writes one event for each save or deletion, in its transaction. Elsewhere (the command
line, the quickstart) Django's signals of the models do.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models.signals import post_delete, post_save
from django.http import HttpRequest

from portal.accounts.actor import Actor, system
from portal.audit.ledger import Event, clean_free_text
from portal.audit.middleware import kind_of, source_ip
from portal.audit.operation import complete, current, record_changes
from portal.wire.request_ids import server_request_id

WATCHED = ("accounts.User", "accounts.AccessToken", "auth.Group", "issuer.Client", "issuer.SigningKey")
LOGIN_ONLY = frozenset({"last_login"})


def connect() -> None:
    """Begin to listen. Called once, when Django starts."""
    for label in WATCHED:
        model = apps.get_model(label)
        post_save.connect(on_save, sender=model, dispatch_uid=f"audit-save-{label}")
        post_delete.connect(on_delete, sender=model, dispatch_uid=f"audit-delete-{label}")
    user_logged_in.connect(on_login, dispatch_uid="audit-login")
    user_logged_out.connect(on_logout, dispatch_uid="audit-logout")
    user_login_failed.connect(on_login_failed, dispatch_uid="audit-login-failed")


def on_save(sender: Any, instance: Any, created: bool, update_fields: Any, raw: bool, **_: Any) -> None:
    if raw or (update_fields and frozenset(update_fields) <= LOGIN_ONLY):
        return
    details = {"fields": sorted(update_fields)} if update_fields else {}
    by_itself(instance, "create" if created else "update", details)


def on_delete(sender: Any, instance: Any, **_: Any) -> None:
    by_itself(instance, "delete", {})


def by_itself(instance: Any, verb: str, details: dict[str, Any]) -> None:
    """The event of a change that no request has asked for: the command line's, or the installation's."""
    opened = current()
    if opened is not None and opened.origin is not None:
        return  # a request, whose surface records what it does as one operation
    actor = opened.actor if opened is not None and opened.actor is not None else system("command-line", surface="cli")
    record_changes([account_event(actor, instance, verb, details)])


def account_event(actor: Actor, instance: Any, verb: str, details: dict[str, Any]) -> Event:
    """The event of a change of one row that is no platform object."""
    kind = kind_of(type(instance))
    return Event(
        action=f"{kind.lower()}:{verb}",
        actor=actor.name,
        actor_kind=actor.kind,
        surface=actor.surface,
        request_id=actor.request_id,
        kind=kind,
        name=clean_free_text(str(instance), 253),
        details={"id": instance.pk, **details},
    )


def admin_actor(request: HttpRequest) -> Actor:
    """The signed-in user as the author of a change."""
    user: Any = request.user
    return Actor(user.get_username(), user.principal_kind, "admin", server_request_id(request))


def record_admin(request: HttpRequest, instances: Any, verb: str, details: dict[str, Any]) -> None:
    """Write the events of what the admin does to rows that are no platform objects, in its transaction."""
    opened, actor = current(), admin_actor(request)
    if opened is not None and opened.actor is None:
        opened.actor, opened.credential = actor, "session"
    record_changes([account_event(actor, instance, verb, details) for instance in instances])


def on_login(sender: Any, request: HttpRequest | None, user: Any, **_: Any) -> None:
    record_session(request, user.get_username(), user.principal_kind, "session:create", "success")


def on_logout(sender: Any, request: HttpRequest | None, user: Any, **_: Any) -> None:
    if user is not None:
        record_session(request, user.get_username(), user.principal_kind, "session:delete", "success")


def on_login_failed(sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    name = str(credentials.get(get_user_model().USERNAME_FIELD) or credentials.get("username") or "")
    record_session(request, clean_free_text(name, 255), "human", "session:create", "denied")


def record_session(request: HttpRequest | None, name: str, kind: str, action: str, outcome: str) -> None:
    """The event of somebody who came, went, or was not let in."""
    if request is None:
        return  # a program that tries a password, in no session
    event = Event(
        action=action,
        actor=name,
        actor_kind=kind,
        surface="admin",
        request_id=server_request_id(request),
        outcome=outcome,
        source_ip=source_ip(request),
    )
    opened = current()
    if opened is not None:
        complete(event, opened)
    event.credential = "password" if action == "session:create" else "session"
    event.decision = "deny" if outcome == "denied" else ""
    record_changes([event])
