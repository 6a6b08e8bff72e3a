"""The rules of health as rows: Stagecraft's own, which a new version renews unless somebody has edited them, and more.

Processes keep the compiled rules and ask at most every few seconds whether the rows have changed.
"""

from __future__ import annotations

import threading
import time
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connections, models
from django.db.models.signals import post_delete, post_save

from catalog.delivery import health
from catalog.delivery.health import BadRule, Rule, Rules, compile_rule, rules_of, shipped, shipped_rules

BELIEVED_SECONDS = 3.0


class HealthRule(models.Model):
    """A rule for the health of one kind, or of many."""

    group = models.CharField(max_length=253, blank=True, help_text="API group; empty for core; * and ? are patterns")
    kind = models.CharField(max_length=63, help_text="Kind, or * for all kinds of the group")
    expression = models.TextField(
        help_text="CEL over object, metadata, spec, status and conditions (by type); gives Healthy, Progressing, "
        "Degraded, Suspended or Unknown"
    )
    description = models.TextField(blank=True)
    is_enabled = models.BooleanField(default=True, help_text="Without it the next nearest rule counts")
    is_shipped = models.BooleanField(default=False, editable=False)
    """Whether it is as Stagecraft brought it: a new version may replace it."""
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["group", "kind"], name="unique_health_rule")]
        ordering = ["group", "kind"]

    def __str__(self) -> str:
        return f"{self.kind}.{self.group}" if self.group else self.kind

    def clean(self) -> None:
        """Refuse an expression that does not compile, or that fails with an empty object."""
        try:
            program = compile_rule(self.expression)
        except BadRule as error:
            raise ValidationError({"expression": f"the expression cannot be used: {error}"}) from None
        found, problem = health.evaluate(program, {"metadata": {"name": "new"}})
        if problem:
            text = f"an object that has no spec and no status yet must have a health too, but {problem}"
            raise ValidationError({"expression": f"{text}. Read fields with .? and orValue()"})
        del found

    @property
    def rule(self) -> Rule:
        return Rule(self.group, self.kind, self.expression, self.description)


def ensure_shipped() -> None:
    """Bring Stagecraft's rules: new ones, and new texts of those that nobody has edited."""
    held = {(row.group, row.kind): row for row in HealthRule.objects.all()}
    for rule in shipped():
        row = held.get((rule.group, rule.kind))
        if row is None:
            HealthRule.objects.create(is_shipped=True, **columns(rule))
        elif row.is_shipped and row.rule != rule:
            HealthRule.objects.filter(pk=row.pk).update(**columns(rule))
    forget()


def columns(rule: Rule) -> dict[str, Any]:
    return {
        "group": rule.group,
        "kind": rule.kind,
        "expression": rule.expression,
        "description": rule.description,
    }


class _Kept:
    """The rules as this process last read them."""

    rules: Rules | None = None
    read_at = 0.0
    lock = threading.Lock()


def current() -> Rules:
    """The rules that hold now, compiled. A query every few seconds, however often it is asked."""
    if _Kept.rules is None or time.monotonic() - _Kept.read_at > BELIEVED_SECONDS:
        with _Kept.lock:
            rows = HealthRule.objects.filter(is_enabled=True).order_by("group", "kind")
            # A database that was never prepared has none.
            read = rules_of(row.rule for row in rows) if rows else shipped_rules()
            if _Kept.rules is None or read.rules != _Kept.rules.rules:
                _Kept.rules = read
            _Kept.read_at = time.monotonic()
    return _Kept.rules


def forget(**_: Any) -> None:
    """Read the rules anew at the next question."""
    _Kept.rules = None


def connect() -> None:
    """Have objects judged by the rows."""
    health.use(current)
    post_save.connect(forget, sender=HealthRule)
    post_delete.connect(forget, sender=HealthRule)


def prepare(using: str, **_: Any) -> None:
    """After a migration: the shipped rules are there."""
    if HealthRule._meta.db_table in connections[using].introspection.table_names():
        ensure_shipped()
