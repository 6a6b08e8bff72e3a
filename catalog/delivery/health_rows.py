"""The rows that a rule of health is about: to try it on their objects, and to have these judged anew after a change."""

from __future__ import annotations

from typing import Any

from catalog.controllers import work
from catalog.delivery.health_models import HealthRule
from catalog.kinds.rendered_object import RenderedObject
from catalog.kinds.rendered_release import RenderedRelease

CHOICES = 50


def rows_for(rule: HealthRule) -> Any:
    """The objects of the rule's kind; of all kinds that a pattern might mean."""
    rows = RenderedObject.objects.system("health")
    if "*" not in rule.group:
        rows = rows.filter(group=rule.group)
    return rows if rule.kind == "*" else rows.filter(kind=rule.kind)


def objects_to_try(rule: HealthRule | None, visible: Any) -> Any:
    """Some that a plane has taken, of the releases given: those that the user may see."""
    if rule is None or "*" in rule.group:
        return RenderedObject.objects.none()
    rows = rows_for(rule).filter(rendered_release__in=visible).exclude(applied_hash="")
    chosen = list(rows.order_by("-id").values_list("pk", flat=True)[:CHOICES])
    return RenderedObject.objects.system("health").filter(pk__in=chosen)


def judge_again(rule: HealthRule) -> None:
    """Have the objects that the rule is for judged anew: their releases are compared with what their planes hold."""
    releases = RenderedRelease.objects.system("health").filter(pk__in=rows_for(rule).values("rendered_release"))
    found = [row for row in releases.only("pk", "delivered_to") if row.delivered_to]
    for release in found:
        release.delivered_to = {**release.delivered_to, "generation": 0}
    RenderedRelease.objects.system("health").bulk_update(found, ["delivered_to"], batch_size=200)
    work.mark_due(("RenderedRelease", release.pk) for release in found)
