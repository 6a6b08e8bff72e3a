"""The API reference as pages: all that the document tells, found by words, under the policy of pages."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from catalog.api.openapi_document import document

pytestmark = pytest.mark.django_db


def page(path: str, client: Client | None = None) -> str:
    reply = (client or Client()).get(path)
    assert (reply.status_code, reply["Content-Type"]) == (200, "text/html; charset=utf-8"), path
    return str(reply.content.decode())


def shown(text: str) -> list[str]:
    return re.findall(r'href="/reference/operations/(\w+)/"', text)


def test_every_operation_and_every_schema_is_listed_and_has_a_page():
    whole, index = document(), page("/reference/")
    names = {operation["operationId"] for item in whole["paths"].values() for operation in item.values()}
    assert set(shown(index)) == names
    # One of each sort of the contract's, and all of ours.
    some = {name for name in names if not name.startswith(("list", "get", "create", "update", "delete"))}
    for name in some | set(re.findall(r"\w+Component\b", " ".join(names))):
        assert f"Operation id: <code>{name}</code>" in page(f"/reference/operations/{name}/")
    for name in whole["components"]["schemas"]:
        assert f'href="/reference/schemas/{name}/"' in index
    for name in ("Component", "ComponentList", "ErrorResponse"):
        assert f"<h1>{name}</h1>" in page(f"/reference/schemas/{name}/")


@pytest.mark.parametrize(("words", "first"), [("apply", "postApply"), ("GET watch", "getWatch")])
def test_the_search_finds_by_all_its_words_without_a_script(words, first):
    found = shown(page(f"/reference/?q={words}"))
    assert first in found
    assert 0 < len(found) < 30
    assert shown(page("/reference/?q=nothing+has+this")) == []


def test_a_page_tells_parameters_examples_and_the_request_as_a_command():
    text = page("/reference/operations/postApply/")
    assert "<code>atomic</code>" in text
    assert "--data-binary &#x27;apiVersion: openchoreo.dev/v1alpha1" in text
    assert "<code>true</code> stores all documents" in text
    assert "&quot;counts&quot;" in text


def test_nothing_of_it_breaks_the_policy_of_pages():
    """No style and no script in the page's own text, nothing from elsewhere."""
    for path in ("/reference/", "/reference/operations/getWatch/", "/reference/schemas/Component/"):
        text, reply = page(path), Client().get(path)
        assert "script-src 'self'" in reply["Content-Security-Policy"]
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script>", text)
        assert not re.search(r'(?:src|<link[^>]*href)="(?:https?:)?//', text)


def test_whoever_is_signed_in_is_named(admin: Any):
    client = Client()
    client.force_login(admin)
    assert "Admin, as admin" in page("/reference/", client)
    assert "Admin, as" not in page("/reference/")


def test_what_is_not_there_is_not_found():
    for path in ("/reference/operations/never/", "/reference/schemas/Never/"):
        assert Client().get(path).status_code == 404
    assert Client().post("/reference/").status_code == 405


def test_what_a_reader_searches_for_is_only_text():
    assert "<script>alert" not in page("/reference/?q=<script>alert(1)</script>")
