"""Specs that pass admission, to be changed by tests in one place each; and errors as a person reads them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from catalog.compiler.admission.expressions import Expressions
from catalog.compiler.admission.schemas import schema_variables
from catalog.compiler.admission.variables import COMPONENT
from catalog.compiler.schema import FieldError

Spec = dict[str, Any]


def schema(**properties: Any) -> Spec:
    """A section whose schema has these properties."""
    return {"openAPIV3Schema": {"type": "object", "properties": properties}}


def manifest(kind: str = "ConfigMap", **more: Any) -> Spec:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": "${metadata.name}"}, **more}


def resource(kind: str = "ConfigMap", identity: str = "", **more: Any) -> Spec:
    return {"id": identity or kind.lower(), "template": manifest(kind), **more}


def component_type(*resources: Spec, **more: Any) -> Spec:
    """A type with a Deployment and the given further resources."""
    return {"workloadType": "deployment", "resources": [resource("Deployment"), *resources], **more}


def component_release(**more: Any) -> Spec:
    return {
        "owner": {"projectName": "shop", "componentName": "web"},
        "componentType": {"kind": "ComponentType", "name": "deployment/web", "spec": component_type()},
        "workload": {"container": {"image": "registry.example/web:1"}},
        **more,
    }


def resource_type(**more: Any) -> Spec:
    return {"resources": [{"id": "claim", "template": manifest("Claim")}], **more}


def workflow(**more: Any) -> Spec:
    metadata = {"name": "${metadata.workflowRunName}", "namespace": "${metadata.namespace}"}
    return {"runTemplate": {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": metadata}, **more}


def expressions(**sections: Spec) -> Expressions:
    """The variables of a component type with these sections."""
    return Expressions({**COMPONENT, **schema_variables(sections, composed=True)}, component_macros=True)


def texts(errors: Iterable[FieldError]) -> list[str]:
    return [str(error) for error in errors]


def paths(errors: Iterable[FieldError]) -> list[str]:
    return [error.path for error in errors]
