"""Every operation of the contract's document has a view with that method, and our table of them is that document's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client
from django.urls import Resolver404, resolve

from catalog.api.contract import operations
from catalog.compiler.yaml import load_documents

pytestmark = pytest.mark.django_db
METHODS = ("get", "put", "post", "delete", "patch")
WITHOUT_A_VIEW: dict[tuple[str, str], str] = {}
"""(method, path) → why the contract's operation is not served."""


def documented(conformance: Path) -> Iterator[tuple[str, str, str]]:
    """Method, path with bare braces, and name of each operation of the contract's document."""
    source = conformance / "openapi" / "openchoreo-api.yaml"
    (document,) = load_documents(source.read_bytes(), source.name)
    paths: dict[str, dict[str, dict[str, str]]] = document.value["paths"]  # type: ignore[assignment, index, call-overload]
    for path, item in paths.items():
        for method in METHODS:
            if method in item:
                yield method.upper(), bare(path), item[method]["operationId"]


def bare(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


def test_every_operation_of_the_contract_is_served(conformance: Path) -> None:
    missing = set()
    for method, path, _ in documented(conformance):
        url = path.replace("{}", "x")
        try:
            resolve(url)
        except Resolver404:
            missing.add((method, path))
            continue
        # Without a token: 401, or whatever a public operation says; neither "no such route" nor "no such verb".
        reply = Client().generic(method, url)
        if reply.status_code in (404, 405):
            missing.add((method, path))
    assert missing == set(WITHOUT_A_VIEW)


def test_our_table_has_the_contracts_operations_under_their_names(conformance: Path) -> None:
    ours = {(item.method, bare(item.path), item.name) for item in operations() if item.in_document}
    theirs = set(documented(conformance))
    assert len(theirs) == 214
    assert ours == theirs


def test_every_remark_has_a_verdict_and_every_named_test_exists() -> None:
    repository = Path(__file__).resolve().parents[3]
    for item in operations():
        assert bool(item.remark) == (item.verdict != "same"), item.name
        for path in re.findall(r"`([^`]+)`", item.more):
            assert (repository / path).exists(), (item.name, path)


def test_no_operation_is_in_the_table_twice() -> None:
    keys = [(item.method, bare(item.path)) for item in operations()]
    assert len(set(keys)) == len(keys)
    assert len({item.name for item in operations()}) == len(keys)
