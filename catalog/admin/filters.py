"""The filters of the object lists: namespace, project, environment and readiness. One query each at most."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.http import HttpRequest

from catalog.admin.acting import access_of
from catalog.admin.object_page import seen
from catalog.kinds.base import PlatformObject
from catalog.kinds.environment import Environment
from catalog.kinds.namespace import Namespace
from catalog.kinds.project import Project

CHOICES_MAX = 200
READINESS = (("True", "Ready"), ("False", "Not ready"), ("Unknown", "Unknown"), ("none", "No condition yet"))


class NamespaceFilter(SimpleListFilter):
    title = "namespace"
    parameter_name = "namespace"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        names = seen(access_of(request), Namespace.objects.order_by("name")).values_list("name", flat=True)[
            :CHOICES_MAX
        ]
        return [(name, name) for name in names]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(namespace_id=self.value()) if self.value() else queryset


class ReadinessFilter(SimpleListFilter):
    title = "readiness"
    parameter_name = "ready"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> tuple[tuple[str, str], ...]:
        return READINESS

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        value = self.value()
        return queryset if value is None else queryset.filter(ready="" if value == "none" else value)


class OwnerFilter(SimpleListFilter):
    """Keeps what refers to one object by a foreign key."""

    owners: Any

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        owners = seen(access_of(request), self.owners.order_by("namespace_id", "name"))
        rows = owners.values_list("pk", "namespace_id", "name")
        return [(str(key), f"{namespace}/{name}") for key, namespace, name in rows[:CHOICES_MAX]]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        value = self.value()
        if value is None or not value.isdecimal():
            return queryset
        return queryset.filter(**{f"{self.parameter_name}_id": int(value)})


class ProjectFilter(OwnerFilter):
    title = "project"
    parameter_name = "project"
    owners = Project.objects


class EnvironmentFilter(OwnerFilter):
    title = "environment"
    parameter_name = "environment"
    owners = Environment.objects


def filters_of(model: type[PlatformObject]) -> list[type[SimpleListFilter]]:
    """The filters that make sense for a kind."""
    fields = {field.name for field in model._meta.get_fields()}
    by_field = {"namespace": NamespaceFilter, "project": ProjectFilter, "environment": EnvironmentFilter}
    return [*(choice for name, choice in by_field.items() if name in fields), ReadinessFilter]
