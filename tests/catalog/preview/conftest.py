"""A few components on three environments to preview edits of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from catalog.compiler.yaml_dump import dump
from catalog.kinds.component import Component
from catalog.releases.promote import promote
from tests.catalog.controllers import components as web
from tests.catalog.controllers import installation as it
from tests.catalog.preview.platform import Document

NAMES = ("a", "b", "c", "d")


@pytest.fixture
def platform(db: None) -> None:
    """Four components of the type `service`, all promoted to staging."""
    web.install()
    for name in NAMES:
        web.apply_component(name)
        web.apply_workload(name, image=f"{name}:1")
    web.settle()
    for component in Component.objects.system("test"):
        promote(component, "staging", it.TESTER)
    web.settle()


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., str]:
    """Writes documents into a file and gives its path."""

    def write(*documents: Document, name: str = "edit.yaml") -> str:
        path = tmp_path / name
        path.write_text("---\n".join(dump(item) for item in documents))
        return str(path)

    return write


def service_type(**changes: object) -> Document:
    """The type as it is installed, with other fields of its spec."""
    return {
        "apiVersion": "openchoreo.dev/v1alpha1",
        "kind": "ComponentType",
        "metadata": {"name": "service", "namespace": "default"},
        "spec": {**web.TYPE, **changes},
    }


def with_policy(policy: str, **changes: object) -> Document:
    """The type with an image pull policy in its pods."""
    deployment = {**web.DEPLOYMENT, "template": {**web.DEPLOYMENT["template"]}}
    pod = deployment["template"]["spec"]["template"]["spec"]
    container = {**pod["containers"][0], "imagePullPolicy": policy}
    spec = {**deployment["template"]["spec"], "template": {"spec": {**pod, "containers": [container]}}}
    deployment["template"]["spec"] = spec
    return service_type(resources=[deployment, web.SERVICE], **changes)
