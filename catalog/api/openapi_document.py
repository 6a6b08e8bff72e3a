"""`GET /openapi.json`: what this server serves, as OpenAPI 3.0, made from the code that serves it.

The contract's operations have the contract's names (`catalog.api.contract`), so that clients made from either document
have the same methods; ours, under `/api/stagecraft/v1/`, are found among the routes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, get_resolver

from catalog.api.contract import Operation, operations
from catalog.api.examples import JSON, YAML, Described, described
from catalog.api.openapi_schemas import schemas
from catalog.api.operations import version_of_this
from catalog.api.routes import collections_by_route
from catalog.kinds.base import Document
from portal.access.endpoint import Handler
from portal.wire import gojson, responses
from portal.wire.conditional import conditional

OURS = "/api/stagecraft/v1/"
CONVERTER = re.compile(r"<(?:\w+:)?(\w+)>")
SUCCESS_TOLD = re.compile(r"(2\d\d)\b")
"""Our handlers' first words are the status of success, where it is not 200."""
SUCCESS = {"create": ("201", "The object as stored"), "delete": ("204", "Deleted, or being deleted")}
LIST_PARAMETERS = ("limit", "cursor", "labelSelector")
QUERY: Mapping[str, tuple[str, ...]] = {
    "getSubjectProfile": ("namespace", "project", "component", "resource"),
    "getWorkflowRunLogs": ("task", "sinceSeconds"),
    "getWorkflowRunEvents": ("task",),
    "getReleaseBindingK8sResourceEvents": ("group", "version*", "kind*", "name*"),
    "getReleaseBindingK8sResourceLogs": ("podName*", "container", "sinceSeconds"),
    "streamWirelogs": ("project", "component"),
    "execComponent": ("project", "env", "pod", "container", "tty", "stdin", "command"),
}
"""Parameters of what is no list; those with a star are required."""
NUMBERS = frozenset({"limit", "sinceSeconds"})
TEXT_REPLIES = frozenset({"getHealth", "getReady", "execComponent"})


def show_document(request: HttpRequest) -> HttpResponse:
    """200 with the document; 304 to who has it already."""
    return conditional(request, responses.encoded_json(encoded()))


@cache
def encoded() -> bytes:
    """The document as bytes; nothing in it changes while the process runs."""
    return gojson.encode(document())


def document() -> Document:
    """The whole document."""
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "Stagecraft API",
            "version": version_of_this()["version"],
            "description": "OpenChoreo's contract, version 1.2, and what is ours under /api/stagecraft/v1/.",
        },
        "servers": [{"url": settings.PUBLIC_URL.rstrip("/")}],
        "security": [{"bearerAuth": []}],
        "paths": paths(),
        "components": {
            "schemas": schemas(),
            "securitySchemes": {"bearerAuth": {"type": "http", "scheme": "bearer"}},
            "responses": {
                "Error": {
                    "description": "Refused; as text where the path, the query or the body cannot be read",
                    "content": {**json_of("ErrorResponse"), "text/plain": {"schema": {"type": "string"}}},
                },
                "Unauthenticated": {"description": "Nobody is signed in", "content": json_of("AuthenticationError")},
            },
        },
    }


def paths() -> dict[str, Document]:
    """Every path with its operations."""
    found: dict[str, Document] = {}
    for operation in operations():
        found.setdefault(operation.path, {})[operation.method.lower()] = of_contract(operation)
    for path, method, handler in our_handlers():
        found.setdefault(path, {})[method.lower()] = of_handler(path, method, handler)
    return dict(sorted(found.items()))


# The contract's -------------------------------------------------------------------------------------------------------


def of_contract(operation: Operation) -> Document:
    """An operation of the contract."""
    described: Document = {
        "operationId": operation.name,
        "summary": summary_of(operation.name),
        "tags": [operation.kind or "Other"],
        "parameters": [*path_parameters(operation.path), *query_parameters(operation)],
        "responses": replies_of(operation),
    }
    if operation.remark:
        described["description"] = f"Beside the contract: {operation.remark}."
    if operation.is_public:
        described["security"] = []
    if operation.verb in ("create", "update"):
        described["requestBody"] = {"required": True, "content": json_of(operation.kind)}
    elif operation.method in ("POST", "PUT") and operation.name != "triggerReleaseBindingCronJob":
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": {}}}}
    return described


def summary_of(name: str) -> str:
    """An operation's name as words: `getReleaseBindingK8sResourceLogs` is "Get release binding k8s resource logs"."""
    words = re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])|[A-Z]", name)
    return " ".join(words).capitalize()


