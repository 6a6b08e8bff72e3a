"""The variables that expressions of component types and traits see.

``metadata``, ``parameters``, ``environmentConfigs``, ``dataplane``, ``environment``, ``gateway`` (only when there is
one), ``workload``, ``configurations``, ``dependencies``, ``derived``; in traits also ``trait``. Every number is a
double, and empty optional fields are absent. Called by ``component.pipeline``.
"""

from __future__ import annotations

from catalog.compiler.component.dependencies import dependencies_context
from catalog.compiler.component.derived import derived_context
from catalog.compiler.component.endpoint_schema import endpoint_operations
from catalog.compiler.component.input import RenderInput
from catalog.compiler.component.workload import configurations_context, with_overrides, workload_context
from catalog.compiler.documents import Document, section, spec_of
from catalog.compiler.gateway import effective_gateway, plane_context
from catalog.compiler.scope import Scope


def shared_bindings(render_input: RenderInput, reads_endpoint_schemas: bool) -> tuple[Document, list[str]]:
    """Return the variables that the component type and all traits have in common, and warnings.

    ``reads_endpoint_schemas`` says whether any template uses the operations of API schemas, which are then parsed. A
    schema that cannot be read gives a warning, and its endpoint has no operations.
    """
    workload = with_overrides(spec_of(render_input.workload), spec_of(render_input.binding).get("workloadOverrides"))
    warnings: list[str] = []
    operations = endpoint_operations(section(workload, "endpoints"), warnings) if reads_endpoint_schemas else {}

    metadata = render_input.metadata
    seen_workload = workload_context(workload)
    configurations = configurations_context(workload, render_input.secret_references)
    dependencies = dependencies_context(render_input.endpoint_items, render_input.resource_items)
    prefix = f"{metadata['componentName']}-{metadata['environmentName']}"
    bindings: Document = {
        "metadata": metadata,
        "dataplane": _plane(render_input.data_plane),
        "environment": _environment(render_input),
        "workload": seen_workload,
        "configurations": configurations,
        "dependencies": dependencies,
        "derived": derived_context(configurations, seen_workload, dependencies, prefix, operations),
    }
    if (gateway := bindings["environment"].get("gateway")) is not None:
        bindings["gateway"] = gateway
    return bindings, warnings


def component_scope(shared: Document, parameters: Document, environment_configs: Document) -> Scope:
    """Return the scope of a component type's expressions."""
    return Scope({**shared, "parameters": parameters, "environmentConfigs": environment_configs})


def trait_scope(
    shared: Document, parameters: Document, environment_configs: Document, name: str, instance: str
) -> Scope:
    """Return the scope of a trait instance's expressions."""
    trait = {"name": name, "instanceName": instance}
    return Scope({**shared, "parameters": parameters, "environmentConfigs": environment_configs, "trait": trait})


def _plane(data_plane: Document) -> Document:
    context = plane_context(data_plane, keep_empty_directions=True)
    if annotations := section(section(data_plane, "metadata"), "annotations"):
        context["annotations"] = annotations
    return context


def _environment(render_input: RenderInput) -> Document:
    context: Document = {}
    if (gateway := effective_gateway(render_input.environment, render_input.data_plane)) is not None:
        context["gateway"] = gateway
    if render_input.notification_channel:
        context["defaultNotificationChannel"] = render_input.notification_channel
    return context
