"""REST, MCP and `manage.py` are one platform: for every write that MCP has, the same decision, the same words for what
is wrong with a document, and the same row in the audit.

Each step of the story is told three times, about objects that differ only in their names: by a tool, by the request of
REST that it stands for, and by a manifest on the command line.
"""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import call_command

from catalog import store
from catalog.kinds.registry import KINDS
from portal.accounts.models import User, issue_token
from portal.audit.models import AuditEvent
from portal.mcp.registry import TOOLS
from tests.catalog.access.conftest import person
from tests.catalog.api.conftest import ApiClient
from tests.portal.mcp.client import McpClient, client_of
from tests.portal.mcp.seed import seed
from tests.portal.mcp.story import Step, story

pytestmark = pytest.mark.django_db
MODELS = {model.kind.lower(): model for model in KINDS}
COMPARED = ("action", "kind", "namespace", "project", "component", "outcome", "on_behalf_of")
LEFT_OUT = frozenset({"creationTimestamp", "uid", "generation", "finalizers"})


def action_of(step: Step) -> str:
    return TOOLS.tools[step.tool].action_for(step.arguments)


def parts(step: Step) -> tuple[Any, str]:
    """The kind that a write is about, and the verb."""
    kind, _, verb = action_of(step).partition(":")
    return MODELS[kind], verb


def path_of(model: Any, namespace: str, name: str = "") -> str:
    where = f"/namespaces/{namespace}" if model.namespaced else ""
    return f"/api/v1{where}/{model.plural}" + (f"/{name}" if name else "")


def document_of(model: Any, namespace: str, name: str, renamed: str = "") -> dict[str, Any]:
    """The stored object as a client would send it, under another name if one is given."""
    held = store.get(model.kind, namespace, name)
    document = copy.deepcopy(store.to_document(held, with_status=False))
    document["metadata"] = {key: value for key, value in document["metadata"].items() if key not in LEFT_OUT}
    document["metadata"]["name"] = renamed or name
    return document


def apply(document: dict[str, Any], place: Path, *options: str) -> str:
    """`manage.py apply`; what it printed, or the words with which it failed."""
    file = place / "document.yaml"
    file.write_text(yaml.safe_dump(document))
    out, err = io.StringIO(), io.StringIO()
    with suppress(SystemExit):
        call_command("apply", "-f", str(file), *options, stdout=out, stderr=err)
    return out.getvalue() + err.getvalue()


def newest(surface: str) -> AuditEvent:
    found = AuditEvent.objects.system("test").filter(surface=surface).order_by("-id").first()
    assert found is not None
    return found


def row(event: AuditEvent) -> dict[str, Any]:
    """What an event says, but for who did it where and to an object of which name."""
    return {name: getattr(event, name) for name in COMPARED} | {"changes": sorted(json.loads(event.details).keys() & {
        "changes", "move", "changed"
    })}  # fmt: skip


@pytest.fixture
def rest(root: User) -> ApiClient:
    from django.test import Client

    return ApiClient(Client(), issue_token(root, "rest"))


def writes() -> Iterator[Step]:
    for step in story("one"):
        if TOOLS.tools[step.tool].effect != "read":
            yield step


def test_what_is_written_leaves_the_same_row_whichever_way_it_came(mcp: McpClient, rest: ApiClient, tmp_path: Path):
    seed()
    twins: dict[tuple[str, str], str] = {}
    compared: set[str] = set()
    for step in writes():
        model, verb = parts(step)
        namespace = step.arguments.get("namespace_name", "") if model.namespaced else ""
        name = str(mcp.call(step.tool, **step.arguments)["name"])
        told = row(newest("mcp"))
        if told["changes"] == ["changed"]:
            continue  # nothing changed, so there is nothing to write another way
        twin = f"{name}-twin"
        if verb == "create":
            reply = rest.post(path_of(model, namespace), document_of(model, namespace, name, twin))
            assert reply.status_code == 201, (step.tool, reply.content)
            twins[model.kind, name] = twin
            assert comparable(row(newest("rest")), twin, name) == told, step.tool
            assert newest("rest").decision == newest("mcp").decision == "allow"
            printed = apply(document_of(model, namespace, name, f"{name}-third"), tmp_path)
            assert "created" in printed, (step.tool, printed)
            assert comparable(row(newest("cli")), f"{name}-third", name) == told, step.tool
        elif verb == "update":
            reply = rest.put(path_of(model, namespace, twin), document_of(model, namespace, name, twin))
            assert reply.status_code == 200, (step.tool, reply.content)
            assert comparable(row(newest("rest")), twin, name) == told, step.tool
            printed = apply(document_of(model, namespace, name, f"{name}-third"), tmp_path)
            assert "changed" in printed, (step.tool, printed)
            assert comparable(row(newest("cli")), f"{name}-third", name) == told, step.tool
        else:
            assert rest.delete(path_of(model, namespace, twin)).status_code == 204
            assert comparable(row(newest("rest")), twin, name) == told, step.tool
            options = ["-n", namespace] if namespace else []
            call_command("delete", model.kind.lower(), f"{name}-third", *options, stdout=io.StringIO())
            assert comparable(row(newest("cli")), f"{name}-third", name) == told, step.tool
        compared.add(action_of(step))
    assert len(compared) > 40


