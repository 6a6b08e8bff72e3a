"""Namespace: the tenant boundary of the control plane. It has metadata and `status.phase`, and no spec of its own."""

from __future__ import annotations

from django.db import models

from catalog.kinds.base import NAME_IS_NO_PATH, ClusterScoped
from catalog.kinds.schema import obj


class Namespace(ClusterScoped):
    kind = "Namespace"
    plural = "namespaces"
    api_version = "v1"
    name_is_label = True
    finalizer = "kubernetes"
    # Upstream shows only namespaces with this label, because its cluster has others too. All of ours are meant.
    labels_at_birth = {"openchoreo.dev/control-plane": "true"}
    spec_schema = obj()

    # Unique as a column, not only as a table constraint: other kinds refer to it by name.
    name = models.CharField(max_length=63, unique=True)

    class Meta(ClusterScoped.Meta):
        abstract = False
        constraints = [models.CheckConstraint(condition=NAME_IS_NO_PATH, name="name_of_namespace")]
