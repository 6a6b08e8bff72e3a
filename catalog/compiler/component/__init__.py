"""The component pipeline, and what the release-binding controller needs around it.

``render`` makes the objects of a component; the modules beside it make its inputs (``connections``,
``resource_dependencies``, ``workload``) and read its results (``network_policy``, ``endpoint_urls``).
"""

from catalog.compiler.component.pipeline import ComponentOutput, Counts, render
from catalog.compiler.component.plan import ComponentPlan, plan_component

__all__ = ["ComponentOutput", "ComponentPlan", "Counts", "plan_component", "render"]
