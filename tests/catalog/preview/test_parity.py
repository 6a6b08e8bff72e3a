"""What a preview says would be rendered is what then is rendered, byte for byte: over chains of random edits.

Each edit is previewed, then made. Right after, everything must be as the preview has it for now; and after all releases
that the edit has led to are promoted to all environments, as it has it for after promotion. What the preview does not
mention must be as before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
import pytest

from catalog import store
from catalog.compiler.yaml_dump import dump
from catalog.kinds.cluster_data_plane import ClusterDataPlane
from catalog.kinds.component import Component
from catalog.kinds.environment import Environment
from catalog.kinds.project import Project
from catalog.kinds.project_release_binding import ProjectReleaseBinding
from catalog.kinds.release_binding import ReleaseBinding
from catalog.kinds.rendered_release import RenderedRelease
from catalog.kinds.resource import Resource
from catalog.kinds.resource_release_binding import ResourceReleaseBinding
from catalog.manifests.reading import read_text
from catalog.preview.examining import Result
from catalog.preview.loading import BINDING_OF, release_names
from catalog.preview.previewing import Preview, preview
from catalog.releases.cut import PieceMissing, generate_release
from catalog.store.models import ObjectReference, Revision
from tests.catalog.controllers import installation as it
from tests.catalog.preview.platform import Document, Platform

pytestmark = pytest.mark.django_db
BINDINGS: tuple[Any, ...] = (ReleaseBinding, ProjectReleaseBinding, ResourceReleaseBinding)
PINS = {"ReleaseBinding": "releaseName", "ProjectReleaseBinding": "projectRelease",
        "ResourceReleaseBinding": "resourceRelease"}  # fmt: skip
Manifests = dict[tuple[str, str, str], bytes]
"""What a binding has on a plane, as bytes, by kind and name of the binding and plane."""
UID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def settle() -> None:
    """Let all controllers but delivery work, planes report resources as healthy, and what was deleted be gone."""
    kinds = ("Project", "Component", "Resource", *(model.kind for model in BINDINGS))
    for _ in range(3):
        it.settle(*kinds)
        it.finish_cleanup()
        for binding in ResourceReleaseBinding.objects.system("test"):
            for release in RenderedRelease.objects.system("test").filter(name__in=release_names(binding).values()):
                it.plane_reports(release)
    it.settle(*kinds)


def apply_all(documents: Iterable[Document]) -> None:
    for item in documents:
        store.apply(item, it.TESTER)


def as_bytes(entries: Iterable[Mapping[str, Any]], hidden: set[bytes]) -> bytes:
    """Entries as JSON with sorted keys; uids that cannot be known ahead are blotted out."""
    text = orjson.dumps(list(entries), option=orjson.OPT_SORT_KEYS)
    return UID.sub(lambda match: b"uid" if match[0] not in hidden else match[0], text) if hidden else text


def rendered(known_uids: set[bytes]) -> Manifests:
    """What is rendered now for all bindings."""
    found: Manifests = {}
    for model in BINDINGS:
        for binding in model.objects.system("test"):
            for plane, name in release_names(binding).items():
                for row in RenderedRelease.objects.system("test").filter(name=name, deleted_at=None):
                    found[model.kind, binding.name, plane] = as_bytes(
                        row.full_spec().get("resources") or [], known_uids
                    )
    return found


def expected(before: Manifests, results: Iterable[Result], moment: str, known_uids: set[bytes]) -> Manifests:
    """What must be rendered after a moment: what the preview says, and everything else as it was."""
    found = dict(before)
    for result in results:
        if result.moment != moment or not result.binding or result.failure is not None:
            continue
        kind = BINDING_OF[result.kind]
        for plane in ("dataplane", "observabilityplane"):
            found.pop((kind, result.binding, plane), None)
        for plane, entries in (result.entries or {}).items():
            found[kind, result.binding, plane] = as_bytes(entries, known_uids)
    return found


def uids() -> set[bytes]:
    """Of all objects whose uids are in manifests."""
    models: tuple[Any, ...] = (Component, Project, Resource, Environment, ClusterDataPlane)
    return {str(uid).encode() for model in models for uid in model.objects.system("test").values_list("uid", flat=True)}


def promote(found: Preview) -> None:
    """Bind the newest releases wherever the preview says that they would change something."""
    for result in found.results:
        if result.moment == "now" or not result.binding:
            continue
        kind = BINDING_OF[result.kind]
        release = newest_release(result)
        if release is None:
            continue
        held = store.to_document(store.get(kind, result.namespace, result.binding), with_status=False)
        if (result.kind, result.owner) in released(found) or not held["spec"].get(PINS[kind]):
            held["spec"][PINS[kind]] = release
            store.put(held, it.TESTER)


def released(found: Preview) -> set[tuple[str, str]]:
    """The owners that the preview gives a new release; others are only concerned by what these offer."""
    return {(result.kind, result.owner) for result in found.results if result.is_new_release}


def newest_release(result: Result) -> str | None:
    owner = store.get(result.kind, result.namespace, result.owner)
    if isinstance(owner, Component):
        try:
            return generate_release(owner, it.TESTER).name
        except PieceMissing:
            return None
    latest = owner.status.get("latestRelease") or {}
    return latest.get("name")


def check_edit(name: str, documents: list[Document]) -> int:
    """Preview an edit, make it, compare. Returns how many bindings were compared that the preview spoke of."""
    known = uids()
    before = rendered(known)
    trace = (Revision.objects.system("test").count(), ObjectReference.objects.count())
    text = "---\n".join(dump(item) for item in documents)
    found = preview(read_text(text, name, max_bytes=10**7), it.TESTER, keep_entries=True)
    assert (Revision.objects.system("test").count(), ObjectReference.objects.count()) == trace, (
        "a preview leaves something behind"
    )
    refused = found.rehearsed.failures
    assert not refused, (name, [str(problem) for outcome in refused for problem in outcome.problems])

    apply_all(documents)
    settle()
    wanted = expected(before, found.results, "now", known)
    compare(name, "now", wanted, rendered(known))

    promote(found)
    settle()
    compare(name, "after promotion", expected(wanted, found.results, "after promotion", known), rendered(known))
    return len(found.results)


def compare(name: str, moment: str, wanted: Manifests, got: Manifests) -> None:
    assert set(wanted) == set(got), (name, moment, set(wanted) ^ set(got))
    different = [key for key in wanted if wanted[key] != got[key]]
    assert not different, (
        name,
        moment,
        different[0],
        orjson.loads(wanted[different[0]]),
        orjson.loads(got[different[0]]),
    )


def run_edits(seed: int, count: int) -> None:
    it.install()
    it.apply_project()
    platform = Platform(seed)
    apply_all(platform.first())
    settle()
    for component in Component.objects.system("test"):
        for environment in it.ENVIRONMENTS:
            binding = platform.binding(component.name, environment)
            binding["spec"]["state"] = "Active"
            if store.get_or_none("ReleaseBinding", "default", binding["metadata"]["name"]) is None:
                binding["spec"]["releaseName"] = generate_release(component, it.TESTER).name
                apply_all([binding])
    for pinned in ResourceReleaseBinding.objects.system("test"):
        release = store.get("Resource", "default", "cache").status["latestRelease"]["name"]
        document = store.to_document(pinned, with_status=False)
        document["spec"]["resourceRelease"] = release
        store.put(document, it.TESTER)
    settle()
    looked_at = 0
    for number in range(count):
        name, documents = platform.edit()
        looked_at += check_edit(f"seed {seed}, edit {number}: {name}", documents)
    assert looked_at > count  # an edit that nobody is concerned by proves nothing


@pytest.mark.parametrize("seed", range(4))
def test_a_preview_is_what_is_then_rendered(seed: int) -> None:
    run_edits(seed, 15)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(100, 120))
def test_a_preview_is_what_is_then_rendered_over_a_thousand_edits(seed: int) -> None:
    run_edits(seed, 50)
