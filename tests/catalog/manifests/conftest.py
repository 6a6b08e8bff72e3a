"""Fixtures of the manifest commands: run one as a user would, and see what it said and how it ended."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from tests.factories import NamespaceFactory


@dataclass(frozen=True)
class Ran:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def last_line(self) -> str:
        return self.out.splitlines()[-1]


def run(command: str, *arguments: str) -> Ran:
    """Run a management command with arguments as on the command line."""
    out, err = io.StringIO(), io.StringIO()
    code: Any = 0
    try:
        call_command(command, *arguments, stdout=out, stderr=err)
    except SystemExit as ended:
        code = ended.code
    return Ran(code, out.getvalue(), err.getvalue())


@pytest.fixture
def namespace(db: None) -> str:
    NamespaceFactory.create()
    return "default"


@pytest.fixture
def manifest(tmp_path: Path) -> Callable[..., str]:
    """Writes manifests into a file and gives its path."""

    def write(*documents: str | bytes, name: str = "manifest.yaml") -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        texts = [document if isinstance(document, bytes) else document.encode() for document in documents]
        path.write_bytes(b"\n---\n".join(texts))
        return str(path)

    return write


def trait(name: str, namespace: str = "", **labels: str) -> str:
    """A small valid object."""
    where = f", namespace: {namespace}" if namespace else ""
    tags = ", labels: {" + ", ".join(f'{key}: "{value}"' for key, value in labels.items()) + "}" if labels else ""
    return (
        f"apiVersion: openchoreo.dev/v1alpha1\nkind: Trait\nmetadata: {{name: {name}{where}{tags}}}\n"
        f"spec: {{parameters: {{openAPIV3Schema: {{type: object}}}}}}\n"
    )


def project(name: str, pipeline: str = "default") -> str:
    """A valid project."""
    return (
        f"apiVersion: openchoreo.dev/v1alpha1\nkind: Project\nmetadata:\n  name: {name}\nspec:\n"
        f"  deploymentPipelineRef:\n    name: {pipeline}\n  type:\n    kind: ClusterProjectType\n    name: default\n"
    )
