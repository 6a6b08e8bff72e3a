"""The routes of what a run does. Included at the root by `portal.urls`, before the general ones of the catalog."""

from __future__ import annotations

from django.urls import path

from portal.access.endpoint import Handler, endpoint
from workflows.runs import progress

RUN = "api/v1/namespaces/<str:namespace>/workflowruns/<str:name>"
VIEW = "workflowrun:view"

urlpatterns = [
    path(f"{RUN}/status", endpoint(get=Handler(progress.show_status, action=VIEW))),
    path(f"{RUN}/logs", endpoint(get=Handler(progress.show_logs, progress.bind_logs, VIEW))),
    path(f"{RUN}/events", endpoint(get=Handler(progress.show_events, progress.bind_task, VIEW))),
]
