"""Render inputs to explain: one with all that a type and a trait can do, and those of the conformance data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from catalog.compiler import metadata, releases
from catalog.compiler.component.connections import endpoint_dependency_items
from tests.compiler.component_input import config_map, render_input, schema, use
from tests.compiler.recording import Recording

CONTAINER = "/spec/template/spec/containers[?(@.name=='main')]"
ENVS = {
    "forEach": "${configurations.toConfigEnvsByContainer()}",
    "var": "group",
    "template": config_map("${group.resourceName}"),
}
ENVS["template"]["data"] = "${group.envs.transformMapEntry(i, e, {e.name: e.value})}"
LIMITS = {
    "parameters": schema(
        memory={"type": "string", "default": "64Mi"},
        labels={"type": "object", "additionalProperties": {"type": "string"}},
    ),
    "environmentConfigs": schema(cpu={"type": "string", "default": "1"}, policy={"type": "string"}),
    "creates": [
        {
            "template": config_map("${trait.instanceName}-${name}", n="${name}"),
            "forEach": "${['a', 'b']}",
            "var": "name",
        },
        {"template": config_map("gone")},
    ],
    "patches": [
        {
            "target": {"kind": "Deployment"},
            "operations": [
                {"op": "add", "path": f"{CONTAINER}/resources/limits/memory", "value": "${parameters.memory}"},
                {"op": "replace", "path": f"{CONTAINER}/image", "value": "proxy-${workload.container.image}"},
                {"op": "add", "path": f"{CONTAINER}/args/-", "value": "--cpu=${environmentConfigs.cpu}"},
                {"op": "add", "path": f"{CONTAINER}/args/0", "value": "first"},
                {"op": "mergeShallow", "path": "/metadata/labels", "value": "${parameters.labels}"},
                {"op": "add", "path": "/spec/extra", "value": {"only": "one", "not": "${oc_omit()}"}},
                {"op": "remove", "path": "/spec/extra/only"},
            ],
        },
        {
            "forEach": "${{'x': 1, 'y': 2}}",
            "var": "turn",
            "target": {"kind": "ConfigMap", "where": "${resource.metadata.name == 'settings'}"},
            "operations": [{"op": "add", "path": "/data/${turn.key}", "value": "${string(turn.value)}"}],
        },
    ],
    "removes": [{"target": {"kind": "ConfigMap", "where": "${resource.metadata.name == 'gone'}"}}],
}

LIVE_STAGES = ("gcp-before-redis-is-pinned", "settled")


def rich_input() -> dict:
    """Given and defaulted values, overrides, loops, embedded and own traits, creates, patches, removes."""
    settings = config_map(
        "settings", level="${parameters.log.level}", size="${parameters.log.size}", whole="${parameters}", kept=None,
        count="${environmentConfigs.replicas}", gone="${oc_omit()}", empty={}, **{"${metadata.environmentName}.k": 7},
    )  # fmt: skip
    log = {
        "type": "object",
        "default": {},
        "properties": {"level": {"type": "string", "default": "info"}, "size": {"type": "integer", "default": 3}},
    }
    given = render_input(
        settings,
        ENVS,
        type_spec={
            "parameters": {"openAPIV3Schema": {**schema(log=log)["openAPIV3Schema"]}},
            "environmentConfigs": schema(replicas={"type": "integer", "default": 1}),
            "traits": [
                {
                    "kind": "Trait",
                    "name": "limits",
                    "instanceName": "built-in",
                    "parameters": {"labels": {"level": "${parameters.log.level}"}},
                    "environmentConfigs": {"cpu": "${environmentConfigs.replicas > 1 ? '2' : '1'}"},
                }
            ],
        },
        traits={"limits": LIMITS},
        uses=[use("limits", "mine", memory="1Gi", labels={"team": "shop"})],
        parameters={"log": {"level": "debug"}},
        ReleaseBinding={
            "metadata": {"name": "web-dev"},
            "spec": {
                "componentTypeEnvironmentConfigs": {"replicas": 2},
                "traitEnvironmentConfigs": {"mine": {"cpu": "4"}},
                "workloadOverrides": {"container": {"env": [{"key": "LEVEL", "value": "trace"}]}},
            },
        },
    )
    given["Workload"]["spec"] = {
        "container": {"image": "img:1", "env": [{"key": "LEVEL", "value": "info"}, {"key": "PORT", "value": "80"}]},
        "endpoints": {"http": {"type": "HTTP", "port": 8080, "visibility": ["external"]}},
    }
    return given


def recorded_inputs(conformance: Path) -> Iterator[dict]:
    """The inputs of all recorded component renders that succeed."""
    for name in ("ops.jsonl", "extra-ops.jsonl"):
        for line in (conformance / "recorded" / name).read_text(encoding="utf-8").splitlines():
            case = json.loads(line)
            if case["op"] == "component.render" and "output" in case:
                yield case["inputs"][0]


def live_inputs(conformance: Path) -> Iterator[dict]:
    """The inputs of all sample components that ran in the recorded control plane, in each of their environments."""
    path = conformance / "live" / "objects.jsonl"
    for stage in LIVE_STAGES:
        recording = Recording(path, stage)
        for binding in recording.all("ReleaseBinding"):
            held = recording.all("RenderedRelease", binding["metadata"]["namespace"])
            if any(binding["metadata"]["uid"] == item["metadata"]["ownerReferences"][0]["uid"] for item in held):
                yield live_input(recording, binding)


def live_input(recording: Recording, binding: dict) -> dict:
    namespace, owner = binding["metadata"]["namespace"], binding["spec"]["owner"]
    release = recording.release(binding)
    environment, plane = recording.environment_and_plane(binding)
    project = recording.get("Project", namespace, owner["projectName"])
    component = recording.get("Component", namespace, owner["componentName"])
    _, resolved, _ = recording.connections(binding)
    workload = release["spec"]["workload"]
    return {
        **releases.component_documents(release),
        "ReleaseBinding": binding,
        "Environment": environment,
        "DataPlane": plane,
        "Metadata": metadata.component_metadata(release, component, project, environment, plane),
        "SecretReferences": {item["metadata"]["name"]: item for item in recording.all("SecretReference", namespace)},
        "DefaultNotificationChannel": recording._default_channel(binding),
        "DependencyItems": endpoint_dependency_items(workload, namespace, owner["projectName"], resolved),
        "ResourceDependencyItems": recording._resource_items(binding, workload),
    }
