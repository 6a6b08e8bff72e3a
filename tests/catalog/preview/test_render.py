"""`render` compiles local files together with what is stored, and stores nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from catalog.compiler.yaml import load_documents
from catalog.store.models import Revision
from tests.catalog.controllers import components as web
from tests.catalog.manifests.conftest import run
from tests.catalog.preview.conftest import service_type, with_policy
from tests.catalog.preview.platform import Document, document

pytestmark = pytest.mark.usefixtures("platform")
File = Callable[..., str]


def rendered(*arguments: str) -> dict[tuple[str, str], list[Document]]:
    shown = run("render", *arguments, "-o", "json")
    assert shown.code == 0, shown.err
    return {(item["name"], item["environment"]): item["objects"] for item in json.loads(shown.out)}


def test_a_component_on_disk_is_rendered_for_all_environments_with_the_stored_type(file: File) -> None:
    component = document("Component", "new", web.component("a").spec)
    owner = {"projectName": "shop", "componentName": "new"}
    workload = document("Workload", "new", {"owner": owner, "container": {"image": "n:7"}})
    found = rendered(file(component, workload))
    assert set(found) == {("new", name) for name in ("development", "staging", "production")}
    for (_, environment), objects in found.items():
        deployment, policy = objects
        assert deployment["spec"]["template"]["spec"]["containers"][0]["image"] == "n:7"
        assert deployment["metadata"]["labels"]["openchoreo.dev/environment"] == environment
        assert policy["kind"] == "NetworkPolicy"


def test_what_is_stored_already_is_rendered_as_it_runs(file: File) -> None:
    workload = {"owner": {"projectName": "shop", "componentName": "a"}, "container": {"image": "a:1"}}
    found = rendered(file(document("Workload", "a", workload)), "--env", "development")
    assert list(found) == [("a", "development")]
    stored = [entry["object"] for entry in web.rendered(name="a").full_spec()["resources"]]
    assert found["a", "development"] == stored


def test_a_type_on_disk_is_rendered_with_all_its_components_and_their_settings(file: File) -> None:
    web.apply_binding(web.binding(name="a").spec["releaseName"], component="a",
                      spec={"componentTypeEnvironmentConfigs": {"replicas": 6}})  # fmt: skip
    found = rendered(file(with_policy("Always")), "--env", "staging")
    assert sorted(name for name, _ in found) == ["a", "b", "c", "d"]
    assert [found[name, "staging"][0]["spec"]["replicas"] for name in ("a", "b")] == [6, 1]


def test_yaml_can_be_read_back(file: File) -> None:
    shown = run("render", file(with_policy("Always")), "--env", "development")
    documents = [item.value for item in load_documents(shown.out, "out")]
    assert [item["kind"] for item in documents] == ["Deployment", "NetworkPolicy"] * 4
    assert "# Component a in development, dataplane" in shown.out


def test_errors_have_file_and_line_and_the_others_are_rendered(file: File) -> None:
    web.apply_workload("a", image="a:1", container={"args": ["x"]})
    path = file(with_policy("${workload.container.args[0]}"))
    shown = run("render", path, "--env", "development")
    line = next(
        number for number, text in enumerate(Path(path).read_text().splitlines(), 1) if "imagePullPolicy" in text
    )
    assert shown.code == 1
    assert shown.err.count(f"error: {path}:{line}: Component ") == 3 and "Component b in development: " in shown.err
    assert "# Component a in development" in shown.out


def test_a_refused_document_and_an_unknown_environment_are_errors(file: File) -> None:
    path = file(service_type(workloadType="never"))
    shown = run("render", path)
    assert shown.code == 1 and "spec.workloadType" in shown.err
    missing = run("render", file(with_policy("Always")), "--env", "moon")
    assert missing.code == 1 and 'Environment "moon" not found' in missing.err


def test_nothing_is_stored(file: File) -> None:
    before = Revision.objects.system("test").count()
    rendered(file(with_policy("Always")))
    assert Revision.objects.system("test").count() == before
