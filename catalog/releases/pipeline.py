"""What a deployment pipeline says: where releases enter it, and from where to where they move.

A pipeline is a list of promotion paths, each from one environment to others. Used by the Component controller (where
does auto-deploy go?) and by promotion (where does the release of this environment come from?).
"""

from __future__ import annotations

from collections.abc import Iterator

from catalog.kinds.deployment_pipeline import DeploymentPipeline


class InvalidPipeline(Exception):
    """The pipeline does not say where releases enter it. The text is for conditions and users."""


def root_environment(pipeline: DeploymentPipeline) -> str:
    """The environment that releases enter first: the first source that is nobody's target.

    Raises `InvalidPipeline` when there are no paths, or when every source is a target too.
    """
    paths = list(promotion_paths(pipeline))
    if not paths:
        raise InvalidPipeline(f"deployment pipeline {pipeline.name} has no promotion paths defined")
    targets = {target for _, path_targets in paths for target in path_targets}
    for source, _ in paths:
        if source and source not in targets:
            return source
    raise InvalidPipeline(f"deployment pipeline {pipeline.name} has no root environment (all sources are also targets)")


def sources_of(pipeline: DeploymentPipeline, target: str) -> list[str]:
    """The environments that promote to `target`, each once, in the order of the paths."""
    return list(dict.fromkeys(source for source, targets in promotion_paths(pipeline) if target in targets))


def targets_of(pipeline: DeploymentPipeline, source: str) -> list[str]:
    """The environments that `source` promotes to, each once, in the order of the paths."""
    found = (
        target for path_source, targets in promotion_paths(pipeline) if path_source == source for target in targets
    )
    return list(dict.fromkeys(found))


def environments_of(pipeline: DeploymentPipeline) -> list[str]:
    """All environments of a pipeline, each once, in the order of the paths."""
    return list(dict.fromkeys(name for source, targets in promotion_paths(pipeline) for name in (source, *targets)))


def promotion_paths(pipeline: DeploymentPipeline) -> Iterator[tuple[str, list[str]]]:
    """`(source, targets)` of each path."""
    for path in pipeline.spec.get("promotionPaths") or ():
        source = (path.get("sourceEnvironmentRef") or {}).get("name") or ""
        yield source, [target["name"] for target in path.get("targetEnvironmentRefs") or ()]
