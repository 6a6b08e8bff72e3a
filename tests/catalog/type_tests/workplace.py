"""A folder with types and tests, as a platform engineer keeps them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from catalog.compiler.yaml import dump
from catalog.type_tests.running import Report, run_tests

PARAMETERS = {
    "openAPIV3Schema": {
        "type": "object",
        "properties": {
            "replicas": {"type": "integer", "default": 1, "minimum": 0},
            "public": {"type": "boolean", "default": False},
        },
    }
}
DEPLOYMENT = {
    "id": "deployment",
    "template": {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "${metadata.name}"},
        "spec": {
            "replicas": "${parameters.replicas}",
            "template": {"spec": {"containers": [{"name": "main", "image": "${workload.container.image}"}]}},
        },
    },
}
SERVICE = {
    "id": "service",
    "includeWhen": "${parameters.public}",
    "template": {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "${metadata.componentName}"},
        "spec": {"ports": "${workload.toServicePorts()}"},
    },
}
TYPE: dict[str, Any] = {"workloadType": "deployment", "parameters": PARAMETERS, "resources": [DEPLOYMENT, SERVICE]}


class Workplace:
    """Writes types and tests, and runs them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, *documents: dict[str, Any]) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("---\n".join(map(dump, documents)))
        return path

    def type(
        self, kind: str = "ComponentType", name: str = "web", spec: dict[str, Any] | None = None, **changes: Any
    ) -> Path:
        spec = {**(TYPE if spec is None else spec), **changes}
        document = {"apiVersion": "openchoreo.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}
        return self.write(f"{kind}-{name}.yaml", document)

    def test(self, *cases: dict[str, Any], kind: str = "ComponentType", name: str = "web", **spec: Any) -> Path:
        numbered = [{"name": f"case {number}", **case} for number, case in enumerate(cases, 1)]
        spec = {"target": {"kind": kind, "name": name}, "cases": numbered, **spec}
        return self.write(f"{kind}-{name}.test.yaml", test_document(spec))

    def run(self, **options: Any) -> Report:
        return run_tests([self.folder], **options)

    def failures(self, **options: Any) -> list[str]:
        """Everything that fails in a run."""
        report = self.run(**options)
        return [*report.problems, *(failure for result in report.results for failure in result.failures)]


def test_document(spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "stagecraft.dev/v1alpha1", "kind": "TypeTest", "metadata": {"name": "it"}, "spec": spec}


test_document.__test__ = False  # type: ignore[attr-defined]
