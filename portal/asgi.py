"""The ASGI entry point, for WebSockets: commands in containers. Everything else is Django's, as under WSGI."""

import os
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
django_application = get_asgi_application()

from catalog.api import exec_stream  # noqa: E402 - needs Django to be ready


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await exec_stream.serve(django_application, scope, receive, send)
    elif scope["type"] == "http":
        await django_application(scope, receive, send)
    else:
        raise ValueError(f"nothing is done for scopes of type {scope['type']}")  # such as lifespan
