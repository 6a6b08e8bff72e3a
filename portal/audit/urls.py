"""The audit's route, below `/api/stagecraft/v1/`."""

from django.urls import path

from portal.access.endpoint import ANYONE, Handler, endpoint
from portal.audit.views import AuditQuery, list_events

urlpatterns = [path("audit", endpoint(get=Handler(list_events, bind=AuditQuery.bind, action=ANYONE)))]
