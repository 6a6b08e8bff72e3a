"""Accepting drift: which override of a binding makes the compiled value what somebody has set in the cluster.

Several overrides are tried, the nearest first: the setting of the environment that the value was made from (as
`explain` tells), a variable, a file. Each is rendered; the first that gives the live value is taken. So nothing is
accepted that the next render would undo. Where none does, the reason says what the value is made of.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

from catalog.compiler.documents import Document, name_of, namespace_of, section
from catalog.compiler.explain import ExplainedObject, Input, inputs_of
from catalog.delivery.drift import Change
from catalog.delivery.drift_models import DriftRecord
from catalog.delivery.drift_records import HIDDEN
from catalog.kinds.base import PlatformObject
from catalog.kinds.release_binding import ReleaseBinding
from catalog.manifests.explaining import Explanation, NotExplained, explain_binding, find_field

LAST_NAME = re.compile(r"(?:^data\.|\.env\[|^data\[)([^\[\]]+)\]?(?:\.value)?$")
"""The variable or file that a place speaks of: `data.LEVEL`, `data[app.toml]`, `….env[LEVEL]`, `….env[LEVEL].value`."""
SETTING = re.compile(r"environmentConfigs((?:\.[A-Za-z0-9_-]+)+)")


class NotAcceptable(ValueError):
    """Why no override of the binding can say that. The text says what to do instead."""


def accepted_spec(binding: PlatformObject, row: DriftRecord) -> Document:
    """The binding's spec with an override that gives the live value. Raises `NotAcceptable`."""
    if not isinstance(binding, ReleaseBinding):
        raise NotAcceptable(f"{binding.kind} has no overrides for single fields; change its type or its parameters")
    if row.path == "" or row.change == Change.REMOVED or row.live is None:
        raise NotAcceptable(f"{row.change}: an override can set a value and not take one away; restore or ignore it")
    live = row.live["value"]
    if live == HIDDEN:
        raise NotAcceptable("values of Secrets are not kept; change the SecretReference instead")
    try:
        explanation = explain_binding(binding)
    except NotExplained as problem:
        raise NotAcceptable(f"the release cannot be rendered now: {problem}") from None
    item = object_of(explanation, row)
    before = value_of(item, row.path)
    for spec in candidates(binding, explanation, item, row, live):
        if gives(binding, spec, row, live):
            return spec
    raise NotAcceptable(why_not(explanation, item, row, before))


def object_of(explanation: Explanation, row: DriftRecord) -> ExplainedObject:
    """The compiled object that the row speaks of. Raises `NotAcceptable`."""
    for _, item in explanation.objects:
        document = item.object
        if (document["kind"], name_of(document), namespace_of(document)) == (row.kind, row.name, row.object_namespace):
            return item
    raise NotAcceptable(f"{row.kind} {row.name} is no object of the release any more")


def value_of(item: ExplainedObject, path: str) -> Any:
    """The compiled value at a place, None if there is none."""
    place = find_field(item.object, path)
    if place is None:
        return None
    value: Any = item.object
    for step in place:
        value = value[step]
    return value


def candidates(
    binding: ReleaseBinding, explanation: Explanation, item: ExplainedObject, row: DriftRecord, live: Any
) -> Iterator[Document]:
    """Specs that may give the value."""
    for instance, steps in settings_behind(explanation, item, row.path):
        yield with_setting(binding.spec, instance, steps, live)
    named = LAST_NAME.search(row.path)
    if named is None:
        return
    name = named[1]
    text = live.get("value") if isinstance(live, Mapping) else live
    if isinstance(text, str):
        yield with_entry(binding.spec, "env", {"key": name, "value": text})
        for file in workload_files(explanation):
            if file.get("key") == name:
                yield with_entry(binding.spec, "files", {"key": name, "mountPath": file["mountPath"], "value": text})


def settings_behind(explanation: Explanation, item: ExplainedObject, path: str) -> Iterator[tuple[str, list[str]]]:
    """The settings of the environment that the value at a place was made from: trait instance or "", and the place in
    the settings."""
    place = find_field(item.object, path)
    if place is None or place not in item.origins:
        return
    for origin in reversed(item.origins[place].history):
        frame = origin.step.frame
        instance = frame.trait.instance if frame is not None and frame.trait is not None else ""
        for found in all_inputs(inputs_of(origin, explanation.render_input)):
            named = SETTING.fullmatch(found.name)
            if named is not None:
                yield instance, named[1].strip(".").split(".")


def all_inputs(inputs: Any) -> Iterator[Input]:
    """The inputs, and those behind them."""
    for found in inputs:
        yield found
        yield from all_inputs(found.inputs)


def with_setting(spec: Mapping[str, Any], instance: str, steps: list[str], value: Any) -> Document:
    """The spec with a value of the type's environmentConfigs, or of a trait's."""
    changed: Document = copy.deepcopy(dict(spec))
    if instance:
        node = changed.setdefault("traitEnvironmentConfigs", {}).setdefault(instance, {})
    else:
        node = changed.setdefault("componentTypeEnvironmentConfigs", {})
    for step in steps[:-1]:
        inner = node.get(step)
        node[step] = node = dict(inner) if isinstance(inner, Mapping) else {}
    node[steps[-1]] = value
    return changed


def with_entry(spec: Mapping[str, Any], field: str, entry: Document) -> Document:
    """The spec with a variable or file of the container, in the place of one of the same key."""
    changed: Document = copy.deepcopy(dict(spec))
    container = changed.setdefault("workloadOverrides", {}).setdefault("container", {})
    held = [item for item in container.get(field) or () if item.get("key") != entry["key"]]
    container[field] = [*held, entry]
    return changed


def workload_files(explanation: Explanation) -> list[Document]:
    release = explanation.binding.component_release
    workload = section(release.spec, "workload") if release is not None else {}
    return list(section(workload, "container").get("files") or ())


def gives(binding: ReleaseBinding, spec: Document, row: DriftRecord, live: Any) -> bool:
    """Whether the release, rendered with that spec, has the live value at the place, or as the variable meant."""
    tried = copy.copy(binding)
    tried.spec = spec
    try:
        explanation = explain_binding(tried)
        item = object_of(explanation, row)
    except (NotExplained, NotAcceptable):
        return False
    if value_of(item, row.path) == live:
        return True
    named = LAST_NAME.search(row.path)
    if row.change != Change.ADDED or named is None or ".env[" not in row.path:
        return False
    # A variable of the workload reaches the container through a ConfigMap.
    text = live.get("value") if isinstance(live, Mapping) else live
    maps = [other.object for _, other in explanation.objects if other.object["kind"] == "ConfigMap"]
    return any((document.get("data") or {}).get(named[1]) == text for document in maps)


def why_not(explanation: Explanation, item: ExplainedObject, row: DriftRecord, before: Any) -> str:
    """What the value is made of, and what would have to change."""
    where = f"{row.path} of {row.kind} {row.name}"
    place = find_field(item.object, row.path)
    if place is None:
        return (
            f"no setting of the environment leads to {where}: it is none of the release's fields; restore or ignore it"
        )
    origins = item.origins.get(place)
    names = [] if origins is None else [
        found.name for origin in origins.history for found in all_inputs(inputs_of(origin, explanation.render_input))
    ]  # fmt: skip
    made_of = f"it is made of {', '.join(dict.fromkeys(names))}" if names else f"the type says {before!r}"
    return (
        f"no setting of the environment gives {where} that value: {made_of}. Change that, which makes a new release, "
        "or restore or ignore the difference"
    )
