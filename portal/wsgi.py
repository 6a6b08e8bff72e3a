"""The WSGI entry point: REST, admin and forms, and streams on threads of their own."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
_application = get_wsgi_application()

from django.conf import settings  # noqa: E402 - they are read now

from portal.serving.closing import notice_signals  # noqa: E402
from portal.serving.connections import lending  # noqa: E402
from portal.serving.garbage import settle  # noqa: E402

notice_signals()
settle()
application = lending(_application, settings.REQUESTS_AT_ONCE)
