"""What a deployment pipeline says about where releases come from and go to."""

from __future__ import annotations

import pytest

from catalog.kinds.deployment_pipeline import DeploymentPipeline
from catalog.releases.pipeline import InvalidPipeline, environments_of, root_environment, sources_of, targets_of


def pipeline(*paths: tuple[str, tuple[str, ...]]) -> DeploymentPipeline:
    spec = {
        "promotionPaths": [
            {"sourceEnvironmentRef": {"name": source}, "targetEnvironmentRefs": [{"name": name} for name in targets]}
            for source, targets in paths
        ]
    }
    return DeploymentPipeline(name="main", spec=spec)


BRANCHED = pipeline(("staging", ("eu", "us")), ("development", ("staging", "demo")), ("demo", ("us",)))


def test_the_root_is_the_source_that_is_nobodys_target_wherever_it_stands() -> None:
    assert root_environment(BRANCHED) == "development"


def test_of_two_roots_the_first_counts() -> None:
    assert root_environment(pipeline(("two", ("three",)), ("one", ("three",)))) == "two"


def test_a_path_without_targets_is_enough_for_a_root() -> None:
    assert root_environment(pipeline(("only", ()))) == "only"


def test_a_pipeline_without_paths_has_no_root() -> None:
    with pytest.raises(InvalidPipeline, match="deployment pipeline main has no promotion paths defined"):
        root_environment(pipeline())


def test_a_circle_has_no_root() -> None:
    expected = r"deployment pipeline main has no root environment \(all sources are also targets\)"
    with pytest.raises(InvalidPipeline, match=expected):
        root_environment(pipeline(("a", ("b",)), ("b", ("a",))))


def test_an_environment_may_be_fed_by_several() -> None:
    assert sources_of(BRANCHED, "us") == ["staging", "demo"]
    assert sources_of(BRANCHED, "development") == []


def test_an_environment_may_feed_several() -> None:
    assert targets_of(BRANCHED, "development") == ["staging", "demo"]
    assert targets_of(BRANCHED, "us") == []


def test_all_environments_are_named_once_in_the_order_of_the_paths() -> None:
    assert environments_of(BRANCHED) == ["staging", "eu", "us", "development", "demo"]
