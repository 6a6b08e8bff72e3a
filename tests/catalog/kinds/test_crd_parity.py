"""Our admission and the contract's CRDs judge alike: the same documents pass, with the same spec in the end.

`crd_oracle` says what an API server with those CRDs would do. A document is compared by whether it is accepted, by
the completed spec if it is, and by the broken rules with path and text if its shape is right.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from random import Random
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from catalog.kinds.base import FieldError, PlatformObject
from catalog.kinds.registry import KINDS, kind_named
from catalog.store.admission import admit
from tests.catalog.kinds.crd_oracle import PRESERVE, Crd, Verdict
from tests.catalog.kinds.mutations import mutate, sample, seeded

MUTATIONS = 300
CHANGES = 200
ORIGINALS = 10
LONGEST = 12_000  # characters: longer originals have no shapes that shorter ones lack

# The enum of the field leaves nothing for these rules to refuse.
OUT_OF_REACH = {
    "ClusterDataPlane can only reference ClusterObservabilityPlane",
    "ClusterWorkflowPlane can only reference ClusterObservabilityPlane",
}

every_kind = pytest.mark.parametrize("kind", [model.kind for model in KINDS if model.kind != "Namespace"])


def document(model: type[PlatformObject], spec: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {"name": "example", "labels": {}, "annotations": {}}
    return {"metadata": metadata | ({"namespace": "default"} if model.namespaced else {}), "spec": spec}


def judge(kind: str, old: Mapping[str, Any] | None, spec: Mapping[str, Any]) -> tuple[dict[str, Any], list[FieldError]]:
    model = kind_named(kind)
    content_violations = model.content_violations

    def unheeded(old: Any, new: Any) -> tuple[FieldError, ...]:
        """What a CRD cannot say: it must be looked at without a crash, whatever the document, and not be counted."""
        return tuple(content_violations(old, new))[:0]

    with patch.object(model, "content_violations", unheeded):
        admitted, errors = admit(model, document(model, old) if old is not None else None, document(model, spec))
    return admitted["spec"], errors


def assert_judged_alike(crd: Crd, old: Mapping[str, Any] | None, spec: Mapping[str, Any]) -> Verdict:
    expected = crd.admit(old, spec)
    sent = copy.deepcopy(spec)
    ours, errors = judge(crd.kind, old, spec)
    context = f"\nspec: {spec}\nold: {old}\nCRD: {expected.schema_errors} {expected.rule_errors}\nours: {errors}"
    assert spec == sent, "admission changed its input" + context
    assert (not errors) == expected.accepted, context
    if expected.accepted:
        assert ours == expected.spec, context
    elif not expected.schema_errors:
        assert len(errors) == len(expected.rule_errors), context
        for path, message in expected.rule_errors:
            assert any(error.path == path and error.message.endswith(message) for error in errors), context
    return expected


def originals(crd: Crd, documents: Mapping[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Valid specs to start from: those of the conformance data, and some made up for kinds and fields it lacks."""
    random = seeded(f"originals of {crd.kind}")
    given_specs = [spec for spec in documents.get(crd.kind, []) if len(str(spec)) < LONGEST]
    step = max(1, len(given_specs) // ORIGINALS)
    made_up = [sample(crd.spec_schema, random) for _ in range(60)]
    valid = [verdict.spec for verdict in (crd.admit(None, spec) for spec in made_up) if verdict.accepted]
    assert valid, f"no made-up spec of {crd.kind} is valid"
    fullest_first = sorted(valid, key=len, reverse=True)
    return given_specs[::step][:ORIGINALS] + fullest_first[:ORIGINALS]


@every_kind
def test_a_spec_schema_says_what_the_crd_says(crds: dict[str, Crd], kind: str) -> None:
    model = kind_named(kind)
    assert without_texts(model.spec_schema) == without_texts(crds[kind].spec_schema)
    assert model.spec_required == crds[kind].spec_required


@every_kind
def test_documents_of_samples_and_recordings_are_judged_alike(
    crds: dict[str, Crd], documents: dict[str, list[dict[str, Any]]], kind: str
) -> None:
    for spec in documents.get(kind, []):
        assert_judged_alike(crds[kind], None, spec)


def test_recorded_objects_pass_unchanged(recorded_objects: list[dict[str, Any]]) -> None:
    for recorded in recorded_objects:
        spec, errors = judge(recorded["kind"], recorded["spec"], recorded["spec"])
        assert not errors, recorded["metadata"]["name"]
        assert spec == recorded["spec"], recorded["metadata"]["name"]


@every_kind
def test_documents_with_one_mutation_are_judged_alike(
    crds: dict[str, Crd], documents: dict[str, list[dict[str, Any]]], kind: str
) -> None:
    crd, random = crds[kind], seeded(f"mutations of {kind}")
    starts = originals(crd, documents)
    accepted: set[bool] = set()
    broken: set[str] = set()
    for number in range(MUTATIONS):
        verdict = assert_judged_alike(crd, None, mutate(crd.spec_schema, starts[number % len(starts)], random))
        accepted.add(verdict.accepted)
        broken |= {message for _, message in verdict.rule_errors}
    assert accepted == {True, False}, "all mutations were harmless, or none: the test looks at one side only"
    missed = rules(crd.spec_schema, transition=False) - broken - OUT_OF_REACH
    assert not missed, "no mutation broke these rules: the test does not reach them"


@every_kind
def test_changes_of_stored_documents_are_judged_alike(
    crds: dict[str, Crd], documents: dict[str, list[dict[str, Any]]], kind: str
) -> None:
    crd, random = crds[kind], seeded(f"changes of {kind}")
    starts = [crd.admit(None, spec).spec for spec in originals(crd, documents)]
    broken: set[str] = set()
    for number in range(CHANGES):
        old = starts[number % len(starts)]
        broken |= {
            message for _, message in assert_judged_alike(crd, old, change(crd, old, starts, random)).rule_errors
        }
    missed = {rule for rule in rules(crd.spec_schema, transition=True) if not any(rule in text for text in broken)}
    assert not missed, "no change broke these rules: the test does not reach them"


def change(crd: Crd, old: dict[str, Any], others: list[dict[str, Any]], random: Random) -> dict[str, Any]:
    """A new spec for a stored one: the same, one mutation, or fields that are wrong only in being other than before."""
    choice = random.random()
    if choice < 0.1:
        return old
    if choice < 0.5:
        return mutate(crd.spec_schema, old, random)
    if choice < 0.65:
        return random.choice(others)
    if choice < 0.8:
        return old | {name: value for name, value in random.choice(others).items() if random.random() < 0.4}
    field = random.choice(list(crd.spec_schema["properties"]))
    return old | {field: sample(crd.spec_schema["properties"][field], random)}


@every_kind
@settings(
    derandomize=True,
    max_examples=25,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_minimal_and_generated_documents_are_judged_alike(crds: dict[str, Crd], kind: str, data: st.DataObject) -> None:
    assert_judged_alike(crds[kind], None, data.draw(specs(crds[kind].spec_schema)))


# NUL is a text of its own in JSON, but PostgreSQL cannot store it and our admission says so.
characters = st.characters(codec="utf-8", exclude_characters="\0")


def short_text(min_size: int = 0) -> st.SearchStrategy[str]:
    return st.text(characters, min_size=min_size, max_size=min_size + 4)


def specs(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Specs of the right shape, from the required fields only to all of them; their rules may be broken."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kind = schema.get("type")
    if kind == "object" and schema.get("properties"):
        fields = {name: specs(child) for name, child in schema["properties"].items()}
        required = set(schema.get("required", []))
        return st.fixed_dictionaries(
            {name: field for name, field in fields.items() if name in required},
            optional={name: field for name, field in fields.items() if name not in required},
        )
    if kind == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        return st.dictionaries(short_text(), specs(schema["additionalProperties"]), max_size=2)
    if kind == "object":
        return st.dictionaries(short_text(), st.none() | st.integers(-9, 9) | short_text(), max_size=2)
    if kind == "array":
        low = schema.get("minItems", 0)
        return st.lists(specs(schema["items"]), min_size=low, max_size=low + 1)
    if kind == "string" and "pattern" in schema:
        return st.from_regex(re.compile(schema["pattern"], re.ASCII), alphabet=characters).map(
            lambda text: text[: schema.get("maxLength")]
        )
    if kind == "string":
        return short_text(schema.get("minLength", 0))
    if kind == "integer":
        return st.integers(schema.get("minimum", -9), schema.get("maximum", 9))
    if kind == "boolean":
        return st.booleans()
    return st.none() | st.booleans() | short_text() | st.lists(st.integers(-9, 9), max_size=2)


def rules(schema: Mapping[str, Any], *, transition: bool) -> set[str]:
    """The messages of all rules that compare with the old value, or of all others."""
    declared = schema.get("x-kubernetes-validations", [])
    found = {rule["message"] for rule in declared if ("oldSelf" in rule["rule"]) == transition}
    below = [*schema.get("properties", {}).values(), schema.get("items"), schema.get("additionalProperties")]
    for child in below:
        found |= rules(child, transition=transition) if isinstance(child, Mapping) else set()
    return found


def without_texts(schema: Any) -> Any:
    """A schema without descriptions, examples and rules, and with its required fields in alphabetical order."""
    if not isinstance(schema, Mapping):
        return schema
    kept: dict[str, Any] = {}
    for keyword, value in schema.items():
        if keyword in ("description", "example", "x-kubernetes-validations"):
            continue
        if keyword == "properties":
            kept[keyword] = {name: without_texts(child) for name, child in value.items()}
        elif keyword in ("items", "additionalProperties"):
            kept[keyword] = without_texts(value)
        else:
            kept[keyword] = sorted(value) if keyword == "required" else value
    assert PRESERVE not in kept or kept[PRESERVE] is True
    return kept
