"""What a load balancer and a client ask before anything else: health, readiness, version."""

from __future__ import annotations

import os
import platform
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse

from portal.wire import responses

NOT_SET = "not-set"


def health(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return responses.text("OK")


def ready(request: HttpRequest) -> HttpResponse:
    """The process can serve: it reaches its database."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return responses.text("Not ready: the database does not answer", 503)
    return responses.text("Ready")


def show_version(request: HttpRequest) -> HttpResponse:
    """What runs here. The contract names the language's fields after Go; ours say Python."""
    return responses.json_body(_version())


@cache
def _version() -> dict[str, str]:
    try:
        ours = version("stagecraft")
    except PackageNotFoundError:
        ours = NOT_SET
    return {
        "name": "stagecraft",
        "version": ours,
        "gitRevision": NOT_SET,
        "buildTime": NOT_SET,
        "goOS": sys.platform,
        "goArch": os.uname().machine,
        "goVersion": f"python{platform.python_version()}",
    }
