"""`/reference/`: the API document as pages to read and search, made from the document that `/openapi.json` serves.

One page lists all operations, one shows each operation, one each schema. They need no script: the search is a form, and
a small script only filters while one types. Nothing comes from elsewhere, so the strict policy of pages holds. Like the
document itself they need no sign-in: they tell what can be asked, not what is there.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from catalog.api.examples import JSON, described
from catalog.api.openapi_document import document, our_handlers
from catalog.kinds.base import Document
from portal.wire import gojson

METHODS = ("get", "post", "put", "patch", "delete")
DEPTH = 8
OWN_GROUPS = "Stagecraft"


@dataclass(frozen=True)
class Listed:
    """An operation in the list."""

    name: str
    method: str
    path: str
    summary: str
    group: str

    @property
    def text(self) -> str:
        """What the search looks in."""
        return f"{self.method} {self.path} {self.summary} {self.name}".lower()


@dataclass(frozen=True)
class Row:
    """A field of a schema: how deep it lies, and what it is."""

    depth: int
    name: str
    type: str
    is_required: bool
    text: str
    schema: str = ""
    """The schema that has a page of its own."""


def show_index(request: HttpRequest) -> HttpResponse:
    """All operations by what they are about; with `q` those that have all its words."""
    words = request.GET.get("q", "").lower().split()[:20]
    groups: dict[str, list[Listed]] = defaultdict(list)
    for operation in listed():
        if all(word in operation.text for word in words):
            groups[operation.group].append(operation)
    schemas = [name for name in sorted(whole()["components"]["schemas"]) if all(word in name.lower() for word in words)]
    found = sum(map(len, groups.values()))
    context = {"groups": sorted_groups(groups), "schemas": schemas, "found": found, "query": request.GET.get("q", "")}
    version = whole()["info"]["version"]
    return render(request, "reference/index.html", {**context, "version": "" if version == "not-set" else version})


def show_operation(request: HttpRequest, name: str) -> HttpResponse:
    """One operation; 404 for a name that there is not."""
    operation = next((each for each in listed() if each.name == name), None)
    if operation is None:
        raise Http404
    told = whole()["paths"][operation.path][operation.method.lower()]
    body = told.get("requestBody", {}).get("content", {})
    context = {
        "operation": operation,
        "description": [marked(text) for text in told.get("description", "").split("\n\n") if text],
        "is_public": told.get("security") == [],
        "parameters": [{**each, "description": marked(each.get("description", ""))} for each in told["parameters"]],
        "bodies": [content_of(kind, content) for kind, content in body.items()],
        "replies": [reply_of(status, reply) for status, reply in told["responses"].items()],
        "curl": curl_of(operation, told),
    }
    return render(request, "reference/operation.html", context)


def show_schema(request: HttpRequest, name: str) -> HttpResponse:
    """One schema, as a list of its fields."""
    schema = whole()["components"]["schemas"].get(name)
    if schema is None:
        raise Http404
    used = [each for each in listed() if each.group == name.removesuffix("List")]
    return render(request, "reference/schema.html", {"name": name, "rows": list(rows_of(schema)), "operations": used})


# The document ---------------------------------------------------------------------------------------------------------


@cache
def whole() -> Document:
    """The document; nothing in it changes while the process runs."""
    return document()


@cache
def listed() -> list[Listed]:
    """Every operation, ours in groups by the file that serves them."""
    groups = {
        (path, method.lower()): run_group(handler.run)
        for path, method, handler in our_handlers()
        if described(handler.run)
    }
    found = []
    for path, item in whole()["paths"].items():
        for method in METHODS:
            if method in item:
                told = item[method]
                group = groups.get((path, method), told["tags"][0])
                found.append(Listed(told["operationId"], method.upper(), path, told.get("summary", ""), group))
    return found


GROUPS = {
    "watch": "Changes", "changes": "Changes", "history": "Changes", "documents": "Documents", "preview": "Documents",
    "render": "Documents", "manifests": "Releases", "explain": "Releases", "releasing": "Releases",
    "deletion": "Deletion", "drift": "Drift", "reveal": "Secrets",
}  # fmt: skip
"""What our files are about; all others are about access."""


def run_group(run: Any) -> str:
    return f"{OWN_GROUPS}: {GROUPS.get(run.__module__.rpartition('.')[2], 'Access')}"


def sorted_groups(groups: dict[str, list[Listed]]) -> list[tuple[str, list[Listed]]]:
    """Ours first, then the contract's by name, and what belongs to no kind last."""
    return sorted(groups.items(), key=lambda pair: (pair[0] == "Other", not pair[0].startswith(OWN_GROUPS), pair[0]))


