"""The shapes and rules of what types, traits and workflows consist of: templates, conditions, loops, validations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from catalog.kinds.base import FieldError
from catalog.kinds.rules import invalid
from catalog.kinds.schema import Schema, array, boolean, enum, obj, raw, raw_object, string
from catalog.kinds.shapes import name, target_plane


def expression() -> Schema:
    """One whole expression, `${…}`; space may follow it but not stand before it."""
    return string(pattern=r"^\$\{[\s\S]+\}\s*$")


def loop() -> dict[str, Schema]:
    """The fields by which an entry is repeated for each item of a list or map."""
    return {"forEach": expression(), "var": string(pattern="^[a-zA-Z_][a-zA-Z0-9_]*$")}


def template(*, identified: bool = True) -> Schema:
    """A manifest to render, once or in a loop, for one of the planes; entries of a trait have no id."""
    identity = {"id!": name()} if identified else {}
    return obj(
        {**identity, "includeWhen": expression(), **loop(), "targetPlane": target_plane(), "template!": raw_object()}
    )


def single_template(**further: Schema) -> Schema:
    """A manifest to render at most once."""
    return obj({"id!": name(), "includeWhen": expression(), "template!": raw_object(), **further})


def validation_rules() -> Schema:
    """Conditions that the parameters must meet, each with the message for when they do not."""
    return array(obj({"rule!": expression(), "message!": name()}))


def target(**further: Schema) -> Schema:
    """Which rendered manifests are meant: by group, version and kind, and a condition. The core group is ""."""
    return obj({"group!": string(), "version!": name(), "kind!": name(), "where": expression(), **further})


def post_render_rules() -> Schema:
    """Conditions that rendered manifests must meet."""
    return array(
        obj(
            {
                "target!": target(mustMatch=boolean(default=True)),
                "targetPlane": target_plane(),
                "when": expression(),
                **loop(),
                "rule!": expression(),
                "message!": name(),
            }
        )
    )


def patches() -> Schema:
    """Changes of rendered manifests."""
    operation = obj({"op!": enum("add", "replace", "remove"), "path!": string(), "value": raw()})
    return array(
        obj(
            {
                "target!": target(),
                "targetPlane": target_plane(),
                **loop(),
                "operations!": array(operation, min_items=1),
            }
        )
    )


def removes() -> Schema:
    """Rendered manifests to drop."""
    return array(obj({"target!": target(), "targetPlane": target_plane(), **loop()}))


def loops_without_variable(entries: Iterable[Mapping[str, Any]] | None, path: str) -> Iterator[FieldError]:
    """A loop must name its variable."""
    for index, entry in enumerate(entries or ()):
        if "forEach" in entry and "var" not in entry:
            yield invalid(f"{path}[{index}]", "var is required when forEach is specified", entry)


def both_forms_of_validations(spec: Mapping[str, Any], path: str) -> Iterator[FieldError]:
    """`validations` is the old name of `preRenderValidations`; only one of them may have entries."""
    if spec.get("validations") and spec.get("preRenderValidations"):
        yield invalid(
            path,
            "set only one of spec.validations or spec.preRenderValidations; "
            "validations is deprecated, use preRenderValidations",
            spec,
        )
