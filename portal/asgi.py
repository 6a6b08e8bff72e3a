"""The ASGI entry point, for streams: commands in containers over WebSockets. All else is Django's, as under WSGI."""

import os
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
django_application: Any = get_asgi_application()

from django.db import connections  # noqa: E402 - needs Django to be ready

from catalog.api import exec_stream  # noqa: E402

# Each request has a thread of its own here, which ends with it: what that keeps open is never used again.
connections.settings["default"]["CONN_MAX_AGE"] = 0


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await exec_stream.serve(django_application, scope, receive, send)
    elif scope["type"] == "http":
        await django_application(scope, receive, send)
    else:
        raise ValueError(f"nothing is done for scopes of type {scope['type']}")  # such as lifespan
