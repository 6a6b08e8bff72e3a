"""What the log of documents does not hold of who may do what: memberships, grants by hand, the state of accounts.

Roles, bindings and scope objects have their revisions. The rest changes in many places (the admin, guardian's tools,
the command line, sign-in), so this listens to Django's signals and writes one row for each change, in its transaction.
`catalog.access.as_of` reads the rows; nothing ever changes them. What goes round the signals, as plain SQL does, is not
here, nor what was before the first row, which says when the record begins.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import Group
from django.core.exceptions import ObjectDoesNotExist
from django.db import models
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete, pre_save
from django.utils import timezone

from portal.access.doors import ProtectedManager
from portal.accounts.models import User
from portal.audit.operation import current

REASON = "the record of who may do what"
ACCOUNT_FIELDS = ("username", "is_active", "is_superuser", "principal_kind", "owner_id", "expires_at")


class AccessChange(models.Model):
    """One change of a membership, of a grant by hand, or of an account: how it has been since then."""

    class What(models.TextChoices):
        BEGAN = "began"
        """The record begins: earlier changes are not in it."""
        MEMBER = "member"
        GRANT = "grant"
        ACCOUNT = "account"

    recorded_at = models.DateTimeField(default=timezone.now, db_index=True)
    what = models.CharField(max_length=7, choices=What.choices)
    holds = models.BooleanField(default=True)
    """Whether the membership or the grant is there since then, or the account."""
    user_id = models.BigIntegerField(null=True, db_index=True)
    """No foreign key: the record outlives the account."""
    group = models.CharField(max_length=150, blank=True, db_index=True)
    level = models.CharField(max_length=9, blank=True)
    row = models.BigIntegerField(null=True)
    scope_uid = models.UUIDField(null=True)
    permission = models.CharField(max_length=100, blank=True)
    expires_at = models.DateTimeField(null=True)
    before = models.JSONField(default=dict)
    """An account as it was before the change; of a grant, whether it was `held`."""
    after = models.JSONField(default=dict)
    """An account as it became; of a grant, the role that it gives."""
    actor = models.CharField(max_length=255, blank=True)

    objects = ProtectedManager()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.what} {self.group or self.user_id}: {'since' if self.holds else 'until'} {self.recorded_at}"


def connect() -> None:
    """Begin to listen. Called once, when Django starts."""
    from catalog.access.models import GRANTS

    through = User.groups.through
    m2m_changed.connect(on_membership, sender=through, dispatch_uid="journal-members")
    pre_delete.connect(on_group_deletion, sender=Group, dispatch_uid="journal-group")
    pre_save.connect(before_account, sender=User, dispatch_uid="journal-account-before")
    post_save.connect(on_account, sender=User, dispatch_uid="journal-account")
    pre_delete.connect(on_account_deletion, sender=User, dispatch_uid="journal-account-end")
    for level, pair in GRANTS.items():
        for model in pair:
            pre_save.connect(before_grant, sender=model, dispatch_uid=f"journal-before-{level}-{model.__name__}")
            post_save.connect(on_grant, sender=model, dispatch_uid=f"journal-{level}-{model.__name__}")
            post_delete.connect(on_grant_end, sender=model, dispatch_uid=f"journal-end-{level}-{model.__name__}")


def write(rows: Iterable[AccessChange]) -> None:
    """Write rows with who made the change."""
    opened = current()
    actor = opened.actor.name if opened is not None and opened.actor is not None else ""
    rows = list(rows)
    for row in rows:
        row.actor = actor[:255]
    AccessChange.objects.system(REASON).bulk_create(rows)


# Memberships ----------------------------------------------------------------------------------------------------------


def on_membership(sender: Any, instance: Any, action: str, reverse: bool, pk_set: Any, **_: Any) -> None:
    """`user.groups.add` and its kin, from either side. What was not there is not taken away."""
    if action == "post_add":
        holds, keys = True, set(pk_set)
    elif action in ("pre_remove", "pre_clear"):
        side = instance.user_set if reverse else instance.groups
        holds, keys = False, set(side.values_list("pk", flat=True))
        keys = keys & set(pk_set) if action == "pre_remove" else keys
    else:
        return
    if reverse:
        members(instance.name, keys, holds=holds)
    else:
        for name in Group.objects.filter(pk__in=keys).values_list("name", flat=True):
            members(name, [instance.pk], holds=holds)


def members(group: str, users: Iterable[int], *, holds: bool) -> None:
    write(AccessChange(what=AccessChange.What.MEMBER, group=group, user_id=user, holds=holds) for user in users)


def on_group_deletion(sender: Any, instance: Group, **_: Any) -> None:
    members(instance.name, instance.user_set.values_list("pk", flat=True), holds=False)


# Accounts -------------------------------------------------------------------------------------------------------------


def account_state(user: Any) -> dict[str, Any]:
    """What of an account bears on its rights, as JSON."""
    found = {name: getattr(user, name) for name in ACCOUNT_FIELDS if hasattr(user, name)}
    return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in found.items()}


def before_account(sender: Any, instance: Any, raw: bool, update_fields: Any, **_: Any) -> None:
    """Remember the account as it was; a save that touches nothing of it costs no query."""
    instance.state_before = None
    is_irrelevant = update_fields is not None and not frozenset(update_fields) & state_fields()
    if not raw and instance.pk is not None and not is_irrelevant:
        held = User.objects.filter(pk=instance.pk).first()
        instance.state_before = None if held is None else account_state(held)


def state_fields() -> frozenset[str]:
    return frozenset(ACCOUNT_FIELDS) | {name.removesuffix("_id") for name in ACCOUNT_FIELDS}


def on_account(sender: Any, instance: Any, created: bool, raw: bool, **_: Any) -> None:
    before, after = getattr(instance, "state_before", None), account_state(instance)
    if raw or (not created and (before is None or before == after)):
        return
    change = AccessChange(
        what=AccessChange.What.ACCOUNT, user_id=instance.pk, before=before or {"exists": False}, after=after
    )
    write([change])


def on_account_deletion(sender: Any, instance: Any, **_: Any) -> None:
    for name in instance.groups.values_list("name", flat=True):
        members(name, [instance.pk], holds=False)
    change = AccessChange(
        what=AccessChange.What.ACCOUNT, user_id=instance.pk, holds=False, before=account_state(instance)
    )
    write([change])


# Grants by hand -------------------------------------------------------------------------------------------------------


def before_grant(sender: Any, instance: Any, raw: bool, **_: Any) -> None:
    """Remember whether the row was somebody's hand's before."""
    instance.was_manual = False
    if not raw and instance.pk is not None:
        instance.was_manual = sender._default_manager.filter(pk=instance.pk, is_manual=True).exists()


def on_grant(sender: Any, instance: Any, raw: bool, **_: Any) -> None:
    was_manual = getattr(instance, "was_manual", False)
    if not raw and (instance.is_manual or was_manual):
        write([grant_change(instance, holds=instance.is_manual, before={"held": was_manual})])


def on_grant_end(sender: Any, instance: Any, **_: Any) -> None:
    if instance.is_manual:
        write([grant_change(instance, holds=False)])


def grant_change(row: Any, *, holds: bool, before: dict[str, bool] | None = None) -> AccessChange:
    """How a row of grants is from now on."""
    from catalog.access.models import GRANTS

    return AccessChange(
        what=AccessChange.What.GRANT,
        holds=holds,
        user_id=getattr(row, "user_id", None),
        group=row.group.name if hasattr(row, "group_id") else "",
        level=next(level for level, pair in GRANTS.items() if type(row) in pair),
        row=row.pk,
        scope_uid=scope_uid(row),
        permission=row.permission.codename,
        expires_at=getattr(row, "hand_expires_at", row.expires_at),
        before=before or {"held": True},
        after=role_named_by(row.permission.codename),
    )


def scope_uid(row: Any) -> Any:
    """The uid of the scope object, None for the cluster, and for one that has just gone."""
    try:
        return getattr(row.content_object, "uid", None)
    except ObjectDoesNotExist:
        return None


def role_named_by(codename: str) -> dict[str, str]:
    """The role that a permission stands for, by name: its number says nothing once it has gone."""
    from catalog.access.permissions import roles_by_key

    _, _, meaning = codename.partition("|")
    role = roles_by_key().get(meaning) if "#" in meaning else None
    return {} if role is None else {"kind": role.kind, "name": role.name}
