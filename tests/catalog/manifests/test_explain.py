"""`explain` shows where a value in a manifest comes from; every object of the sample shop can be explained."""

from __future__ import annotations

import json

import pytest

from catalog.kinds.release_binding import ReleaseBinding
from catalog.manifests.explaining import explain_binding
from catalog.manifests.rendered import rendered_of
from portal.quickstart import content
from tests.catalog.controllers import components as web
from tests.catalog.controllers import installation as it
from tests.catalog.manifests.conftest import run
from tests.compiler.explain.test_origins import check_all

pytestmark = pytest.mark.django_db


@pytest.fixture
def deployed() -> None:
    web.install()
    web.deploy(container={"env": [{"key": "LEVEL", "value": "info"}]})
    it.apply("ReleaseBinding", "web-development", {
        **it.get("ReleaseBinding", "web-development").spec,
        "componentTypeEnvironmentConfigs": {"replicas": 3},
    })  # fmt: skip
    web.settle()


def test_the_trail_leads_from_the_value_over_the_template_to_the_one_who_set_it(deployed: None) -> None:
    shown = run("explain", "web", "development", "Deployment", "spec.replicas")
    assert shown.code == 0
    lines = [line.strip() for line in shown.out.splitlines()]
    assert lines[1:] == [
        "spec.replicas: 3",
        "from ComponentType service, resource deployment",
        "ComponentType service spec.resources[0].template.spec.replicas: ${environmentConfigs.replicas}",
        "environmentConfigs.replicas = 3  (set for the environment)",
        "ReleaseBinding web-development spec.componentTypeEnvironmentConfigs.replicas",
    ]


def test_without_a_field_all_are_listed_and_json_says_the_same(deployed: None) -> None:
    shown = run("explain", "web", "development", "deployment")
    document = json.loads(run("explain", "web", "development", "deployment", "-o", "json").out)
    fields = [item["field"] for item in document["fields"]]
    assert [line.split()[0] for line in shown.out.splitlines()[1:]] == fields
    replicas = document["fields"][fields.index("spec.replicas")]
    assert replicas["value"] == 3
    assert replicas["origins"][-1]["inputs"][0]["source"] == "environment-config"
    assert document["release"] == web.binding().spec["releaseName"]


@pytest.mark.parametrize(
    "wanted", ["Deployment", "deployment/{name}", "deployment-{name}", "deployment", "Deployment/{name}"]
)
def test_an_object_is_named_by_kind_by_name_or_by_id(deployed: None, wanted: str) -> None:
    name = web.manifests()["Deployment"]["metadata"]["name"]
    shown = run("explain", "web", "development", wanted.format(name=name), "kind")
    assert shown.out.splitlines()[0].startswith(f"Deployment/{name} of web in development"), shown.err


@pytest.mark.parametrize(
    "field",
    [
        "spec.template.spec.containers[0].image",
        "spec.template.spec.containers.0.image",
        "spec.template.spec.containers[main].image",
        ".spec.template.spec.containers[main].image",
    ],
)
def test_a_field_of_a_list_is_named_by_index_or_by_name(deployed: None, field: str) -> None:
    assert (
        'spec.template.spec.containers[0].image: "web:1"'
        in run("explain", "web", "development", "Deployment", field).out
    )


@pytest.mark.parametrize("field", ["metadata.labels.openchoreo.dev/project", "metadata.labels[openchoreo.dev/project]"])
def test_a_key_with_dots_is_found_with_and_without_brackets(deployed: None, field: str) -> None:
    assert "label that the platform sets" in run("explain", "web", "development", "Deployment", field).out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("web", "production", "Deployment"), "it is deployed to: development"),
        (("web", "development", "Secret"), 'no object is called "Secret"; there are:'),
        (("web", "development", "Deployment", "spec.nothing"), "has no field spec.nothing"),
        (("other", "development", "Deployment"), "it is not deployed anywhere"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(deployed: None, arguments: tuple[str, ...], said: str) -> None:
    shown = run("explain", *arguments)
    assert shown.code == 1 and said in shown.err


def test_a_release_that_cannot_be_rendered_is_not_explained_but_says_why(deployed: None) -> None:
    spec = web.binding().spec
    it.apply("ReleaseBinding", "web-development", {**spec, "componentTypeEnvironmentConfigs": {"replicas": "many"}})
    shown = run("explain", "web", "development", "Deployment")
    assert shown.code == 1 and "replicas must be of type integer" in shown.err


def test_every_object_of_the_shop_is_explained_as_it_was_rendered() -> None:
    content.apply_directory(content.DEFAULTS)
    content.apply_directory(content.SHOP)
    it.settle()
    leaves = 0
    for binding in ReleaseBinding.objects.system("test"):
        explanation = explain_binding(binding)
        stored = [(row.resource_id, row.manifest.body) for found in rendered_of(binding) for row in found.objects]
        assert [(identity, item.object) for identity, item in explanation.objects] == stored
        leaves += check_all(explanation.render_input)
    assert leaves > 500
