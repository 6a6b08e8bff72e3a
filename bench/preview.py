"""How long the blast radius of one edit of a component type takes to find: 3,000 components in three environments.

`run()` makes an installation in a temporary directory and previews there in a process of its own, so that time and
memory are those of `manage.py preview` and of nothing else. The installation's rows are made in bulk, with releases and
manifests as the controllers make them.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any

from bench.report import Row

REPOSITORY = Path(__file__).resolve().parent.parent
ENVIRONMENTS = ("development", "staging", "production")
NAMESPACE = "default"
PROJECT = "default"
CHUNK = 200
EDIT = "40-component-type-service.yaml"


def run(components: int = 3000) -> list[Row]:
    """Measure one edit that changes a field of every component, and one that breaks some of them."""
    with tempfile.TemporaryDirectory(prefix="stagecraft-bench-") as home:
        environment = {**os.environ, "STAGECRAFT_HOME": home, "DJANGO_SETTINGS_MODULE": "portal.settings"}
        for name in ("DATABASE_URL", "CELERY_BROKER_URL"):
            environment.pop(name, None)
        child("populate", environment, str(components))
        rows: list[Row] = []
        for edit in EDITS:
            measured = child("measure", environment, edit)
            title = f"preview of {components} components x {len(ENVIRONMENTS)} environments, {edit}"
            rows += [
                Row(f"{title}: time", measured["seconds"], "s", 60.0 if components >= 3000 else None),
                Row(f"{title}: peak memory", measured["memory"], "MiB", 1024.0),
                Row(f"{title}: bindings that change", measured["changed"], ""),
                Row(f"{title}: bindings that fail", measured["failing"], ""),
            ]
        return rows


def child(task: str, environment: dict[str, str], argument: str) -> Any:
    command = [sys.executable, "-m", "bench.preview", task, argument]
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def populate(components: int) -> dict[str, Any]:
    """The platform defaults, and components that run everywhere."""
    from django.core.management import call_command

    from portal.quickstart import content

    call_command("migrate", verbosity=0)
    content.apply_directory(content.DEFAULTS)
    numbers = iter(range(components))
    while chunk := list(islice(numbers, CHUNK)):
        populate_some(chunk)
    return {"components": components}


def populate_some(numbers: list[int]) -> None:
    from django.db import transaction

    from catalog.kinds.component import Component
    from catalog.kinds.release_binding import ReleaseBinding
    from catalog.kinds.rendered_object import Manifest, manifest_hash
    from catalog.kinds.rendered_release import RenderedRelease
    from catalog.kinds.workload import Workload
    from catalog.preview import releases, rendering
    from catalog.preview.loading import release_names
    from catalog.preview.world import World
    from catalog.releases.rendered import controller_reference

    world = World({})
    with transaction.atomic():
        components = save(world, [new(Component, f"c{number}", component_spec(number)) for number in numbers])
        workloads = save(world, [new(Workload, f"c{number}", workload_spec(number)) for number in numbers], components)
        found = []
        by_owner = {component: [workload] for component, workload in zip(components, workloads, strict=True)}
        for component in components:
            release, _ = releases.component_release(component, world, by_owner.__getitem__)
            release.name = f"{component.name}-1"
            found.append(release)
        save(world, found, components)
        pairs = [(component, release) for component, release in zip(components, found, strict=True)]
        bindings = [
            new(ReleaseBinding, f"{component.name}-{environment}", binding_spec(component, environment, release))
            for component, release in pairs
            for environment in ENVIRONMENTS
        ]
        owners = [pair for pair in pairs for _ in ENVIRONMENTS]
        save(world, bindings, [component for component, _ in owners])
        manifests: dict[str, Any] = {}
        rendered = []
        for binding, (component, release) in zip(bindings, owners, strict=True):
            ReleaseBinding.objects.system("bench").filter(pk=binding.pk).update(component_release=release)
            made = rendering.render_component(world, binding, release, component, "now")
            ReleaseBinding.objects.system("bench").filter(pk=binding.pk).update(status={"endpoints": made.endpoints})
            packed = [{"id": item["id"], "hash": manifest_hash(item["object"])} for item in made.entries["dataplane"]]
            manifests |= {manifest_hash(item["object"]): item["object"] for item in made.entries["dataplane"]}
            spec = {**binding_owner(binding), "targetPlane": "dataplane", "resources": packed}
            row = new(RenderedRelease, release_names(binding)["dataplane"], spec)
            row.owner_references = [controller_reference(binding)]
            rendered.append(row)
        Manifest.objects.system("bench").bulk_create([Manifest(hash=key, body=body) for key, body in manifests.items()])
        save(world, rendered, [component for component, _ in owners])


def save(world: Any, objects: list[Any], components: list[Any] | None = None) -> list[Any]:
    """Store objects with their foreign keys and references."""
    from catalog.store.models import ObjectReference
    from catalog.store.references import references_of

    for index, obj in enumerate(objects):
        world.link(obj)
        if components is not None:
            obj.component = components[index]
    type(objects[0]).objects.system("bench").bulk_create(objects)
    ObjectReference.objects.bulk_create(
        ObjectReference(
            source_kind=obj.kind, source_id=obj.pk, role=item.role, target_kind=item.kind,
            target_namespace=item.namespace, target_name=item.name,
        )
        for obj in objects
        for item in references_of(obj)
    )  # fmt: skip
    return objects


def new(model: Any, name: str, spec: dict[str, Any]) -> Any:
    from django.utils import timezone

    return model(name=name, namespace_id=NAMESPACE, spec=spec, created_at=timezone.now())


def component_spec(number: int) -> dict[str, Any]:
    return {
        "owner": {"projectName": PROJECT},
        "componentType": {"kind": "ClusterComponentType", "name": "deployment/service"},
        "autoDeploy": True,
    }


def workload_spec(number: int) -> dict[str, Any]:
    container = {
        "image": f"registry.example/c{number}:1",
        "env": [{"key": "LEVEL", "value": "info"}, {"key": "NUMBER", "value": str(number)}],
        "files": [{"key": "app.toml", "mountPath": "/etc/app", "value": f"number = {number}"}],
    }
    if number % 100:
        container["args"] = ["serve"]
    endpoint = {"type": "HTTP", "port": 8080, "visibility": ["project", "external"]}
    owner = {"projectName": PROJECT, "componentName": f"c{number}"}
    return {"owner": owner, "container": container, "endpoints": {"http": endpoint}}


def binding_spec(component: Any, environment: str, release: Any) -> dict[str, Any]:
    owner = {"projectName": PROJECT, "componentName": component.name}
    return {"owner": owner, "environment": environment, "releaseName": release.name, "state": "Active"}


def binding_owner(binding: Any) -> dict[str, Any]:
    return {"owner": binding.spec["owner"], "environmentName": binding.spec["environment"]}


EDITS = {
    "a default changes": ("default: IfNotPresent", "default: Always"),
    "one in a hundred breaks": (
        "'${workload.container.?args.orValue(oc_omit())}'",
        "['${workload.container.args[0]}']",
    ),
}


def measure(edit: str) -> dict[str, Any]:
    """Preview one edit, as the command does, and say what it has taken."""
    from catalog.manifests.command_line import operator
    from catalog.manifests.reading import read_text
    from catalog.preview.previewing import preview
    from catalog.preview.report import report
    from catalog.preview.report_text import as_text
    from portal.quickstart import content

    before, after = EDITS[edit]
    written = (content.DEFAULTS / EDIT).read_text()
    if before not in written:
        raise ValueError(f"{EDIT} no longer has the text that this edit changes: {before}")
    began = time.perf_counter()
    found = preview(read_text(written.replace(before, after), EDIT, max_bytes=10**7), operator())
    shown = report(found)
    for line in as_text(shown):
        print(line, file=sys.stderr)
    return {
        "seconds": time.perf_counter() - began,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "changed": shown["summary"]["changed"],
        "failing": shown["summary"]["failing"],
    }


def main(arguments: list[str]) -> None:
    if not arguments:
        for row in run():
            bound = f" (must stay below {row.target:.0f})" if row.target else ""
            print(f"{row.name}: {row.value:.1f} {row.unit}{bound}")
        return
    import django

    django.setup()
    task, argument = arguments
    done = populate(int(argument)) if task == "populate" else measure(argument)
    print(json.dumps(done))


if __name__ == "__main__":
    main(sys.argv[1:])
