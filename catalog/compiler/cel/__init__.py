"""CEL, the expression language of templates, rules and conditions.

``Environment(variables).compile(text).evaluate_native(bindings)`` is all that most callers need. The stages, in the
order in which a text passes them: ``lexer``, ``parser`` (with ``macros``), ``checker``, then ``generator`` and
``evaluator``. ``library`` holds the functions, ``values`` says how CEL's values look in Python.
"""

from catalog.compiler.cel.environment import Environment, Program
from catalog.compiler.cel.errors import CelCompileError, CelError, CelEvaluationError
from catalog.compiler.cel.native import to_native
from catalog.compiler.cel.values import OMIT, from_json

__all__ = [
    "OMIT",
    "CelCompileError",
    "CelError",
    "CelEvaluationError",
    "Environment",
    "Program",
    "from_json",
    "to_native",
]
