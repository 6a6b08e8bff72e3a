"""The rows of permissions on the catalog's scope objects, and the record of how each mapping was compiled."""

from __future__ import annotations

from typing import Any

from django.db import models

from catalog.access.grant_manager import GrantManager
from portal.access.doors import ProtectedManager
from portal.access.grants import GroupGrantBase, PolicyExceptionBase, PolicyStateBase, UserGrantBase


class Cluster(models.Model):
    """The platform as a whole: one row, so that what is given everywhere has an object to be given on."""

    name = models.CharField(max_length=16, unique=True, default="cluster")

    def __str__(self) -> str:
        return self.name


def scope(kind: str) -> Any:
    """The scope object of a grant. Its deletion takes the grant along, so a new object of the name starts clean.

    The way back is not hidden: by it guardian finds the table of an object's grants.
    """
    return models.ForeignKey(f"catalog.{kind}", on_delete=models.CASCADE)


class ClusterUserGrant(UserGrantBase):
    content_object = scope("Cluster")
    objects = GrantManager()


class ClusterGroupGrant(GroupGrantBase):
    content_object = scope("Cluster")
    objects = GrantManager()


class NamespaceUserGrant(UserGrantBase):
    content_object = scope("Namespace")
    objects = GrantManager()


class NamespaceGroupGrant(GroupGrantBase):
    content_object = scope("Namespace")
    objects = GrantManager()


class ProjectUserGrant(UserGrantBase):
    content_object = scope("Project")
    objects = GrantManager()


class ProjectGroupGrant(GroupGrantBase):
    content_object = scope("Project")
    objects = GrantManager()


class ComponentUserGrant(UserGrantBase):
    content_object = scope("Component")
    objects = GrantManager()


class ComponentGroupGrant(GroupGrantBase):
    content_object = scope("Component")
    objects = GrantManager()


class ResourceUserGrant(UserGrantBase):
    content_object = scope("Resource")
    objects = GrantManager()


class ResourceGroupGrant(GroupGrantBase):
    content_object = scope("Resource")
    objects = GrantManager()


def level_key(kind: str) -> Any:
    """One of the keys of an exception, of which exactly one is set."""
    return models.ForeignKey(f"catalog.{kind}", on_delete=models.CASCADE, null=True, blank=True, related_name="+")


class PolicyException(PolicyExceptionBase):
    """A deny, or a mapping with conditions, on one scope object."""

    cluster = level_key("Cluster")
    namespace = level_key("Namespace")
    project = level_key("Project")
    component = level_key("Component")
    resource = level_key("Resource")


class PolicyState(PolicyStateBase):
    """What caches of roles are keyed by."""


class CompiledMapping(models.Model):
    """One role mapping of one binding, and what became of it: the link between documents and grants.

    A mapping is bound to the scope object that bore the name when the binding was written, or to the first to come
    after that; `scope_uid` remembers it. When that object goes the mapping has ended, and a new object of the same name
    gets nothing until somebody writes the binding anew.
    """

    class State(models.TextChoices):
        GRANTED = "granted"
        EXCEPTION = "exception"
        WAITING = "waiting"
        """The role or the scope object does not exist yet."""
        ENDED = "ended"
        """The scope object is gone."""

    binding_kind = models.CharField(max_length=32)
    binding_uid = models.UUIDField(db_index=True)
    binding_namespace = models.CharField(max_length=63, blank=True)
    binding_name = models.CharField(max_length=253)
    position = models.PositiveIntegerField()
    state = models.CharField(max_length=9, choices=State.choices)
    level = models.CharField(max_length=9)
    scope_uid = models.UUIDField(null=True)
    grant_row = models.BigIntegerField(null=True)
    """The row in the level's group table (`granted`) or in `PolicyException` (`exception`)."""
    expires_at = models.DateTimeField(null=True)

    objects = ProtectedManager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["binding_uid", "position"], name="unique_compiled_mapping")]
        indexes = [models.Index(fields=["level", "state", "grant_row"], name="mapping_by_grant")]

    def __str__(self) -> str:
        return f"{self.binding_kind} {self.binding_name}[{self.position}]: {self.state}"


class GrantUse(models.Model):
    """When a grant last decided something, to the hour: `used_at` for anything, `changed_at` for more than looking.

    Beside the grants and not in them, so that noting a use never waits for, or undoes, a change of rights. Keys of
    grants are never given twice, so a row that has lost its grant says nothing about another.
    """

    table = models.CharField(max_length=9)
    """`user`, `group` or `exception`, as in `portal.access.rules.Rule`."""
    level = models.CharField(max_length=9)
    row = models.BigIntegerField()
    used_at = models.DateTimeField()
    changed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["table", "level", "row"], name="unique_grant_use")]

    def __str__(self) -> str:
        return f"{self.table}:{self.level}:{self.row} used {self.used_at:%Y-%m-%d %H:%M}"


GRANTS: dict[str, tuple[type[UserGrantBase], type[GroupGrantBase]]] = {
    "cluster": (ClusterUserGrant, ClusterGroupGrant),
    "namespace": (NamespaceUserGrant, NamespaceGroupGrant),
    "project": (ProjectUserGrant, ProjectGroupGrant),
    "component": (ComponentUserGrant, ComponentGroupGrant),
    "resource": (ResourceUserGrant, ResourceGroupGrant),
}
