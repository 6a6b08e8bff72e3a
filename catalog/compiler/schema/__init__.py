"""Schemas of parameters and of the kinds' specs: references, defaults, validation, pruning.

Two users. Type and trait parameters have schemas written by platform engineers: ``compile_schema(schema)``, then
``default`` and ``validate``. The kinds have schemas of ours: ``prune``, ``drop_nulls``, ``default``, ``field_errors``,
in the order in which the Kubernetes API server does them. The rules are the API server's for custom resources, since
the contract's reference runs its code.
"""

from catalog.compiler.schema.compiled import CompiledSchema, compile_schema
from catalog.compiler.schema.field_errors import FieldError
from catalog.compiler.schema.refs import resolve_refs

__all__ = ["CompiledSchema", "FieldError", "compile_schema", "resolve_refs"]
