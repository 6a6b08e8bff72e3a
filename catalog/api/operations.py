"""What a load balancer and a client ask before anything else: health, readiness, version."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from celery import current_app
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse

from portal.wire import responses

NOT_SET = "not-set"
BROKER_SECONDS = 1.0
"""How long a broker may take to answer."""
BROKER_BELIEVED_SECONDS = 5.0
"""How long its last answer counts: load balancers ask every second, from many places."""


def health(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return responses.text("OK")


def ready(request: HttpRequest) -> HttpResponse:
    """The process can serve: database, migrations and broker are as they must be. Else 503 names what is not."""
    missing = list(what_is_missing())
    if missing:
        return responses.text("Not ready: " + "; ".join(missing), 503)
    return responses.text("Ready")


def what_is_missing() -> Iterator[str]:
    """Each thing that keeps the process from serving, with what to do. No passwords: anybody may ask."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        pending = unapplied_migrations()
        if pending:
            yield f"{pending} migration(s) are not applied, run manage.py migrate"
    except DatabaseError:
        yield "the database does not answer"
    if not broker_answers():
        yield "the broker (CELERY_BROKER_URL) does not answer"


_is_migrated = False


def unapplied_migrations() -> int:
    """How many migrations the database lacks. Once it has them all it is not asked again: nobody takes them back."""
    global _is_migrated
    if _is_migrated:
        return 0
    executor = MigrationExecutor(connection)
    pending = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    _is_migrated = pending == 0
    return pending


def believed(seconds: float) -> Callable[[Callable[[], bool]], Callable[[], bool]]:
    """Ask no more often than that; what was answered last is believed meanwhile."""

    def decorate(ask: Callable[[], bool]) -> Callable[[], bool]:
        last: list[tuple[float, bool]] = []

        def asked() -> bool:
            if not last or time.monotonic() - last[0][0] > seconds:
                last[:] = [(time.monotonic(), ask())]
            return last[0][1]

        asked.forget = last.clear  # type: ignore[attr-defined]
        return asked

    return decorate


@believed(BROKER_BELIEVED_SECONDS)
def broker_answers() -> bool:
    """Whether messages to workers can be sent."""
    try:
        with current_app.connection_for_write() as broker:
            broker.ensure_connection(max_retries=1, timeout=BROKER_SECONDS, interval_start=0, interval_step=0)
            broker.default_channel  # noqa: B018  (the file system's broker looks at its directory only here)
    except Exception:  # each transport has exceptions of its own
        return False
    return True


def show_version(request: HttpRequest) -> HttpResponse:
    """What runs here. The contract names the language's fields after Go; ours say Python."""
    return responses.json_body(version_of_this())


@cache
def version_of_this() -> dict[str, str]:
    """The parts of the reply, all of them always there."""
    try:
        ours = version("stagecraft")
    except PackageNotFoundError:
        ours = NOT_SET
    return {
        "name": "stagecraft",
        "version": ours,
        "gitRevision": settings.GIT_REVISION or NOT_SET,
        "buildTime": settings.BUILD_TIME or NOT_SET,
        "goOS": sys.platform,
        "goArch": os.uname().machine,
        "goVersion": f"python{platform.python_version()}",
    }
