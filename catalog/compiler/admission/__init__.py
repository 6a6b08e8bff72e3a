"""Admission of what platform engineers write: is it right before it is stored, not only when it is rendered?

One module for each kind with such rules, and one for each thing they share: ``schemas``, ``expressions`` (with the
types of ``variables``), ``template_structure``. All take a spec that has passed the kind's schema and return every
error at once, each with the path of its field. The rules and words are the contract's webhooks'; the rules that its
schemas declare are those of ``catalog.kinds``, which calls these functions.
"""

from catalog.compiler.admission.component import component_errors
from catalog.compiler.admission.component_release import component_release_errors
from catalog.compiler.admission.component_type import component_type_errors
from catalog.compiler.admission.resource_release import resource_release_errors
from catalog.compiler.admission.resource_type import resource_type_errors
from catalog.compiler.admission.trait import trait_errors
from catalog.compiler.admission.workflow import workflow_errors

__all__ = [
    "component_errors",
    "component_release_errors",
    "component_type_errors",
    "resource_release_errors",
    "resource_type_errors",
    "trait_errors",
    "workflow_errors",
]
