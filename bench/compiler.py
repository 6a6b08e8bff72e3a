"""The compiler alone: a component rendered warm and cold, the recorded component cases, and expressions by their class.

Every figure is the least of many repetitions, which other load on the machine disturbs least. Beside them stands what
was recorded of the peer's own pipeline and of cel-go (on another day, on 2 shared cores): they cannot run here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from math import exp, log
from pathlib import Path
from timeit import Timer
from typing import Any

import yaml

from bench.report import Row

REPOSITORY = Path(__file__).resolve().parent.parent
SERVICE = REPOSITORY / "portal/quickstart/defaults/40-component-type-service.yaml"
STRETCH_SECONDS = 0.002
RECORDED = ("ops.jsonl", "extra-ops.jsonl")
GO_WARM = "2.1 to 2.25 ms"
GO_CORPUS = "0.13 to 1.3 ms a case"
GO_COLD = "12 ms"
HALF_OF_GO = 0.2  # of the middle of its range, 0.41 ms: only the range was recorded


def run() -> list[Row]:
    """Measure everything. Cases of the conformance data are left out when it is not there."""
    return [*renders(), *corpus(), *expressions()]


# --- rendering


def renders() -> list[Row]:
    """A service with one route and three trait instances, seven objects: warm, and in new processes."""
    from catalog.compiler import component
    from catalog.compiler.component.input import read_input
    from catalog.compiler.component.plan import plan_component

    given = component_with_three_traits()
    assert len(component.render(given).resources) == 7
    plan = plan_component(given["ComponentType"]["spec"], read_input(given).traits)
    warm = seconds(lambda: component.render(given)) * 1000
    planned = seconds(lambda: component.render(given, plan)) * 1000
    colds = [cold_render() for _ in range(10)]
    return [
        Row("warm render, three trait instances", warm, "ms", 0.3, GO_WARM),
        Row("the same, by a caller that keeps the plan", planned, "ms"),
        Row("cold render in a new process", min(cold["render"] for cold in colds) * 1000, "ms", 12, GO_COLD),
        Row("import of the compiler in a new process", min(cold["import"] for cold in colds) * 1000, "ms"),
    ]


def cold_render() -> dict[str, float]:
    """Seconds of the import and of the first render in a process of its own, everything else being loaded."""
    command = [sys.executable, "-m", "bench.compiler"]
    made = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    figures: dict[str, float] = json.loads(made.stdout)
    return figures


def corpus() -> list[Row]:
    """The geometric mean over the recorded component cases that render."""
    from catalog.compiler import component

    directory = (
        Path(os.environ.get("STAGECRAFT_CONFORMANCE", REPOSITORY.parent / "shared" / "conformance")) / "recorded"
    )
    if not directory.is_dir():
        return []
    cases = [json.loads(line) for name in RECORDED for line in (directory / name).read_text().splitlines()]
    inputs = [case["inputs"][0] for case in cases if case["op"] == "component.render" and "output" in case]
    times = [seconds(lambda given=given: component.render(given), 50) * 1000 for given in inputs]  # type: ignore[misc]
    mean = exp(sum(map(log, times)) / len(times))
    return [
        Row(f"recorded component cases ({len(times)}), geometric mean", mean, "ms", HALF_OF_GO, GO_CORPUS),
        Row("recorded component cases, slowest", max(times), "ms", None, "1.3 ms"),
    ]


def component_with_three_traits() -> dict[str, Any]:
    """The default type for services, a workload with one public endpoint, and three volumes by a trait."""
    names = ("componentName", "componentUID", "projectName", "projectUID", "environmentName", "environmentUID")
    labels = {"openchoreo.dev/component": "shop", "openchoreo.dev/project": "p", "openchoreo.dev/environment": "dev"}
    volumes = ("data", "cache", "uploads")
    endpoint = {"type": "HTTP", "port": 8080, "visibility": ["external"], "basePath": "/v1"}
    gateway = {"name": "gw", "namespace": "gateways", "http": {"host": "apps.example", "port": 80}}
    return {
        "ComponentType": yaml.safe_load(SERVICE.read_text()),
        "Component": {
            "metadata": {"name": "shop"},
            "spec": {
                "parameters": {},
                "traits": [
                    {"name": "volume", "instanceName": name, "parameters": {"mountPath": f"/var/{name}", "sizeGi": 5}}
                    for name in volumes
                ],
            },
        },
        "Traits": [{"kind": "Trait", "metadata": {"name": "volume"}, "spec": volume_trait()}],
        "Workload": {
            "spec": {
                "container": {"image": "registry.example/shop:1", "env": [{"key": "LEVEL", "value": "info"}]},
                "endpoints": {"api": endpoint},
            }
        },
        "Environment": {"metadata": {"name": "dev"}, "spec": {"gateway": {"ingress": {"external": gateway}}}},
        "DataPlane": {"metadata": {"name": "default"}, "spec": {}},
        "Metadata": {
            **{name: name.lower() for name in (*names, "dataPlaneName", "dataPlaneUID")},
            "name": "shop-dev-1234",
            "namespace": "dp-default-shop",
            "componentNamespace": "default",
            "labels": labels,
            "annotations": {},
            "podSelectors": labels,
        },
    }


def volume_trait() -> dict[str, Any]:
    container = "/spec/template/spec/containers[?(@.name=='main')]"
    claim = "${oc_generate_name(metadata.name, trait.instanceName)}"
    properties = {
        "mountPath": {"type": "string", "pattern": "^/"},
        "sizeGi": {"type": "integer", "minimum": 1, "default": 1},
        "readOnly": {"type": "boolean", "default": False},
    }
    return {
        "parameters": {"openAPIV3Schema": {"type": "object", "required": ["mountPath"], "properties": properties}},
        "creates": [
            {
                "template": {
                    "apiVersion": "v1",
                    "kind": "PersistentVolumeClaim",
                    "metadata": {"name": claim, "namespace": "${metadata.namespace}"},
                    "spec": {
                        "accessModes": ["ReadWriteOnce"],
                        "resources": {"requests": {"storage": "${string(parameters.sizeGi)}Gi"}},
                    },
                }
            }
        ],
        "patches": [
            {
                "target": {"kind": "Deployment", "group": "apps", "version": "v1"},
                "operations": [
                    {
                        "op": "add",
                        "path": f"{container}/volumeMounts/-",
                        "value": {
                            "name": "${trait.instanceName}",
                            "mountPath": "${parameters.mountPath}",
                            "readOnly": "${parameters.readOnly}",
                        },
                    },
                    {
                        "op": "add",
                        "path": "/spec/template/spec/volumes/-",
                        "value": {"name": "${trait.instanceName}", "persistentVolumeClaim": {"claimName": claim}},
                    },
                ],
            }
        ],
    }


# --- expressions

# By class: the expression, and microseconds: of cel-go with conversion, and of a call of the peer's engine.
CLASSES: dict[str, tuple[str, float, float]] = {
    "E1 path": ("metadata.name", 0.12, 1.15),
    "E2 path of four steps": ("gateway.ingress.external.http", 0.15, 1.20),
    "E3 has or omit": ("has(parameters.color) ? parameters.color : oc_omit()", 0.12, 1.18),
    "E4 exists, two variables": ("workload.endpoints.exists(n, e, has(e.type) && e.type == 'x')", 0.95, 2.60),
    "E5 transformMap, filtered": (
        "workload.endpoints.transformMap(n, e, e.type in ['HTTP', 'REST'] && 'external' in e.visibility, e)", 3.04, 6.73
    ),
    "E6 host names of a gateway": (
        "[?gateway.ingress.external.?http, ?gateway.ingress.external.?https].filter(l, has(l.host)).map(l, l.host)"
        ".distinct().map(h, oc_dns_label(metadata.environmentName, metadata.componentName, h) + '.' + h)",
        7.97, 11.4,
    ),
    "E7 merge": ("oc_merge(metadata.labels, {'a': metadata.name, 'b': 'c'})", 4.26, 6.94),
    "E8 map to maps, optional entry": (
        "parameters.items.map(i, {'key': i.key, 'ref': {'name': metadata.name, ?'property': i.?property}})",
        10.9, 14.6,
    ),
    "E9 600 characters joined": (
        " + ".join(["metadata.name + 'aaaaaaaaaaaaaaaaaaaaaaaaaaaa' + parameters.text"] * 8), 2.17, 8.31
    ),
    "E10 transformMapEntry": ("parameters.items.transformMapEntry(i, v, {v.key: v.key + string(i)})", 9.76, 11.0),
    "E11 optional path": ("parameters.?missing.?deeper.orValue('x')", 0.12, 1.17),
    "E12 transformList, flatten": (
        "workload.endpoints.transformList(n, e, e.visibility.map(v, n + v)).flatten()", 3.96, 7.93
    ),
}  # fmt: skip
INPUTS: dict[str, Any] = {
    "metadata": {
        "name": "shop-dev-1234",
        "componentName": "shop",
        "environmentName": "dev",
        "labels": {f"example.com/label-{number}": "value" for number in range(6)},
    },
    "gateway": {"ingress": {"external": {"http": {"host": "a.example"}, "https": {"host": "a.example"}}}},
    "workload": {
        "endpoints": {
            "api": {"type": "HTTP", "port": 80, "visibility": ["external", "internal"]},
            "grpc": {"type": "gRPC", "port": 81, "visibility": ["internal"]},
        }
    },
    "parameters": {
        "text": "b" * 30,
        "items": [{"key": "one", "property": "p"}, {"key": "two"}, {"key": "three", "property": "q"}],
    },
}


def expressions() -> list[Row]:
    """Microseconds of one evaluation, result converted, and of compiling all twelve the first time."""
    from catalog.compiler.cel import Environment, from_json
    from catalog.compiler.cel.environment import _compile

    environment = Environment(frozenset(INPUTS))
    bindings = from_json(INPUTS)
    rows = []
    for name, (text, eval_and_convert, engine) in CLASSES.items():
        program = environment.compile(text)
        program.evaluate_native(bindings)
        peer = f"{eval_and_convert} us, its engine {engine} us"
        rows.append(Row(name, seconds(lambda p=program: p.evaluate_native(bindings)) * 1e6, "us", None, peer))  # type: ignore[misc]

    def compile_all() -> None:
        _compile.cache_clear()
        for text, _, _ in CLASSES.values():
            environment.compile(text).evaluate_native(bindings)

    compiled = Timer(compile_all).repeat(repeat=15, number=1)
    rows.append(Row("compiling and first evaluation, mean of the twelve", min(compiled) / len(CLASSES) * 1e6, "us"))
    return rows


def seconds(call: Any, repeat: int = 150) -> float:
    """The least time of one call, over short stretches: other processes leave some of them alone."""
    timer = Timer(call)
    number = max(1, int(STRETCH_SECONDS / max(timer.timeit(3) / 3, 1e-9)))
    return min(timer.repeat(repeat=repeat, number=number)) / number


def measure_here() -> dict[str, float]:
    """Import and first render, in a process that has done nothing yet but read the input."""
    from time import perf_counter

    given = component_with_three_traits()
    started = perf_counter()
    from catalog.compiler import component

    imported = perf_counter()
    component.render(given)
    return {"import": imported - started, "render": perf_counter() - imported}


if __name__ == "__main__":
    print(json.dumps(measure_here()))
