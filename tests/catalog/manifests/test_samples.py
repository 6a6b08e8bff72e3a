"""OpenChoreo's samples and its community's modules, applied as they are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from catalog import store
from catalog.controllers import runtime
from catalog.kinds.registry import kind_named
from catalog.releases.cut import generate_release
from portal.quickstart import content
from tests.catalog.manifests.conftest import run
from tests.factories import TESTER

pytestmark = pytest.mark.django_db

REFUSED_BY_THE_CONTRACT = {
    # Upstream's own schema refuses these two as well: the type's name lacks its workload type, the image is empty.
    "Component default/mi-data-service": "spec.componentType.name",
    "Workload default/mi-data-service": "spec.container.image",
}


def skipped_kinds(output: str) -> set[str]:
    return {line.split("/")[0] for line in output.splitlines() if " skipped: " in line}


def test_every_openchoreo_document_of_the_samples_is_accepted(conformance: Path) -> None:
    ran = run("apply", "-R", "-f", str(conformance / "samples"))
    assert (ran.code, ran.err) == (0, "")
    assert skipped_kinds(ran.out) == {"secret", "clusterworkflowtemplate.argoproj.io"}
    assert re.fullmatch(r"\d+ created, \d+ changed, \d+ unchanged, \d+ skipped, 0 failed", ran.last_line)
    skipped = [line for line in ran.out.splitlines() if " skipped: " in line]
    assert any(line.startswith("secret/webhook-notification-channel-development") for line in skipped), "by name"


def test_the_samples_are_accepted_beside_what_the_quickstart_has_put_there(conformance: Path) -> None:
    content.apply_directory(content.DEFAULTS)
    content.apply_directory(content.SHOP)
    runtime.drain()
    ran = run("apply", "-R", "-f", str(conformance / "samples"))
    assert (ran.code, ran.err) == (0, "")
    runtime.drain()
    not_ready = (
        kind_named("ReleaseBinding").objects.system("test").exclude(ready="True").values_list("name", "ready_reason")
    )
    # Redis of the demo waits for a person to pin its release, as its README says; nothing else waits.
    waiting_for_a_pin = {"cart-development", "doclet-collab-development", "doclet-document-development"}
    assert {name for name, _ in not_ready} <= waiting_for_a_pin, dict(not_ready)


def test_every_sample_component_renders_for_every_environment(conformance: Path) -> None:
    content.apply_directory(content.DEFAULTS)
    for source in ("samples", "modules"):
        run("apply", "-R", "-f", str(conformance / source))
    runtime.drain()
    with_workload = kind_named("Workload").objects.system("test").values("component")
    components = list(kind_named("Component").objects.system("test").filter(pk__in=with_workload))
    released = {item: (item.status.get("latestRelease") or {}).get("name") for item in components}
    for component, name in released.items():
        if name is None:  # no auto-deploy: a person cuts its releases
            released[component] = generate_release(component, TESTER).name
    environments = ("development", "staging", "production")
    # The samples' alert rules want a place to send to, which they bring for development alone.
    for channel in (
        kind_named("ObservabilityAlertsNotificationChannel")
        .objects.system("test")
        .filter(spec__environment="development")
    ):
        for environment in environments[1:]:
            document = store.to_document(channel, with_status=False)
            document["metadata"] = {"name": f"{channel.name}-{environment}", "namespace": channel.namespace_name}
            store.apply({**document, "spec": {**channel.spec, "environment": environment}}, TESTER)
    for component, release in released.items():
        for environment in environments:
            owner = {"projectName": component.spec["owner"]["projectName"], "componentName": component.name}
            spec = {
                "owner": owner,
                "environment": environment,
                "releaseName": release,
            }
            metadata = {"name": f"{component.name}-{environment}", "namespace": component.namespace_name}
            document = {
                "apiVersion": component.api_version,
                "kind": "ReleaseBinding",
                "metadata": metadata,
                "spec": spec,
            }
            store.apply(document, TESTER)
    runtime.drain()
    bindings = kind_named("ReleaseBinding").objects.system("test").filter(component__in=components)
    failed = {item.name: item.condition("Ready") for item in bindings if item.ready_reason == "RenderingFailed"}
    rendered = kind_named("RenderedRelease").objects.system("test").filter(component__in=components).count()
    assert failed == {}
    assert len(released) >= 30 and rendered >= len(released) * len(environments)


def test_applying_the_samples_again_changes_only_what_two_files_dispute(conformance: Path) -> None:
    run("apply", "-R", "-f", str(conformance / "samples"))
    ran = run("apply", "-R", "-f", str(conformance / "samples"))
    assert ran.last_line.startswith("0 created, ")


def test_every_openchoreo_document_of_the_modules_that_the_contract_allows_is_accepted(conformance: Path) -> None:
    ran = run("apply", "-R", "-f", str(conformance / "modules"))
    failures = [line for line in ran.err.splitlines() if line.startswith("error: ")]
    for subject, field in REFUSED_BY_THE_CONTRACT.items():
        assert any(f"{subject}: {field}: " in line for line in failures), subject
    assert len(failures) == len(REFUSED_BY_THE_CONTRACT), ran.err
    assert skipped_kinds(ran.out) == {"clusterworkflowtemplate.argoproj.io", "workloaddescriptor.openchoreo.dev"}
