"""What a component depends on: endpoints of other components, and outputs of resources.

``dependencies_context`` makes the variable ``dependencies`` of a render. The items that it merges come from
``connections`` and ``resource_dependencies``.
"""

from __future__ import annotations

from collections.abc import Iterable

from catalog.compiler.documents import Document, items


def dependencies_context(endpoint_items: Iterable[Document], resource_items: Iterable[Document]) -> Document:
    """Return ``{items[], resources[], envVars[], volumeMounts[], volumes[]}``; the last three merge those of all items.

    ``endpoint_items``: ``{namespace, project, component, endpoint, visibility, envVars[]}``;
    ``resource_items``: ``{ref, envVars[], volumeMounts[], volumes[]}``. An environment variable is
    ``{name, value?, valueFrom?}``.
    """
    endpoints = [{**item, "envVars": items(item, "envVars")} for item in endpoint_items]
    resources = [
        {**item, **{field: items(item, field) for field in ("envVars", "volumeMounts", "volumes")}}
        for item in resource_items
    ]
    return {
        "items": endpoints,
        "resources": resources,
        "envVars": [variable for item in (*endpoints, *resources) for variable in item["envVars"]],
        "volumeMounts": [mount for item in resources for mount in item["volumeMounts"]],
        "volumes": [volume for item in resources for volume in item["volumes"]],
    }
