"""The values that a user gives for a type's ``parameters`` or ``environmentConfigs``, completed by its schema.

The pipelines differ in what they do without a schema, in whether they validate, and in whether a defaulted integer
stays one; each way is a method here. A schema is compiled when a section is first used.
"""

from __future__ import annotations

from functools import cached_property

from catalog.compiler.cel.values import from_json
from catalog.compiler.documents import Document
from catalog.compiler.errors import InputError, InvalidValuesError, SchemaError
from catalog.compiler.schema import CompiledSchema, compile_schema


class ParameterSection:
    """One section of a type's or trait's spec: ``{openAPIV3Schema}``, or nothing."""

    def __init__(self, section: Document | None) -> None:
        self._schema = section.get("openAPIV3Schema") if section else None

    def valid(self, values: object, name: str) -> Document:
        """Return the values with defaults, all numbers as doubles, checked. Component types and traits.

        Without a schema nothing is declared, so all values are dropped. ``name`` is the section's, for messages.
        Raises ``SchemaError`` when the values break the schema or the schema is none, ``InputError`` when the values
        are no object.
        """
        if self._schema is None:
            return {}
        given = _given(values, name)
        defaulted = self._compiled.default(given)
        if self._compiled.validate(defaulted):
            # Again with given numbers as the doubles that they are for the contract: messages tell them apart.
            try:
                self._compiled.require_valid(self._compiled.default(from_json(given)))
            except InvalidValuesError as error:
                raise SchemaError(f"{name} validation failed: {error}") from error
        return from_json(defaulted)  # type: ignore[no-any-return]

    def defaulted(self, values: object, name: str) -> Document:
        """Return the values with defaults, all numbers as doubles, unchecked. Project and resource types."""
        return from_json(self.defaulted_with_integers(values, name))  # type: ignore[no-any-return]

    def defaulted_with_integers(self, values: object, name: str) -> Document:
        """As ``defaulted``, but integral defaults are integers while given numbers are doubles. Workflows."""
        given: Document = from_json(_given(values, name))
        return given if self._schema is None else self._compiled.default(given)  # type: ignore[return-value]

    @cached_property
    def _compiled(self) -> CompiledSchema:
        return compile_schema(self._schema)


def _given(values: object, name: str) -> Document:
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise InputError(f"failed to extract {name}: not an object")
    return values