def content_of(kind: str, content: Document) -> dict[str, Any]:
    """A body: its type, its schema's name or its fields, and its example as text."""
    schema = content.get("schema", {})
    example = content.get("example")
    text = example if isinstance(example, str) else "" if example is None else as_json(example)
    return {"type": kind, "schema": name_of_reference(schema), "rows": list(rows_of(schema)), "example": text}


def reply_of(status: str, reply: Document) -> dict[str, Any]:
    """A reply: its status, words and contents."""
    if "$ref" in reply:
        reply = whole()["components"]["responses"][name_of_reference(reply)]
    contents = [content_of(kind, content) for kind, content in reply.get("content", {}).items()]
    return {
        "status": "any other" if status == "default" else status,
        "text": reply["description"],
        "contents": contents,
    }


def curl_of(operation: Listed, told: Document) -> str:
    """The request as a command."""
    parts = ["curl"] if operation.method == "GET" else [f"curl -X {operation.method}"]
    if told.get("security") != []:
        parts.append('-H "Authorization: Bearer $TOKEN"')
    contents = told.get("requestBody", {}).get("content", {})
    kind = next(iter(contents), "")
    if kind:
        parts.append(f"-H 'Content-Type: {kind}'")
        example = contents[kind].get("example")
        parts.append("-d @body.json" if kind == JSON and example is None else f"--data-binary {quoted(example)}")
    needed = [each["name"] for each in told["parameters"] if each["in"] == "query" and each.get("required")]
    query = "?" + "&".join(f"{name}=…" for name in needed) if needed else ""
    server = whole()["servers"][0]["url"]
    return " \\\n  ".join([*parts, f"'{server}{operation.path}{query}'"])


def quoted(example: Any) -> str:
    """An example as one word of a shell."""
    text = example.strip() if isinstance(example, str) else gojson.encode(example).decode().strip()
    return "'" + text.replace("'", "'\\''") + "'"


def marked(text: str) -> SafeString:
    """A text whose `words in backquotes` are code."""
    parts = ((format_html("<code>{}</code>", part) if at % 2 else part,) for at, part in enumerate(text.split("`")))
    return format_html_join("", "{}", parts)


def as_json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


# Schemas --------------------------------------------------------------------------------------------------------------


def rows_of(schema: Document, depth: int = 0) -> Iterator[Row]:
    """The fields of an object schema and of the objects within, in the order of the schema."""
    if depth >= DEPTH:
        return
    required = set(schema.get("required", ()))
    for name, inner in (schema.get("properties") or {}).items():
        yield Row(depth, name, type_of(inner), name in required, notes_of(inner), name_of_reference(innermost(inner)))
        yield from rows_of(innermost(inner), depth + 1)


def innermost(schema: Document) -> Document:
    """What a list or a map holds, or the schema itself."""
    while True:
        if isinstance(schema.get("items"), dict):
            schema = schema["items"]
        elif isinstance(schema.get("additionalProperties"), dict):
            schema = schema["additionalProperties"]
        else:
            return schema


def type_of(schema: Document) -> str:
    """A schema's type in words: `list of string`, `map of integer`, `Component`."""
    if name := name_of_reference(schema):
        return name
    if isinstance(schema.get("items"), dict):
        return f"list of {type_of(schema['items'])}"
    if isinstance(schema.get("additionalProperties"), dict):
        return f"map of {type_of(schema['additionalProperties'])}"
    alternatives = schema.get("anyOf") or schema.get("oneOf")
    if alternatives and "type" not in schema:
        return " or ".join(dict.fromkeys(type_of(each) for each in alternatives))
    return " ".join(
        filter(None, [str(schema.get("type", "any")), f"({schema['format']})" if "format" in schema else ""])
    )


LIMITS = {
    "minimum": "at least",
    "maximum": "at most",
    "minLength": "at least so long:",
    "maxLength": "at most so long:",
}


def notes_of(schema: Document) -> str:
    """What else is known of a field."""
    notes = [str(schema.get("description", ""))]
    if "enum" in schema:
        notes.append("one of " + ", ".join(map(str, schema["enum"])))
    if "default" in schema:
        notes.append(f"{as_json(schema['default'])} unless told")
    notes += [f"{words} {schema[key]}" for key, words in LIMITS.items() if key in schema]
    if "pattern" in schema:
        notes.append(f"matches {schema['pattern']}")
    if schema.get("readOnly"):
        notes.append("set by the server")
    return "; ".join(filter(None, notes))


def name_of_reference(schema: Document) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]
