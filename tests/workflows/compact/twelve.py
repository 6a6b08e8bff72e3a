"""The twelve tasks by which tokens are counted, each with its shortest correct chain of compact calls and the facts
that the answers must hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.portal.mcp.thousand import Facts

Call = tuple[str, dict[str, Any]]
ERRORS = (
    "payment provider timed out",
    "cannot reach ledger: connection refused",
    "retry budget exhausted for order 4711",
)
PLATFORM_ENGINEER, DEVELOPER = "platform-engineer", "developer"


@dataclass(frozen=True)
class Task:
    """A question. `holds` is what the answers together must hold; `who` asks."""

    number: int
    question: str
    calls: tuple[Call, ...]
    holds: tuple[str, ...]
    who: str = DEVELOPER
    holds_not: Callable[[Facts], tuple[str, ...]] = lambda facts: ()


def tasks(facts: Facts) -> Iterator[Task]:
    """The twelve, in their order."""
    place = {"namespace": "default"}
    x = {**place, "component": facts.component}
    older, newer = facts.releases
    yield Task(1, "Which projects are there?", (("list", {"kind": "project", **place}),), tuple(facts.projects))
    yield Task(
        2,
        "Is X healthy in production?",
        (("status", {**x, "environment": "production"}),),
        ("healthy: yes", "reason: Ready", f"release: {older}"),
    )
    yield Task(
        3,
        "Why did X's deployment to staging fail?",
        (("status", {**x, "environment": "staging"}),),
        ("healthy: no", "RenderingFailed", "replicas"),
    )
    newest = [f"{row.recorded_at:%Y-%m-%dT%H:%M:%SZ} | {row.actor}" for row in facts.newest_changes]
    yield Task(
        4,
        "What changed in project P today, and who did it?",
        (("changes", {**place, "project": facts.project, "limit": 3}),),
        (f"count: {facts.change_count}", *newest),
    )
    yield Task(
        5,
        "Deploy release R of X to development",
        (("deploy", {**x, "environment": "development", "release": older}),),
        (f"release: {older}", "state: Active", "binding: "),
    )
    yield Task(
        6,
        "Promote X from staging to production",
        (("promote", {**x, "environment": "production"}),),
        (f"release: {newer}", "promoted_from: staging", f"release_before: {older}"),
    )
    yield Task(
        7,
        "Roll X back in production",
        (("rollback", {**x, "environment": "production"}),),
        (f"release: {older}", f"release_before: {newer}"),
    )
    yield Task(
        8,
        "What differs between staging and production for X?",
        (("diff", {**x, "from": "staging", "to": "production"}),),
        (newer, older, "image", "LOG_LEVEL", "debug", "replicas"),
    )
    yield Task(
        9,
        "Add an environment variable to X in staging",
        (("deploy", {**x, "environment": "staging", "env": {"FEATURE": "on"}}),),
        ("env: {FEATURE: on}", "state: Active"),
    )
    yield Task(
        10,
        "Show the last errors of X in production",
        (("logs", {**x, "environment": "production", "level": "ERROR", "limit": 3, "since": "1d"}),),
        ERRORS,
    )
    yield Task(
        11,
        "Who may deploy X to production?",
        (
            (
                "access",
                {
                    **x,
                    "project": facts.project,
                    "environment": "production",
                    "ask": "who",
                    "action": "releasebinding:update",
                },
            ),
        ),
        ("groups=developers", "developer-binding", "groups=sres", "groups=platform-engineers", "groups=admins"),
        who="admin",
    )
    database = {"type_name": "postgres", "type_kind": "ClusterResourceType"}
    yield Task(
        12,
        "Create a PostgreSQL database for project P in development and wait for it",
        (
            ("create", {"kind": "resource", **place, "project": facts.project, "name": "orders", "fields": database}),
            ("wait", {**place, "resource": "orders"}),
            ("deploy", {**place, "resource": "orders", "environment": "development"}),
            ("wait", {**place, "resource": "orders", "environment": "development"}),
        ),
        ("orders", "outputs"),
    )
