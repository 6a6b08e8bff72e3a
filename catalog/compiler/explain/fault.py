"""The place of what makes a render fail: the field of a type, trait or release that its author has to look at.

Called by those who show errors of a render with file and line.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalog.compiler.component.input import read_input
from catalog.compiler.component.plan import plan_component
from catalog.compiler.documents import spec_of
from catalog.compiler.errors import CompilerError
from catalog.compiler.explain.objects import walk_component
from catalog.compiler.explain.origin import Place
from catalog.compiler.explain.walk import Fault


def find_fault(render_input: Mapping[str, Any]) -> Place | None:
    """Return the place of the first text that cannot be rendered, ``None`` when no single text is to blame.

    That is so for broken rules and incomplete input: their messages say what is wrong.
    """
    try:
        given = read_input(render_input)
        walk_component(given, plan_component(spec_of(given.component_type), given.traits))
    except Fault as fault:
        return fault.place
    except CompilerError:
        return None
    return None
