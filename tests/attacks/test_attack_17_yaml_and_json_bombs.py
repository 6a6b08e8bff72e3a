"""Attack 17: documents that are small to send and large to hold: aliases, depth, anchors, tags, keys, sheer size."""

from __future__ import annotations

import json
import time
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from catalog.compiler import yaml
from catalog.compiler.errors import YamlError
from portal.accounts.models import User, issue_token

pytestmark = pytest.mark.timeout(60)
PROJECTS = "/api/v1/namespaces/default/projects"
APPLY = "/api/stagecraft/v1/apply"


@pytest.fixture
def token(db: None) -> str:
    return issue_token(User.objects.create_superuser("root", password="correct horse battery"), "test")


def post(
    client: Client, token: str, body: str | bytes, path: str = PROJECTS, content_type: str = "application/json"
) -> Any:
    return client.post(path, body, content_type=content_type, headers={"Authorization": f"Bearer {token}"})


def laughs(levels: int) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
    return "\n".join(lines)


BOMBS = {
    "a billion laughs": laughs(12),
    "laughs as keys": "a: &a {" + ", ".join(f"k{n}: [x]" for n in range(500)) + "}\n"
    + "\n".join(f"b{n}: *a" for n in range(1_000)),
    "merges of merges": "m0: &m0 {" + ", ".join(f"k{n}: x" for n in range(1_000)) + "}\n"
    + "\n".join(f"m{n}: &m{n} {{<<: *m{n - 1}, x{n}: y}}" for n in range(1, 1_000)),
    "deep lists": "[" * 10_000,
    "deep lists, closed": "[" * 10_000 + "]" * 10_000,
    "deep maps": "{a: " * 10_000 + "1" + "}" * 10_000,
    "deep blocks": "\n".join(" " * depth + "a:" for depth in range(3_000)),
    "deep dashes": "- " * 10_000 + "a",
    "an alias to itself": "a: &a [*a]",
    "an alias of a key": "? &a [*a]\n: 1",
    "an anchor of nobody": "a: *b",
    "equal keys": "a: 1\na: 2",
    "not printable": "a: \x01",
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_attack_17_a_bomb_is_refused_with_its_line(name: str) -> None:
    began = time.process_time()
    with pytest.raises(YamlError) as refused:
        yaml.load(BOMBS[name])
    assert refused.value.line >= 1 and len(refused.value.reason) < 500
    assert time.process_time() - began < 10  # far above what it takes, far below what it would take


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: !!python/object/apply:os.system ['id']", {"a": ["id"]}),
        ("a: !!python/object:builtins.dict {b: c}", {"a": {"b": "c"}}),
        ("a: !!python/name:os.system ''", {"a": ""}),
        ("a: !ruby/object:Gem::Requirement {}", {"a": {}}),
        ("!!python/object/new:os.system [id]", ["id"]),
    ],
)
def test_attack_17_a_foreign_tag_makes_no_object(text: str, value: Any) -> None:
    """As in the reference, a tag that means nothing is passed over: plain data remains."""
    assert yaml.load(text) == value


@pytest.mark.django_db
@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.parametrize("path", [APPLY, "/api/stagecraft/v1/diff", "/api/stagecraft/v1/preview"])
def test_attack_17_over_rest_a_bomb_is_answered_with_a_mistake(
    client: Client, token: str, name: str, path: str
) -> None:
    reply = post(client, token, BOMBS[name].encode(), path, "application/yaml")
    assert reply.status_code in (400, 422), reply.content[:300]
    assert len(reply.content) < 20_000


@pytest.mark.django_db
def test_attack_17_on_the_command_line_too(tmp_path: Path) -> None:
    for name, text in BOMBS.items():
        (tmp_path / f"{name.replace(' ', '-').replace(',', '')}.yaml").write_text(text)
    said = StringIO()
    with pytest.raises(SystemExit):
        call_command("apply", "-f", str(tmp_path), stdout=said, stderr=said)
    assert f"0 created, 0 changed, 0 unchanged, 0 skipped, {len(BOMBS)} failed" in said.getvalue()
    assert said.getvalue().count(".yaml") >= len(BOMBS)


@pytest.mark.parametrize("anchors", [100, 100_000])
def test_attack_17_many_anchors_cost_what_they_are_long(anchors: int) -> None:
    document = yaml.load("\n".join(f"k{n}: &a{n} x" for n in range(anchors)))
    assert isinstance(document, dict) and len(document) == anchors


def test_attack_17_what_an_alias_stands_for_is_a_copy() -> None:
    """A shared child would grow only when it is written: in JSON, in a deep copy, in the database."""
    document: Any = yaml.load("a: &a {x: 1}\nb: *a")
    document["a"]["x"] = 2
    assert document["b"] == {"x": 1}


@pytest.mark.django_db
def test_attack_17_a_body_is_no_archive_that_unpacks_itself(client: Client, token: str) -> None:
    import gzip

    body = gzip.compress(b"apiVersion: v1\nkind: Namespace\nmetadata: {name: unpacked}\n")
    reply = client.post(
        APPLY, body, content_type="application/yaml",
        headers={"Authorization": f"Bearer {token}", "Content-Encoding": "gzip"},
    )  # fmt: skip
    assert reply.status_code in (400, 415, 422)


# JSON


@pytest.mark.parametrize("opening", ['{"a":', "["])
@pytest.mark.parametrize("depth", [201, 5_000, 200_000])
def test_attack_17_deep_json_is_refused(client: Client, token: str, opening: str, depth: int) -> None:
    closing = "}" if opening.startswith("{") else "]"
    reply = post(client, token, opening * depth + "1" + closing * depth)
    assert reply.status_code == 400
    assert b"exceeded max depth" in reply.content


def test_attack_17_json_within_the_depth_is_judged_by_its_content(client: Client, token: str) -> None:
    body = {"metadata": {"name": "deep"}, "spec": {"parameters": json.loads("[" * 190 + "]" * 190)}}
    assert b"max depth" not in post(client, token, json.dumps(body)).content


def test_attack_17_a_body_that_is_too_large_is_refused_unread(client: Client, token: str, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    assert post(client, token, b"x" * 2000).status_code == 413


def test_attack_17_of_equal_json_keys_the_last_counts_as_in_the_contract(client: Client, token: str) -> None:
    body = '{"metadata": {"name": "first", "name": "Not Valid"}}'
    assert "Not Valid" in post(client, token, body).json()["error"]