def comparable(found: dict[str, Any], twin: str, name: str) -> dict[str, Any]:
    """The row with the twin's name where an object's project or component is itself."""
    return {key: name if value == twin else value for key, value in found.items()}


def test_who_may_not_write_is_refused_by_every_way_and_each_leaves_the_same_row(mcp: McpClient):
    seed()
    nobody = person("nobody")
    tool_client = client_of(nobody)
    from django.test import Client

    rest = ApiClient(Client(), issue_token(nobody, "rest"))
    for step in writes():
        model, verb = parts(step)
        namespace = step.arguments.get("namespace_name", "") if model.namespaced else ""
        assert "missing permission" in tool_client.refused(step.tool, **step.arguments)
        told = newest("mcp")
        name = str(mcp.call(step.tool, **step.arguments)["name"])
        if verb == "create":
            reply = rest.post(path_of(model, namespace), document_of(model, namespace, name, f"{name}-twin"))
            assert reply.status_code == 403, (step.tool, reply.content)
            said = newest("rest")
            assert (said.action, said.decision, said.outcome) == (told.action, told.decision, told.outcome), step.tool
            assert told.namespace == (namespace or step.arguments.get("namespace_name", ""))
        elif verb == "update":
            reply = rest.put(path_of(model, namespace, name), document_of(model, namespace, name))
            assert reply.status_code in (403, 404), (step.tool, reply.content)
            said = newest("rest")
            assert (said.action, said.decision, said.outcome) == (told.action, told.decision, told.outcome), step.tool
        out = io.StringIO()
        with pytest.raises(SystemExit):
            call_command("can-i", "nobody", action_of(step), "--namespace", namespace, stdout=out)
        assert out.getvalue().strip() == "no"


INVALID = "Not_A_Name"


def test_what_is_wrong_with_a_document_is_said_in_the_same_words(mcp: McpClient, rest: ApiClient, tmp_path: Path):
    seed()
    compared = 0
    for step in writes():
        model, verb = parts(step)
        namespace = step.arguments.get("namespace_name", "") if model.namespaced else ""
        name = str(mcp.call(step.tool, **step.arguments)["name"])
        if verb != "create" or "name" not in step.arguments or step.tool == "create_workflow_run":
            continue
        said = mcp.refused(step.tool, **{**step.arguments, "name": INVALID})
        document = document_of(model, namespace, name, INVALID)
        reply = rest.post(path_of(model, namespace), document)
        assert reply.json()["error"] == said, step.tool
        assert (newest("mcp").outcome, newest("rest").outcome) == ("invalid", "invalid")
        printed = apply(document, tmp_path)
        assert " ".join(said.split()[-12:]) in " ".join(printed.split()), (step.tool, said, printed)
        compared += 1
    assert compared > 15


@pytest.mark.parametrize(
    ("tool", "arguments", "kind", "spec"),
    [
        ("create_component_type", {"spec": {"workloadType": "engine", "resources": []}}, "ComponentType", None),
        ("create_trait", {"spec": {"creates": [{"template": {"kind": "ConfigMap"}}]}}, "Trait", None),
        ("create_workflow", {"spec": {}}, "Workflow", None),
        ("create_authz_role", {"spec": {"actions": []}}, "AuthzRole", None),
        ("create_authz_role_binding", {"spec": {"entitlement": {"claim": "groups"}}}, "AuthzRoleBinding", None),
        ("create_secret_reference", {"spec": {"data": []}}, "SecretReference", None),
        ("create_project", {"type_kind": "ProjectType"}, "Project",
         {"deploymentPipelineRef": {"kind": "DeploymentPipeline", "name": ""}, "type": {"kind": "ProjectType"}}),
    ],
)  # fmt: skip
def test_a_bad_spec_is_refused_in_the_same_words(platform, mcp, rest, tool, arguments, kind, spec):
    said = mcp.refused(tool, namespace_name="default", name="odd", **arguments)
    model = MODELS[kind.lower()]
    document = {"metadata": {"name": "odd"}, "spec": spec or arguments["spec"]}
    reply = rest.post(path_of(model, "default"), document)
    text = reply.content.decode().strip() if reply["Content-Type"].startswith("text") else reply.json()["error"]
    assert text == said
