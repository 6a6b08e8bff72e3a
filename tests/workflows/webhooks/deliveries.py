"""Deliveries as the three hosts send them, signed with a secret; and a component that is built from a repository."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import orjson
from django.test import Client

from tests.catalog.controllers import installation as it

URL = "/api/v1alpha1/autobuild"
SECRETS = {"github": "github-key", "gitlab": "gitlab-key", "bitbucket": "bitbucket-key"}
REPOSITORY = "https://github.com/Acme/Shop"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
MARK = "x-openchoreo-component-parameter-repository-"


def signature(body: bytes, secret: str) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def send(body: Any, **headers: str) -> Any:
    """Send a body with these headers; underscores stand for hyphens."""
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return Client().generic("POST", URL, content, content_type="application/json", headers=given)


def github_push(repository: str = REPOSITORY, branch: str = "main", commit: str = COMMIT, *paths: str) -> Any:
    return {
        "ref": f"refs/heads/{branch}",
        "after": commit,
        "repository": {"clone_url": f"{repository}.git", "html_url": repository},
        "commits": [{"added": list(paths), "modified": [], "removed": []}],
    }


def from_github(body: Any, delivery: str = "", secret: str = SECRETS["github"], event: str = "push") -> Any:
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    headers = {"X_Hub_Signature_256": signature(content, secret), "X_GitHub_Event": event}
    return send(content, **headers, **({"X_GitHub_Delivery": delivery} if delivery else {}))


def from_gitlab(body: Any, token: str = SECRETS["gitlab"], **headers: str) -> Any:
    return send(body, X_Gitlab_Token=token, X_Gitlab_Event="Push Hook", **headers)


def from_bitbucket(body: Any, secret: str = SECRETS["bitbucket"], **headers: str) -> Any:
    content = orjson.dumps(body)
    return send(content, X_Event_Key="repo:push", X_Hub_Signature=signature(content, secret), **headers)


def apply_workflow(name: str = "build", **properties: Any) -> Any:
    schema = {
        "type": "object",
        "$defs": {"Url": {"type": "string", f"{MARK}url": True}},
        "properties": {
            "repository": {
                "type": "object",
                "properties": {
                    "url": {"$ref": "#/$defs/Url"},
                    "appPath": {"type": "string", f"{MARK}app-path": True},
                    "revision": {
                        "type": "object",
                        "properties": {
                            "branch": {"type": "string", "default": "main", f"{MARK}branch": True},
                            "commit": {"type": "string", f"{MARK}commit": True},
                        },
                    },
                },
            },
            **properties,
        },
    }
    template = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": "${metadata.workflowRunName}", "namespace": "${metadata.namespace}"},
    }
    return it.apply("ClusterWorkflow", name, {"parameters": {"openAPIV3Schema": schema}, "runTemplate": template})


def apply_type(*workflows: str) -> Any:
    resource = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "${metadata.name}"}}
    spec = {
        "workloadType": "deployment",
        "allowedWorkflows": [{"kind": "ClusterWorkflow", "name": name} for name in workflows],
        "resources": [{"id": "deployment", "template": resource}],
    }
    return it.apply("ClusterComponentType", "service", spec)


def apply_component(
    name: str = "web",
    url: str = "git@github.com:acme/shop.git",
    app_path: str = "",
    branch: str | None = None,
    namespace: str = "default",
    **spec: Any,
) -> Any:
    revision = {} if branch is None else {"revision": {"branch": branch}}
    path = {"appPath": app_path} if app_path else {}
    workflow = {
        "kind": "ClusterWorkflow",
        "name": "build",
        "parameters": {"repository": {"url": url, **path, **revision}},
    }
    document = {
        "owner": {"projectName": "shop"},
        "componentType": {"kind": "ClusterComponentType", "name": "deployment/service"},
        "autoBuild": True,
        "workflow": workflow,
        **spec,
    }
    return it.apply("Component", name, document, namespace)


def install(settings: Any) -> None:
    """Secrets for all three hosts, a workflow with marks, and a type that allows it."""
    settings.WEBHOOK_SECRETS = dict(SECRETS)
    it.apply("Namespace", "default")
    apply_workflow()
    apply_type("build")
