"""What of a type its tests have reached: every leaf of its templates, both outcomes of every decision.

    coverage = Coverage("ClusterComponentType", spec)
    with coverage.recording():
        render(...coverage.spec...)          any number of renders, of any pipeline
    coverage.missed()                        what no render has reached

Called by the tests of types.
"""

from catalog.compiler.coverage.record import Coverage, Item
from catalog.compiler.coverage.sites import Site, sites_of

__all__ = ["Coverage", "Item", "Site", "sites_of"]
