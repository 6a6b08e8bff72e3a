"""The routes under `/api/stagecraft/v1/`."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.urls import path

from catalog.api.stagecraft import (
    access_preview,
    changes,
    deletion,
    documents,
    drift,
    explain,
    grants,
    history,
    manifests,
    preview,
    releasing,
    render,
    watch,
)
from catalog.kinds.registry import UnknownKind, kind_of_plural
from portal.access.endpoint import Handler, endpoint
from portal.wire.responses import not_routed

View = Callable[..., HttpResponseBase]


def of_object(view: View) -> View:
    """A view of one object: its route's plural becomes a model; no such kind is no such route."""

    def routed(request: HttpRequest, plural: str, name: str, namespace: str = "") -> HttpResponseBase:
        try:
            model = kind_of_plural(plural, bool(namespace))
        except UnknownKind:
            return not_routed(request)
        return view(request, model=model, namespace=namespace, name=name)

    routed.csrf_exempt = True  # type: ignore[attr-defined]
    routed.handlers = view.handlers  # type: ignore[attr-defined]
    return routed


SEE = "{kind}:view"
WRITE = "{kind}:create"
OBJECT_VIEWS = {
    "history": of_object(endpoint(get=Handler(history.show_history, history.HistoryQuery.bind, SEE))),
    "as-of": of_object(endpoint(get=Handler(history.show_as_of, history.bind_moment, SEE))),
    "explain": of_object(endpoint(get=Handler(explain.show_explanation, explain.ExplainQuery.bind, SEE))),
    "manifests": of_object(endpoint(get=Handler(manifests.show_manifests, manifests.bind_format, SEE))),
    "deletion": of_object(endpoint(get=Handler(deletion.show_plan, action=SEE))),
    "deletion/force": of_object(endpoint(post=Handler(deletion.force_deletion, action="deletion:force"))),
    "undelete": of_object(endpoint(post=Handler(deletion.undelete_object, action=WRITE))),
}

urlpatterns = [
    path("changes", endpoint(get=Handler(changes.show_changes, changes.ChangesQuery.bind, SEE))),
    path("watch", endpoint(get=Handler(watch.watch, watch.WatchQuery.bind, SEE))),
    path("apply", endpoint(post=Handler(documents.apply_documents, documents.DocumentsQuery.bind, WRITE))),
    path("preview", endpoint(post=Handler(preview.preview_documents, documents.DocumentsQuery.bind, WRITE))),
    path("render", endpoint(post=Handler(render.render_documents, render.RenderQuery.bind, WRITE))),
    path("diff", endpoint(post=Handler(documents.diff_documents, documents.DocumentsQuery.bind, WRITE))),
    path("access/preview", endpoint(post=Handler(access_preview.preview_access, action="authzrolebinding:create"))),
    path(
        "access/grants",
        endpoint(
            get=Handler(grants.list_grants, grants.GrantsQuery.bind, "authzrolebinding:view"),
            post=Handler(grants.give_grant, action="authzrolebinding:create"),
        ),
    ),
    path(
        "access/grants/<str:key>",
        endpoint(
            put=Handler(grants.change_grant, action="authzrolebinding:create"),
            delete=Handler(grants.take_grant, action="authzrolebinding:delete"),
        ),
    ),
    path("deleted", endpoint(get=Handler(deletion.list_deleted, deletion.DeletedQuery.bind, SEE))),
    *drift.routes(),
    *releasing.routes(),
    *(
        path(f"{prefix}<str:plural>/<str:name>/{sub}", view)
        for sub, view in OBJECT_VIEWS.items()
        for prefix in ("namespaces/<str:namespace>/", "")
    ),
]
