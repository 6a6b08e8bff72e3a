"""The rows that permissions are kept in, as abstract models: the layer that has the scope objects makes them concrete.

A grant is a row of django-guardian with a real foreign key to its scope object, at the place where it was given and
never copied onto the objects within. Deleting the object deletes its grants. What guardian has no word for, denies and
conditions, is a `PolicyExceptionBase`. `PolicyStateBase` is one row: what a cache of roles is keyed by.
"""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.auth.models import Group, Permission
from django.db import models
from django.utils import timezone
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from portal.access.doors import ProtectedManager


class HandedOut(models.Model):
    """Until when a grant lasts and how it came about: the columns of both sorts.

    A row may stand for bindings and for a grant by hand at once. `expires_at` is then the latest of their ends: what
    the engine reads.
    """

    expires_at = models.DateTimeField(null=True, blank=True)
    is_manual = models.BooleanField(default=True, help_text="Given by hand, whether or not bindings give it too.")
    hand_expires_at = models.DateTimeField(null=True, blank=True)
    """When the part that was given by hand ends."""
    granted_at = models.DateTimeField(default=timezone.now, editable=False)
    granted_by = models.CharField(max_length=255, blank=True)
    """Who gave it by hand."""

    class Meta:
        abstract = True


class UserGrantBase(HandedOut, UserObjectPermissionBase):  # type: ignore[misc]
    """A permission of one user on one scope object."""

    class Meta(UserObjectPermissionBase.Meta):
        abstract = True


class GroupGrantBase(HandedOut, GroupObjectPermissionBase):  # type: ignore[misc]
    """A permission of one group on one scope object."""

    class Meta(GroupObjectPermissionBase.Meta):
        abstract = True


class PolicyExceptionBase(models.Model):
    """A mapping that refuses, or that gives under conditions. Subclasses add one foreign key for each level."""

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="+")
    permission = models.ForeignKey(Permission, on_delete=models.CASCADE, related_name="+")
    effect = models.CharField(max_length=5, choices=[("allow", "Allow"), ("deny", "Deny")])
    level = models.CharField(max_length=9)
    conditions = models.JSONField(default=list)
    """`[{"actions": […], "expression": "…", "tree": […]}]`; empty means always."""
    expires_at = models.DateTimeField(null=True, blank=True)
    granted_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ProtectedManager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.effect} {self.permission_id} to {self.group_id}"


class PolicyStateBase(models.Model):
    """One row: `version` moves with every change of what anybody may do, `roles` with every change of a role.

    `roles` is random, so that a change which was rolled back never has the name of one that was not.
    """

    THE_ROW: ClassVar[int] = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=THE_ROW)
    version = models.PositiveBigIntegerField(default=1)
    roles = models.UUIDField(default=uuid.uuid4)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"policy {self.version}"
