"""Objects in columns, as `get` shows them: name, the kind's own columns, readiness and age."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone

from catalog import store
from catalog.kinds.base import Document, PlatformObject

STEP = re.compile(r"([^.\[\]]+)|\[([^\]]*)\]")
AGE_PATH = "metadata.creationTimestamp"
NONE = "<none>"


def headings(model: type[PlatformObject], *, with_namespace: bool = False, wide: bool = False) -> list[str]:
    """The columns of a kind, in capitals as kubectl writes them."""
    own = [heading.upper() for heading, _ in own_columns(model)]
    namespace = ["NAMESPACE"] if with_namespace and model.namespaced else []
    return [*namespace, "NAME", *own, "READY", *(["REASON", "GENERATION", "LABELS"] if wide else []), "AGE"]


def row_of(obj: PlatformObject, *, with_namespace: bool = False, wide: bool = False) -> list[str]:
    """One object in those columns."""
    columns = own_columns(type(obj))
    document = store.to_document(obj) if columns else {}
    own = [text_of(value_at(document, path)) for _, path in columns]
    namespace = [obj.namespace_name] if with_namespace and obj.namespaced else []
    ready = readiness(obj)
    more = [obj.ready_reason or NONE, str(obj.generation), labels_text(obj.labels)] if wide else []
    return [*namespace, obj.name, *own, ready, *more, age(obj.created_at)]


def own_columns(model: type[PlatformObject]) -> list[tuple[str, str]]:
    """The kind's columns without those that every kind has."""
    return [(heading, path) for heading, path in model.printer_columns if path != AGE_PATH and heading != "Ready"]


def readiness(obj: PlatformObject) -> str:
    """True, False or Unknown, the reason beside what is not true, and what is being deleted."""
    if obj.deleted_at is not None:
        return "Terminating"
    if obj.ready in ("", "True"):
        return obj.ready or NONE
    return f"{obj.ready} ({obj.ready_reason})" if obj.ready_reason else obj.ready


def value_at(document: Document, path: str) -> Any:
    """What stands at a dotted path; `conditions[Ready]` is the entry of that type. None if there is nothing."""
    value: Any = document
    for match in STEP.finditer(path):
        name, condition_type = match.groups()
        if name is not None:
            value = value.get(name) if isinstance(value, dict) else None
        else:
            items = value if isinstance(value, list) else []
            value = next((item for item in items if item.get("type") == condition_type), None)
    return value


def text_of(value: Any) -> str:
    if value is None or value == "":
        return NONE
    return str(value).lower() if isinstance(value, bool) else str(value)


def labels_text(labels: dict[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items())) or NONE


def age(moment: datetime) -> str:
    """How long ago, in the one or two units that kubectl shows: 45s, 3m20s, 5h, 12d, 2y30d."""
    seconds = max(0, int((timezone.now() - moment).total_seconds()))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 10:
        return f"{minutes}m{seconds % 60}s" if seconds % 60 else f"{minutes}m"
    if hours < 3:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return f"{days}d{hours % 24}h" if hours % 24 else f"{days}d"
    if days < 730:
        return f"{days}d"
    return f"{days // 365}y{days % 365}d"


def lay_out(rows: Sequence[Sequence[str]], widths: Sequence[int] | None = None) -> list[str]:
    """Rows as lines of text, three spaces between columns, as kubectl prints them."""
    if not rows:
        return []
    sizes = widths or [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["   ".join(cell.ljust(size) for cell, size in zip(row, sizes, strict=True)).rstrip() for row in rows]
