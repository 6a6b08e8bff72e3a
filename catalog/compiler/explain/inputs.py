"""The values that went into a value, each with its own origin, as deep as somebody wrote something down.

A parameter was given or is a default of the schema; an entry of the workload may be overridden by the binding; the
variable of a loop stands for an item of another expression; the parameters of an embedded trait are expressions of the
type. Called by those who show a trail to people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from catalog.compiler.component.input import RenderInput, read_input
from catalog.compiler.documents import name_of, section, spec_of, text
from catalog.compiler.explain.entries import configuration_entries, dependency_entries
from catalog.compiler.explain.input import Input, found_at
from catalog.compiler.explain.origin import FieldPath, Frame, Origin, Place, TraitUse, Turn
from catalog.compiler.explain.references import Reference, references
from catalog.compiler.explain.sections import Section, section_input
from catalog.compiler.explain.traced import path_text
from catalog.compiler.manifest import to_json
from catalog.compiler.template_scan import Expression, scan

__all__ = ["Input", "inputs_of"]

# The lists of the variable ``derived``, by what they are made of.
_CONFIGURATION: frozenset[str | int] = frozenset(
    {
        "configFileList", "secretFileList", "containerEnvFrom", "configVolumeMounts", "configVolumes", "configEnvs",
        "secretEnvs",
    }
)  # fmt: skip
_DEPENDENCY: frozenset[str | int] = frozenset({"dependencyEnvVars", "dependencyVolumeMounts", "dependencyVolumes"})


def inputs_of(origin: Origin, render_input: Mapping[str, Any]) -> list[Input]:
    """Return what the expressions behind an origin read; nothing for a literal and for what the platform computes.

    ``render_input``: that which was explained.
    """
    step = origin.step
    if step.frame is None or not step.expressions:
        return []
    return list(_read(str(step.text), step.frame, origin.within, (), read_input(render_input)))


def _read(written: str, frame: Frame, within: FieldPath, asked: FieldPath, given: RenderInput) -> Iterator[Input]:
    """What a text reads.

    ``within`` is the place in its value that is asked for. ``asked`` are names on the way from there to the leaf: what
    an expression has computed from a list often keeps the names of the list's items.
    """
    for piece in scan(written):
        if not isinstance(piece, Expression):
            continue
        for reference in references(piece.text):
            if reference.variable in frame.scope.variables:
                yield _resolve(reference, frame, within, asked, given)


def _resolve(reference: Reference, frame: Frame, within: FieldPath, asked: FieldPath, given: RenderInput) -> Input:
    steps = reference.steps
    if reference.is_whole:
        # What is asked for is a part of this very variable, so its own origin is the answer.
        steps = (*steps, *within)
    else:
        asked = (*within, *asked)
    value, is_there = found_at(frame.scope.bindings[reference.variable], steps)
    name = path_text((reference.variable, *steps))
    if not is_there:
        return Input(name, None, "absent")
    seen = Input(name, to_json(value), "platform")
    if frame.turn is not None and reference.variable == frame.turn.variable:
        return _of_loop(seen, steps, frame.turn, asked, given)
    if reference.variable in ("parameters", "environmentConfigs"):
        return _of_section(seen, reference.variable, steps, frame, given)
    resolver = _RESOLVERS.get(reference.variable)
    if resolver is None:
        return seen
    shown = _nearest_named(frame.scope.bindings[reference.variable], steps)
    return resolver(seen, _Asked(steps, asked, shown), given)


def _of_loop(seen: Input, steps: FieldPath, turn: Turn, asked: FieldPath, given: RenderInput) -> Input:
    place: FieldPath = (turn.key, *steps)
    if isinstance(turn.key, str):
        place = (turn.key, *steps[1:]) if steps[:1] == ("value",) else ()
    inputs = tuple(_read(turn.text, turn.outer, place, asked, given))
    return replace(seen, source="loop", place=turn.place, text=turn.text, inputs=inputs)


def _of_section(seen: Input, name: str, steps: FieldPath, frame: Frame, given: RenderInput) -> Input:
    if frame.trait is None:
        return section_input(seen, steps, _type_section(name, given))
    if frame.trait.is_embedded:
        return _of_embedded_trait(seen, name, steps, frame.trait, given)
    return section_input(seen, steps, _trait_section(name, frame.trait, given))


def _type_section(name: str, given: RenderInput) -> Section:
    kind = text(given.component_type, "kind") or "ComponentType"
    schema = Place(kind, name_of(given.component_type).rpartition("/")[2], ("spec", name, "openAPIV3Schema"))
    document = section(spec_of(given.component_type), name).get("openAPIV3Schema")
    if name == "parameters":
        component = Place("Component", text(given.metadata, "componentName"), ("spec", "parameters"))
        return Section(spec_of(given.component).get("parameters"), component, "parameter", document, schema)
    place = _binding(given).below("componentTypeEnvironmentConfigs")
    values = spec_of(given.binding).get("componentTypeEnvironmentConfigs")
    return Section(values, place, "environment-config", document, schema)


def _trait_section(name: str, use: TraitUse, given: RenderInput) -> Section:
    definition = next(
        trait for trait in given.traits if (text(trait, "kind") or "Trait", name_of(trait)) == (use.kind, use.name)
    )
    schema = Place(use.kind, use.name, ("spec", name, "openAPIV3Schema"))
    document = section(spec_of(definition), name).get("openAPIV3Schema")
    if use.is_embedded:
        return Section(None, use.place.below(name), "trait-binding", document, schema)
    if name == "parameters":
        declared = spec_of(given.component)["traits"][use.place.path[-1]]
        return Section(declared.get("parameters"), use.place.below("parameters"), "parameter", document, schema)
    values = section(spec_of(given.binding), "traitEnvironmentConfigs").get(use.instance)
    place = _binding(given).below("traitEnvironmentConfigs", use.instance)
    return Section(values, place, "environment-config", document, schema)


def _of_embedded_trait(seen: Input, name: str, steps: FieldPath, use: TraitUse, given: RenderInput) -> Input:
    """A parameter of an embedded trait: what the type has written for it, else the default of the trait's schema."""
    written: Any = spec_of(given.component_type)["traits"][use.place.path[-1]].get(name)
    place, rest = use.place.below(name), list(steps)
    while rest and not isinstance(written, str):
        written, is_there = found_at(written, (rest[0],))
        if not is_there:
            return section_input(seen, steps, _trait_section(name, use, given))
        place = place.below(rest.pop(0))
    if not isinstance(written, str):
        return replace(seen, source="trait-binding", place=place)
    inputs = tuple(_read(written, use.outer, tuple(rest), (), given))
    return replace(seen, source="trait-binding", place=place, text=written, inputs=inputs)


