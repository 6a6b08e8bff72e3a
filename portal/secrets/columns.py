"""Which columns hold sealed texts. `manage.py rotate_secrets_key` goes through them.

A column is declared where its model is defined, by the application that owns it:

    declare_sealed(WebhookKey, "sealed", lambda row: context("webhookkey", row["id"], "key", row["namespace"]),
                   needs=("id", "namespace"))
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import models


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A text column of sealed texts, and how a row's context is made from its other columns."""

    model: type[models.Model]
    column: str
    context_of: Callable[[Mapping[str, Any]], str]
    needs: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.model._meta.label}.{self.column}"


_columns: dict[str, SealedColumn] = {}


def declare_sealed(
    model: type[models.Model],
    column: str,
    context_of: Callable[[Mapping[str, Any]], str],
    *,
    needs: tuple[str, ...] = ("pk",),
) -> None:
    """Say that a column holds sealed texts. An empty text in it stands for no secret."""
    declared = SealedColumn(model, column, context_of, needs)
    _columns[str(declared)] = declared


def sealed_columns() -> list[SealedColumn]:
    return [_columns[name] for name in sorted(_columns)]
