"""The routes of what is not plain CRUD. They stand before the general ones, which would take some of them."""

from __future__ import annotations

from django.urls import path

from catalog.api import (
    component_exec,
    component_schema,
    generate_release,
    git_secrets,
    pod_logs,
    resource_events,
    resource_tree,
    secrets,
    trigger,
    wirelogs,
)
from catalog.api.stagecraft.reveal import reveal_secret
from portal.access.endpoint import Handler, endpoint

NAMESPACE = "api/v1/namespaces/<str:namespace>"
COMPONENT = f"{NAMESPACE}/components/<str:name>"
BINDING = f"{NAMESPACE}/releasebindings/<str:name>"
OBJECTS = f"{BINDING}/k8sresources"
ALPHA = "api/v1alpha1/namespaces/<str:namespace>"

urlpatterns = [
    path(
        f"{ALPHA}/secrets",
        endpoint(
            get=Handler(secrets.list_secrets, secrets.PageQuery.bind, "secret:view"),
            post=Handler(secrets.create_secret, action="secret:create"),
        ),
    ),
    path(
        f"{ALPHA}/secrets/<str:name>",
        endpoint(
            get=Handler(secrets.get_secret, action="secret:view"),
            put=Handler(secrets.update_secret, action="secret:update"),
            delete=Handler(secrets.delete_secret, action="secret:delete"),
        ),
    ),
    path(
        f"{ALPHA}/gitsecrets",
        endpoint(
            get=Handler(git_secrets.list_git_secrets, action="secretreference:view"),
            post=Handler(git_secrets.create_git_secret, action="secretreference:create"),
        ),
    ),
    path(
        f"{ALPHA}/gitsecrets/<str:name>",
        endpoint(delete=Handler(git_secrets.delete_git_secret, action="secretreference:delete")),
    ),
    path(
        "api/stagecraft/v1/namespaces/<str:namespace>/secrets/<str:name>/reveal",
        endpoint(post=Handler(reveal_secret, action="secret:reveal")),
    ),
    path(
        f"{COMPONENT}/generate-release",
        endpoint(post=Handler(generate_release.generate, action="componentrelease:create")),
    ),
    path(f"{COMPONENT}/schema", endpoint(get=Handler(component_schema.environment_schema, action="component:view"))),
    path(f"{OBJECTS}/tree", endpoint(get=Handler(resource_tree.show_tree, action="releasebinding:view"))),
    path(
        f"{OBJECTS}/events",
        endpoint(get=Handler(resource_events.show_events, resource_events.bind_object, "releasebinding:view")),
    ),
    path(f"{OBJECTS}/logs", endpoint(get=Handler(pod_logs.show_logs, pod_logs.bind_pod, "releasebinding:view"))),
    path(
        "api/v1alpha1/namespaces/<str:namespace>/releasebindings/<str:name>/trigger",
        endpoint(post=Handler(trigger.trigger, action="releasebinding:update")),
    ),
    path(
        f"{NAMESPACE}/environments/<str:name>/wirelogs",
        endpoint(get=Handler(wirelogs.stream_wirelogs, action="wirelogs:view")),
    ),
    path(
        "exec/namespaces/<str:namespace>/components/<str:name>",
        endpoint(get=Handler(component_exec.run_command, component_exec.bind_command, "component:exec")),
    ),
]
