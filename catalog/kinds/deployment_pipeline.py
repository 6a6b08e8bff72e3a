"""DeploymentPipeline: the order in which releases move from environment to environment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from catalog.kinds import refs
from catalog.kinds.base import Namespaced, Ref
from catalog.kinds.schema import array, obj
from catalog.kinds.shapes import short_name, typed_ref


class DeploymentPipeline(Namespaced):
    kind = "DeploymentPipeline"
    plural = "deploymentpipelines"
    finalizer = "openchoreo.dev/deployment-pipeline-cleanup"
    spec_schema = obj(
        {
            "promotionPaths": array(
                obj(
                    {
                        "sourceEnvironmentRef!": typed_ref(
                            "Environment", default="Environment", name_shape=short_name()
                        ),
                        "targetEnvironmentRefs!": array(
                            typed_ref("Environment", default="Environment", name_shape=short_name())
                        ),
                    }
                )
            )
        }
    )

    @classmethod
    def references_of(cls, namespace: str, spec: Mapping[str, Any], status: Mapping[str, Any]) -> Iterator[Ref]:
        for path in spec.get("promotionPaths") or ():
            yield from refs.to_typed(path.get("sourceEnvironmentRef"), namespace)
            yield from refs.to_all_typed(path.get("targetEnvironmentRefs"), namespace)