def _binding(given: RenderInput) -> Place:
    return Place("ReleaseBinding", name_of(given.binding), ("spec",))


class _Asked(NamedTuple):
    """A place in a variable, names on the way from there to the leaf, and the value whose entries are meant."""

    steps: FieldPath
    names: FieldPath
    shown: object


def _nearest_named(value: Any, steps: FieldPath) -> object:
    """What stands at the end of a path, or, for a scalar, the object with a name that it belongs to."""
    named = value
    for step in steps:
        value = value[step]
        if isinstance(value, dict | list):
            named = value
    return named


def _of_workload(seen: Input, asked: _Asked, given: RenderInput) -> Input:
    place = Place("Workload", text(given.metadata, "componentName"), ("spec",))
    if found_at(spec_of(given.workload), asked.steps)[1]:
        return replace(seen, source="workload", place=place.below(*asked.steps))
    # A port that stands for its target, or a visibility that every endpoint has.
    return replace(seen, source="workload", place=place.below(*asked.steps[:2]))


def _of_configurations(seen: Input, asked: _Asked, given: RenderInput) -> Input:
    return replace(seen, source="workload", inputs=configuration_entries(asked.shown, asked.names, given))


def _of_dependencies(seen: Input, asked: _Asked, given: RenderInput) -> Input:
    return replace(seen, source="dependency", inputs=dependency_entries(asked.shown, asked.names, given))


def _of_derived(seen: Input, asked: _Asked, given: RenderInput) -> Input:
    if set(asked.steps[:1]) & _DEPENDENCY:
        return _of_dependencies(seen, asked, given)
    if set(asked.steps[:1]) & _CONFIGURATION:
        return _of_configurations(seen, asked, given)
    place = Place("Workload", text(given.metadata, "componentName"), ("spec", "endpoints"))
    return replace(seen, source="workload", place=place)


def _of_plane(seen: Input, asked: _Asked, given: RenderInput) -> Input:
    return replace(seen, source="data-plane", place=_gateway_place(given.data_plane, "DataPlane", asked.steps))


def _of_environment(seen: Input, asked: _Asked, given: RenderInput) -> Input:
    if asked.steps[:1] != ("gateway",):
        return replace(seen, source="environment", place=_gateway_place(given.environment, "Environment", ()))
    # Gateways of an environment replace those of its plane one by one.
    if found_at(spec_of(given.environment), asked.steps[:3])[1]:
        return replace(seen, source="environment", place=_gateway_place(given.environment, "Environment", asked.steps))
    return _of_plane(seen, asked, given)


def _of_gateway(seen: Input, asked: _Asked, given: RenderInput) -> Input:
    return _of_environment(seen, asked._replace(steps=("gateway", *asked.steps)), given)


def _gateway_place(document: Mapping[str, Any], kind: str, steps: FieldPath) -> Place:
    path = steps if found_at(document.get("spec") or {}, steps)[1] else ()
    return Place(str(document.get("kind") or kind), name_of(dict(document)), ("spec", *path))


_Resolver = Callable[[Input, _Asked, RenderInput], Input]
_RESOLVERS: dict[str, _Resolver] = {
    "workload": _of_workload,
    "configurations": _of_configurations,
    "dependencies": _of_dependencies,
    "derived": _of_derived,
    "dataplane": _of_plane,
    "environment": _of_environment,
    "gateway": _of_gateway,
}
