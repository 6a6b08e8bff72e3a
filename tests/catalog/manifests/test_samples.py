"""OpenChoreo's samples and its community's modules, applied as they are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from catalog.controllers import runtime
from catalog.kinds.registry import kind_named
from portal.quickstart import content
from tests.catalog.manifests.conftest import run

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
    not_ready = kind_named("ReleaseBinding").objects.exclude(ready="True").values_list("name", "ready_reason")
    # Redis of the demo waits for a person to pin its release, as its README says; nothing else waits.
    waiting_for_a_pin = {"cart-development", "doclet-collab-development", "doclet-document-development"}
    assert {name for name, _ in not_ready} <= waiting_for_a_pin, dict(not_ready)


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
