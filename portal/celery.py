"""The Celery application. Messages only wake workers up: what is to be done is in the database."""

import os

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
TRANSPORT_ALIASES["filesystem"] = "portal.file_broker:Transport"
app = Celery("stagecraft")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["catalog.access", "catalog.controllers", "workflows.runs", "portal.audit"])
