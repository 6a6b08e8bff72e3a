"""The routes of the observer, below `/observer/`: the `observerURL` of planes that are watched from here."""

from __future__ import annotations

from django.urls import path

from portal.access.endpoint import Handler, endpoint, public
from portal.mcp.view import serve
from workflows.observer import views
from workflows.observer.tools import OBSERVER

COSTS = "api/v1alpha1/costs/namespaces/<str:namespace>/environments/<str:environment>"
TRACE = "api/v1alpha1/traces/<str:trace>/spans"

urlpatterns = [
    path("mcp", serve(OBSERVER)),
    path("mcp/", serve(OBSERVER)),
    path("health", public(views.health)),
    path("api/v1/logs/query", views.ask_logs),
    path("api/v1/events/query", views.ask_events),
    path("api/v1/metrics/query", views.ask_metrics),
    path("api/v1alpha1/metrics/runtime-topology", views.ask_topology),
    path("api/v1alpha1/traces/query", views.ask_traces),
    path(f"{TRACE}/query", endpoint(post=Handler(views.show_spans, action="traces:view"))),
    path(f"{TRACE}/<str:span>", endpoint(get=Handler(views.show_span, action="traces:view"))),
    path("api/v1alpha1/alerts/query", views.ask_alerts),
    path("api/v1alpha1/incidents/query", views.ask_incidents),
    path(
        "api/v1alpha1/incidents/<str:incident>",
        endpoint(put=Handler(views.change_incident, action="incidents:update")),
    ),
    path(COSTS, endpoint(get=Handler(views.show_costs, views.bind_cost, "finops:view"))),
    path(f"{COSTS}/recommendations", endpoint(get=Handler(views.show_recommendations, views.bind_cost, "finops:view"))),
]
