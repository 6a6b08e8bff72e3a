"""The routes of the REST API. Included at the root by `portal.urls`.

One pattern serves all collections of a scope: the kind is found by its plural in a table, which costs the same for
the first kind and the last. Routes for what is not plain CRUD stand before the general ones.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.urls import ResolverMatch, URLPattern, include, path

from catalog.api import openapi_document, operations, reference_page
from catalog.api.collection import Collection
from catalog.api.crud import create_object, delete_object, get_object, list_objects, replace_object
from catalog.api.listing import ListQuery
from catalog.api.routes import collections_by_route
from catalog.api.type_schema import TYPE_KINDS, parameters_schema
from portal.access.endpoint import Handler, endpoint, public
from portal.wire.responses import not_routed

GET = Handler(get_object, action="{kind}:view")
DELETE = Handler(delete_object, action="{kind}:delete")
SNAPSHOT_ITEM = endpoint(get=GET, delete=DELETE)
ITEM = endpoint(get=GET, put=Handler(replace_object, action="{kind}:update"), delete=DELETE)
SCHEMA = endpoint(get=Handler(parameters_schema, action="{kind}:view"))
COLLECTION = endpoint(
    get=Handler(list_objects, bind=ListQuery.bind, action="{kind}:view"),
    post=Handler(create_object, action="{kind}:create"),
)


def collection_view(request: HttpRequest, plural: str, namespace: str = "") -> HttpResponseBase:
    """List and create."""
    collection = routed(plural, namespace)
    if collection is None:
        return not_routed(request)
    return COLLECTION(request, collection=collection, namespace=namespace)


def item_view(request: HttpRequest, plural: str, name: str, namespace: str = "") -> HttpResponseBase:
    """Get, replace and delete."""
    collection = routed(plural, namespace)
    if collection is None:
        return not_routed(request)
    view = ITEM if collection.is_replaceable else SNAPSHOT_ITEM
    return view(request, collection=collection, namespace=namespace, name=name)


def schema_view(request: HttpRequest, plural: str, name: str, namespace: str = "") -> HttpResponseBase:
    """The parameters' schema of a type."""
    collection = routed(plural, namespace)
    if collection is None or collection.kind not in TYPE_KINDS:
        return not_routed(request)
    return SCHEMA(request, collection=collection, namespace=namespace, name=name)


def routed(plural: str, namespace: str) -> Collection | None:
    """The collection at a path, None if there is none."""
    return collections_by_route().get((plural, bool(namespace)))


for _view, _endpoint in ((collection_view, COLLECTION), (item_view, ITEM), (schema_view, SCHEMA)):
    _view.csrf_exempt = True  # type: ignore[attr-defined]  # as every endpoint: a bearer token, no cookie
    _view.handlers = _endpoint.handlers  # type: ignore[attr-defined]


class CollectionRoute(URLPattern):
    """A route of all kinds, for those that there are: where the plural is none of a kind, the next route is asked.

    So it can stand before all others, and almost every request has found its view at the first or second try.
    """

    def resolve(self, path: str) -> ResolverMatch | None:
        found = super().resolve(path)
        if found is None or routed(found.kwargs["plural"], found.kwargs.get("namespace", "")) is None:
            return None
        return found


def first(route: URLPattern) -> CollectionRoute:
    return CollectionRoute(route.pattern, route.callback)


OF_OBJECT = path("api/v1/namespaces/<str:namespace>/<str:plural>/<str:name>", item_view)
OF_COLLECTION = path("api/v1/namespaces/<str:namespace>/<str:plural>", collection_view)
routes_of_kinds = [first(OF_OBJECT), first(OF_COLLECTION)]
"""To stand before all other routes of the installation."""

urlpatterns = [
    path("health", public(operations.health)),
    path("ready", public(operations.ready)),
    path("version", public(operations.show_version)),
    path("openapi.json", public(openapi_document.show_document)),
    path("reference/", public(reference_page.show_index), name="api-reference"),
    path("reference/operations/<str:name>/", public(reference_page.show_operation), name="api-reference-operation"),
    path("reference/schemas/<str:name>/", public(reference_page.show_schema), name="api-reference-schema"),
    path("api/stagecraft/v1/", include("catalog.api.stagecraft.urls")),
    path("", include("catalog.api.special")),
    OF_COLLECTION,
    OF_OBJECT,
    path("api/v1/namespaces/<str:namespace>/<str:plural>/<str:name>/schema", schema_view),
    path("api/v1/<str:plural>", collection_view),
    path("api/v1/<str:plural>/<str:name>", item_view),
    path("api/v1/<str:plural>/<str:name>/schema", schema_view),
]
