"""Operations of an OpenAPI document: one for each path and verb. Called by ``endpoint_schema``.

The document is not validated beyond what finding its operations needs, but its references must resolve inside it.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from catalog.compiler.documents import Document
from catalog.compiler.errors import CompilerError
from catalog.compiler.yaml import load

_VERBS = ("connect", "delete", "get", "head", "options", "patch", "post", "put", "trace")
# Below these keys stands free data, in which a "$ref" is no reference.
_DATA = frozenset({"default", "enum", "example", "examples"})


def openapi_operations(content: str) -> list[Document]:
    """Return ``{kind: HTTP, method, path}`` of each operation. Raises ``CompilerError``."""
    document = load(content, "schema.yaml")
    if not isinstance(document, dict):
        raise CompilerError("load openapi document: not an object")
    paths = document.get("paths")
    if paths is None:
        return []
    if not isinstance(paths, dict):
        raise CompilerError("load openapi document: paths is not an object")
    _check_references(document.get("components"), document)
    _check_references(paths, document)
    operations = []
    for path, declared in paths.items():
        if path.startswith("x-") or declared is None:
            continue
        item = _path_item(declared, document)
        operations += [
            {"kind": "HTTP", "method": verb.upper(), "path": path} for verb in _VERBS if item.get(verb) is not None
        ]
    return operations


def _path_item(declared: Any, document: Document) -> Document:
    for _ in range(10):
        if not isinstance(declared, dict):
            raise CompilerError("load openapi document: a path item is not an object")
        reference = declared.get("$ref")
        if not isinstance(reference, str):
            return declared
        declared = _resolve(reference, document)
    raise CompilerError("load openapi document: references of a path item do not end")


def _check_references(node: Any, document: Document) -> None:
    if isinstance(node, list):
        for item in node:
            _check_references(item, document)
    elif isinstance(node, dict):
        if isinstance(reference := node.get("$ref"), str):
            _resolve(reference, document)
        for key, value in node.items():
            if key not in _DATA:
                _check_references(value, document)


def _resolve(reference: str, document: Document) -> Any:
    if not reference.startswith("#/"):
        raise CompilerError(f'load openapi document: encountered disallowed external reference: "{reference}"')
    node: Any = document
    for segment in reference[2:].split("/"):
        key = unquote(segment).replace("~1", "/").replace("~0", "~")
        if isinstance(node, dict) and key in node:
            node = node[key]
        elif isinstance(node, list) and key.isdecimal() and int(key) < len(node):
            node = node[int(key)]
        else:
            raise CompilerError(f'load openapi document: reference "{reference}" does not resolve')
    return node
