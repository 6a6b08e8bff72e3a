"""Trees of Git as values: read what is at a path, and make the tree that differs in one path only.

Nothing here moves a branch; a tree that no commit names is harmless.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pygit2

from catalog.delivery.plane import PlaneError

FILE, DIRECTORY = pygit2.enums.FileMode.BLOB, pygit2.enums.FileMode.TREE


def subtree(root: pygit2.Tree | None, steps: Sequence[str]) -> pygit2.Tree | None:
    """The directory at a path, or None. Raises `PlaneError` if a file is in the way."""
    found = root
    for step in steps:
        if found is None or step not in found:
            return None
        child = found[step]
        if not isinstance(child, pygit2.Tree):
            raise PlaneError(f"{'/'.join(steps)}: {step!r} is a file in the branch; move it away for the directory")
        found = child
    return found


def with_subtree(
    repository: pygit2.Repository, root: pygit2.Tree | None, steps: Sequence[str], new: pygit2.Oid | None
) -> pygit2.Oid | None:
    """The root's tree with `new` at a path; None removes it. Directories left empty go too, None if all is empty."""
    if not steps:
        return new
    held = None if root is None or steps[0] not in root else root[steps[0]]
    child = with_subtree(repository, held if isinstance(held, pygit2.Tree) else None, steps[1:], new)
    return with_entries(repository, root, {steps[0]: (child, DIRECTORY)})


def with_entries(
    repository: pygit2.Repository,
    held: pygit2.Tree | None,
    entries: Mapping[str, tuple[pygit2.Oid | None, pygit2.enums.FileMode]],
) -> pygit2.Oid | None:
    """The directory with these entries set, and those of None removed; None if nothing is left."""
    builder = repository.TreeBuilder() if held is None else repository.TreeBuilder(held)
    for name, (oid, mode) in entries.items():
        if oid is not None:
            builder.insert(name, oid, mode)
        elif builder.get(name) is not None:
            builder.remove(name)
    return builder.write() if len(builder) else None
