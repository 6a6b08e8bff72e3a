"""A schema made ready for use, once.

Types and traits change rarely and are used in every render. ``compile_schema`` keeps what it made by the content of
the schema, so that callers need not keep anything: they pass the raw ``openAPIV3Schema`` wherever they have it.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Mapping
from functools import cached_property

from catalog.compiler.errors import InvalidValuesError, ReferenceResolutionError, SchemaError
from catalog.compiler.schema.defaulting import Defaulter, generate_defaulter
from catalog.compiler.schema.field_errors import FieldError, has_unique_lists, list_errors, schema_errors
from catalog.compiler.schema.node import Node, convert, has_vendor_extensions, strip_vendor_extensions
from catalog.compiler.schema.pruning import drop_nulls, prune
from catalog.compiler.schema.quick import QuickCheck, compile_quick_check
from catalog.compiler.schema.refs import resolve_refs
from catalog.compiler.schema.validation import check

_CACHE_SIZE = 1024


class CompiledSchema:
    """What can be done with one schema. Immutable and safe for concurrent use; every part is made on first use.

    Values are plain JSON data. Methods leave their argument unchanged; results may share unchanged parts with it.
    """

    def __init__(self, schema: Mapping[str, object]) -> None:
        """Raises ``SchemaError`` when the schema cannot be converted."""
        try:
            resolved = resolve_refs(schema)
        except ReferenceResolutionError as error:
            raise SchemaError(f"failed to resolve $ref: {error}") from error
        self._checked: Node = convert(resolved)
        # Defaulting and pruning do not see vendor extensions; validation does (see strip_vendor_extensions).
        if has_vendor_extensions(resolved):
            stripped = strip_vendor_extensions(resolved)
            assert isinstance(stripped, Mapping)  # noqa: S101
            self._structural = convert(stripped)
        else:
            self._structural = self._checked

    def default(self, value: object) -> object:
        """Return ``value`` (None stands for no values: ``{}``) with the defaults of the schema set.

        A number among the defaults is an int when it is integral, else a float.
        """
        return self._defaulter({} if value is None else value)

    def validate(self, value: object) -> list[str]:
        """Return why ``value`` breaks the schema, as the contract words errors of parameters; empty if it is valid.

        Unknown properties are no error unless ``additionalProperties: false``; nothing is defaulted first.
        """
        if self._is_surely_valid(value):
            return []
        return [failure.message.replace(" in body", "") for failure in check(self._checked, value)]

    def require_valid(self, value: object) -> None:
        """Raise ``InvalidValuesError`` with all reasons when ``value`` breaks the schema."""
        if reasons := self.validate(value):
            raise InvalidValuesError(reasons)

    def field_errors(self, value: object, path: str = "") -> list[FieldError]:
        """Return every field of ``value`` that is wrong, as the Kubernetes API server words it; empty if it is valid.

        ``path`` is the field that holds ``value`` (``spec``), empty for a whole object. Includes duplicates in lists
        that are sets or maps.
        """
        errors = [] if self._is_surely_valid(value) else schema_errors(self._checked, value, path)
        if self._has_unique_lists:
            errors += list_errors(self._structural, value, path)
        return errors

    def prune(self, value: object) -> object:
        """Return ``value`` without the fields that the schema does not specify."""
        return prune(self._structural, value)

    def drop_nulls(self, value: object) -> object:
        """Return ``value`` without null fields that may not be null and have no default."""
        return drop_nulls(self._structural, value)

    def _is_surely_valid(self, value: object) -> bool:
        return self._quick_check is not None and self._quick_check(value)

    @cached_property
    def _defaulter(self) -> Defaulter:
        return generate_defaulter(self._structural)

    @cached_property
    def _quick_check(self) -> QuickCheck | None:
        return compile_quick_check(self._checked)

    @cached_property
    def _has_unique_lists(self) -> bool:
        return has_unique_lists(self._structural)


_compiled: OrderedDict[bytes, CompiledSchema] = OrderedDict()
_lock = threading.Lock()


def compile_schema(schema: Mapping[str, object] | None) -> CompiledSchema:
    """Return ``schema`` (an ``openAPIV3Schema``, possibly with ``$defs``) made ready, from the cache if it was seen.

    Raises ``SchemaError`` when there is no schema, when a ``$ref`` cannot be resolved, or when the schema is no
    structural schema of Kubernetes.
    """
    if schema is None:
        raise SchemaError("schema is nil")
    key = _content_key(schema)
    with _lock:
        found = _compiled.get(key)
        if found is not None:
            _compiled.move_to_end(key)
            return found
    made = CompiledSchema(schema)
    with _lock:
        _compiled[key] = made
        while len(_compiled) > _CACHE_SIZE:
            _compiled.popitem(last=False)
    return made


def _content_key(schema: Mapping[str, object]) -> bytes:
    try:
        text = json.dumps(schema, sort_keys=True)
    except (TypeError, ValueError) as error:
        raise SchemaError(f"a schema must be plain JSON data: {error}") from None
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
