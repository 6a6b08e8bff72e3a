"""The sample shop: ends with everything delivered, wired and reachable, without a hand."""

from __future__ import annotations

import pytest

from catalog import store
from catalog.kinds.registry import KINDS
from catalog.kinds.release_binding import ReleaseBinding
from catalog.kinds.rendered_object import RenderedObject
from catalog.kinds.rendered_release import RenderedRelease
from portal.quickstart import content
from tests.catalog.controllers import installation as it
from tests.factories import TESTER

pytestmark = pytest.mark.django_db

COMPONENTS = [
    "shop-ad", "shop-cart", "shop-checkout", "shop-currency", "shop-email", "shop-frontend", "shop-payment",
    "shop-productcatalog", "shop-recommendation", "shop-shipping"
]  # fmt: skip


@pytest.fixture(autouse=True)
def shop():
    content.apply_directory(content.DEFAULTS)
    content.apply_directory(content.SHOP)
    it.settle()


def environment_of(component):
    release = RenderedRelease.objects.system("test").get(name=f"{component}-development")
    (deployment,) = [e["object"] for e in release.full_spec()["resources"] if e["object"]["kind"] == "Deployment"]
    return {entry["name"]: entry for entry in deployment["spec"]["template"]["spec"]["containers"][0]["env"]}


def test_ten_components_are_ready_in_development_and_nowhere_else():
    bindings = ReleaseBinding.objects.system("test")
    assert sorted(binding.spec["owner"]["componentName"] for binding in bindings) == COMPONENTS
    assert {binding.spec["environment"] for binding in bindings} == {"development"}
    assert {binding.ready for binding in bindings} == {"True"}


def test_every_object_is_delivered():
    assert RenderedObject.objects.system("test").count() > 40
    assert not RenderedObject.objects.system("test").filter(applied_hash="").exists()
    assert not RenderedObject.objects.system("test").exclude(apply_error="").exists()


def test_the_cache_follows_its_release_and_is_ready():
    binding = it.get("ResourceReleaseBinding", "cache-development")
    latest = it.get("Resource", "cache").status["latestRelease"]["name"]
    assert binding.spec["resourceRelease"] == latest
    assert it.state(binding, "Ready") == ("True", "Ready")


def test_the_cart_finds_the_cache_by_a_secret_that_stays_on_the_plane():
    reference = environment_of("shop-cart")["REDIS_ADDR"]["valueFrom"]["secretKeyRef"]
    outputs = {o["name"]: o for o in it.get("ResourceReleaseBinding", "cache-development").status["outputs"]}
    assert reference == outputs["connectionString"]["secretKeyRef"]


def test_the_frontend_finds_those_it_calls():
    variables = environment_of("shop-frontend")
    assert len(variables) == 7
    assert variables["CART_SERVICE_ADDR"]["value"].startswith("shop-cart.dp-default-shop-development-")
    assert variables["CART_SERVICE_ADDR"]["value"].endswith(".svc.cluster.local:7070")


def test_only_the_frontend_can_be_reached_from_outside():
    reachable = {
        binding.spec["owner"]["componentName"]
        for binding in ReleaseBinding.objects.system("test")
        for endpoint in binding.status["endpoints"]
        if endpoint.get("externalURLs")
    }
    assert reachable == {"shop-frontend"}


def left_in_default():
    """The kinds that still have objects in the namespace."""
    namespaced = [model for model in KINDS if model.namespaced]
    return {model.kind for model in namespaced if model.objects.system("test").filter(namespace_id="default").exists()}


def test_a_deleted_project_leaves_nothing_but_what_the_platform_team_made():
    store.delete("Project", "default", "shop", TESTER)
    it.settle()
    assert it.gone("Project", "shop")
    assert left_in_default() == {
        "Project", "ProjectRelease", "ProjectReleaseBinding", "RenderedRelease", "Environment", "DeploymentPipeline"
    }  # fmt: skip
    assert {row.spec["owner"]["projectName"] for row in RenderedRelease.objects.system("test")} == {"default"}


def test_a_deleted_namespace_takes_the_whole_shop_along():
    store.delete("Namespace", "", "default", TESTER)
    it.settle()
    assert it.gone("Namespace", "default")
    assert left_in_default() == set()
