"""ComponentRelease: what it froze fits together and can be rendered. Checked when a release is made; it never changes.

The type and the traits are checked as their own kinds are, except for unknown keywords in schemas. Thousands of
releases carry the same type, so each content is checked once, see ``verdicts``.
"""

from __future__ import annotations

from collections.abc import Iterator

from catalog.compiler.admission.component import duplicate_instances
from catalog.compiler.admission.component_type import frozen_component_type_errors
from catalog.compiler.admission.schemas import parameter_errors
from catalog.compiler.admission.trait import frozen_trait_errors
from catalog.compiler.documents import Document, items, section, spec_of, text
from catalog.compiler.messages import quote
from catalog.compiler.schema import FieldError
from catalog.compiler.schema.field_errors import duplicate, invalid, required


def component_release_errors(spec: Document) -> Iterator[FieldError]:
    """Return what is wrong with the spec of a new component release."""
    yield from _duplicate_traits(spec)
    yield from duplicate_instances(items(section(spec, "componentProfile"), "traits"), "spec.componentProfile.traits")
    yield from _profile_errors(spec)
    yield from frozen_component_type_errors(spec_of(section(spec, "componentType")), "spec.componentType.spec")
    for index, trait in enumerate(items(spec, "traits")):
        yield from frozen_trait_errors(spec_of(trait), f"spec.traits[{index}].spec")
    if not text(section(section(spec, "workload"), "container"), "image"):
        yield required("spec.workload.container.image", "workload container must have an image")


def _duplicate_traits(spec: Document) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, trait in enumerate(items(spec, "traits")):
        if (identity := _identity(trait)) in seen:
            yield duplicate(f"spec.traits[{index}]", identity)
        seen.add(identity)


def _profile_errors(spec: Document) -> Iterator[FieldError]:
    """Check the component's own parameters and those of its traits, none of which has been defaulted."""
    profile = section(spec, "componentProfile")
    declared = spec_of(section(spec, "componentType")).get("parameters")
    yield from parameter_errors(
        declared, profile.get("parameters"), "spec.componentProfile.parameters", "ComponentType"
    )
    frozen = {_identity(trait): spec_of(trait) for trait in items(spec, "traits")}
    for index, instance in enumerate(items(profile, "traits")):
        path, name = f"spec.componentProfile.traits[{index}]", text(instance, "name")
        trait = frozen.get(_identity(instance))
        if trait is None:
            missing = f"trait '{name}' (kind {text(instance, 'kind')}) referenced in componentProfile"
            yield invalid(f"{path}.name", name, f"{missing} but not found in traits snapshot")
            continue
        yield from parameter_errors(
            trait.get("parameters"), instance.get("parameters"), f"{path}.parameters", f"Trait {quote(name)}"
        )


def _identity(trait: Document) -> str:
    return f"{text(trait, 'kind')}:{text(trait, 'name')}"
