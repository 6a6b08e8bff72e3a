"""Where each value of a rendered component comes from.

    objects = explain_component(render_input)      the objects of ``component.render``, each with its leaves' origins
    inputs_of(origin, render_input)                the values that went into an expression, each with its own origin
    find_fault(render_input)                       the place of the template, rule or value that makes a render fail

Explaining is a walk of its own over the same plans, templates and patches as the render. The render knows nothing of
it and pays nothing for it. What is explained is checked against what the render gives, so an explanation never tells of
something else.
"""

from catalog.compiler.explain.fault import find_fault
from catalog.compiler.explain.inputs import Input, inputs_of
from catalog.compiler.explain.objects import ExplainedObject, explain_component
from catalog.compiler.explain.origin import FieldPath, Origin, Place, Step
from catalog.compiler.explain.traced import path_text

__all__ = [
    "ExplainedObject", "FieldPath", "Input", "Origin", "Place", "Step", "explain_component", "find_fault", "inputs_of",
    "path_text",
]  # fmt: skip