def query_parameters(operation: Operation) -> Iterator[Document]:
    names = QUERY.get(operation.name, ())
    if operation.verb == "list":
        collection = next(item for item in collections_by_route().values() if item.kind == operation.kind)
        names = (*LIST_PARAMETERS, *sorted(collection.filters))
    for name in names:
        bare = name.removesuffix("*")
        kind = "integer" if bare in NUMBERS else "string"
        yield {"name": bare, "in": "query", "required": name != bare, "schema": {"type": kind}}


def replies_of(operation: Operation) -> Document:
    status, words = SUCCESS.get(operation.verb, ("200", "The answer"))
    if operation.name in ("generateRelease", "createSecret", "createGitSecret"):
        status = "201"
    success: Document = {"description": words}
    if operation.verb == "schema":
        success["content"] = json_of("JSONSchema")
    elif operation.name == "generateRelease":
        success["content"] = json_of("ComponentRelease")
    elif operation.kind and operation.verb != "delete":
        success["content"] = json_of(operation.kind + ("List" if operation.verb == "list" else ""))
    elif operation.name in TEXT_REPLIES:
        success["content"] = {"text/plain": {"schema": {"type": "string"}}}
    elif operation.method != "DELETE":
        success["content"] = {"application/json": {"schema": {}}}
    return {status: success, **failures(operation.is_public)}


# Ours -----------------------------------------------------------------------------------------------------------------


def our_handlers() -> Iterator[tuple[str, str, Handler]]:
    """Path, method and handler of every route below `/api/stagecraft/v1/` that declares its handlers."""
    for route, view in routes():
        path = "/" + CONVERTER.sub(r"{\1}", route)
        if path.startswith(OURS):
            for method, handler in getattr(view, "handlers", {}).items():
                yield path, method, handler


def routes(resolver: Any = None, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every route and its view."""
    for pattern in (resolver or get_resolver()).url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern, route)
        elif isinstance(pattern, URLPattern):
            yield route, pattern.callback


def of_handler(path: str, method: str, handler: Handler) -> Document:
    """An operation of ours: its handler's first paragraph, the action that it asks for, and what `examples` tell."""
    words = " ".join((handler.run.__doc__ or "").strip().split("\n\n")[0].split())
    told, known = SUCCESS_TOLD.match(words), described(handler.run) or Described("")
    success: Document = {"description": "The answer"}
    if known.reply is not None:
        success["content"] = example_of(known.reply_type, known.reply)
    found: Document = {
        "operationId": name_of(path, method),
        "summary": known.summary,
        "tags": ["Stagecraft"],
        "description": f"{words}\n\nAction: `{handler.action}`.".strip(),
        "parameters": [*path_parameters(path), *parameters_of(known)],
        "responses": {told[1] if told else "200": success, **failures(is_public=False)},
    }
    if method in ("POST", "PUT"):
        found["requestBody"] = {"content": example_of(known.body_type, known.body)}
        if known.body_type == YAML:
            found["requestBody"]["content"][JSON] = {"schema": {}}
    return found


def parameters_of(known: Described) -> Iterator[Document]:
    for name, meaning in known.query.items():
        schema: Document = {"type": "integer" if name in known.numbers else "string"}
        yield {
            "name": name, "in": "query", "required": name in known.needs, "description": meaning, "schema": schema,
        }  # fmt: skip
    for name, meaning in known.headers.items():
        yield {"name": name, "in": "header", "description": meaning, "schema": {"type": "string"}}


def example_of(content_type: str, example: Any) -> Document:
    """A content with its example; its schema is open, since clients must take fields that come with newer versions."""
    schema: Document = {} if content_type == JSON else {"type": "string"}
    return {content_type: {"schema": schema, **({} if example is None else {"example": example})}}


def name_of(path: str, method: str) -> str:
    """A name for clients made from the document: method and path, in one word."""
    words = [word.strip("{}") for word in re.split(r"[/-]", path.removeprefix(OURS)) if word]
    return method.lower() + "".join(word[:1].upper() + word[1:] for word in words)


# Both -----------------------------------------------------------------------------------------------------------------


def path_parameters(path: str) -> Iterator[Document]:
    for name in re.findall(r"\{(\w+)\}", path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def failures(is_public: bool) -> Document:
    failed: Document = {"default": {"$ref": "#/components/responses/Error"}}
    return failed if is_public else {"401": {"$ref": "#/components/responses/Unauthenticated"}, **failed}


def json_of(name: str) -> Document:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}
