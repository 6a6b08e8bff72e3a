"""Builds that a push starts: one run for each component whose code it has touched.

The run belongs to the component by its labels and has the pushed commit where the workflow's schema wants it. What
would fail at once is not started; the answer says why.
"""

from __future__ import annotations

import copy
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from catalog import store
from catalog.compiler import labels
from catalog.kinds.base import API_VERSION, Document
from catalog.kinds.component import Component
from portal.accounts.actor import Actor
from workflows.runs.component_check import ComponentValidationFailed, check_workflow
from workflows.webhooks.models import BuildSource
from workflows.webhooks.providers import Push
from workflows.webhooks.repositories import provider_of, touches
from workflows.webhooks.sources import NoSource, marked_parameters, parameters_schema, source_of, workflow_spec_of

COMMIT = re.compile(r"[0-9a-fA-F]{7,40}")
NAME_LIMIT = 63


class Refused(Exception):
    """Why no build was started for a component. The text is for users."""


@dataclass(slots=True)
class Started:
    """What a delivery came to: (component, run) and (component, reason), components as `namespace/name`."""

    runs: list[tuple[str, str]] = field(default_factory=list)
    refusals: list[tuple[str, str]] = field(default_factory=list)


def start_builds(provider: str, pushes: list[Push], actor: Actor) -> Started:
    """Start a run for every component that the pushes concern. In the caller's transaction."""
    started = Started()
    for push in pushes:
        for component in concerned(provider, push):
            shown = f"{component.namespace_name}/{component.name}"
            try:
                with transaction.atomic():
                    started.runs.append((shown, start_build(component, push, actor)))
            except (Refused, store.StoreError) as reason:
                started.refusals.append((shown, str(reason)))
    return started


def concerned(provider: str, push: Push) -> list[Component]:
    """The components that are built from that branch and have code among the changed paths. One query.

    A repository at a host that we know is only believed from that host: its secret is not the others' secret.
    """
    if not push.repository or provider_of(push.repository) not in ("", provider):
        return []
    rows = BuildSource.objects.filter(repository=push.repository, branch__in=("", push.branch))
    found = rows.select_related("component", "component__component_type", "component__cluster_component_type")
    return [
        source.component
        for source in found.order_by("component__namespace_id", "component__name")
        if not push.paths or touches(push.paths, source.app_path)
    ]


def start_build(component: Component, push: Push, actor: Actor) -> str:
    """Start a run and return its name. Raises `Refused` or a `StoreError`."""
    if component.deleted_at is not None:
        raise Refused("the component is being deleted")
    if not COMMIT.fullmatch(push.commit):
        raise Refused("the delivery names no commit (7 to 40 hexadecimal digits)")
    workflow = workflow_spec_of(component)
    try:
        source_of(component.spec, workflow)
        check_workflow(component.spec["workflow"], component)
    except (NoSource, ComponentValidationFailed) as reason:
        raise Refused(str(reason)) from None
    document = run_document(component, workflow or {}, push.commit)
    return store.create(document, actor).name


def run_document(component: Component, workflow: Mapping[str, Any], commit: str) -> Document:
    """The run of a component's own workflow, with its own parameters and that commit; "" leaves it to them."""
    configured = component.spec["workflow"]
    parameters = copy.deepcopy(configured.get("parameters") or {})
    steps = marked_parameters(parameters_schema(workflow)).get("commit")
    if steps and commit:
        put_at(parameters, steps, commit)
    reference = {key: configured[key] for key in ("kind", "name") if configured.get(key)}
    return {
        "apiVersion": API_VERSION,
        "kind": "WorkflowRun",
        "metadata": {
            "name": run_name(component.name),
            "namespace": component.namespace_name,
            "labels": {labels.PROJECT: component.spec["owner"]["projectName"], labels.COMPONENT: component.name},
        },
        "spec": {"workflow": {**reference, **({"parameters": parameters} if parameters else {})}},
    }


def put_at(parameters: dict[str, Any], steps: tuple[str, ...], value: str) -> None:
    """Set a nested parameter, making the objects on the way; `Refused` where something else is in the way."""
    *way, last = steps
    for step in way:
        parameters = parameters.setdefault(step, {})
        if not isinstance(parameters, dict):
            raise Refused(f"parameter {'.'.join(steps)} cannot be set: {step} is no object")
    parameters[last] = value


def run_name(component: str) -> str:
    """`{component}-run-{8 hex}`, cut at the component to 63 characters."""
    suffix = f"-run-{secrets.token_hex(4)}"
    return component[: NAME_LIMIT - len(suffix)] + suffix
