"""The three-way merge behind `apply`: what kubectl does for custom resources.

What the last applied document had and the new one has not is removed; what the new one has is set; what others have
set meanwhile (a pin that a controller filled in) stays. Objects merge key by key, lists are replaced whole.
"""

from __future__ import annotations

from typing import Any


def three_way(last: dict[str, Any], new: dict[str, Any], live: dict[str, Any]) -> dict[str, Any]:
    """Merge `new` into `live`, given what was applied last. None of the inputs is changed."""
    merged = {key: value for key, value in live.items() if key in new or key not in last}
    for key, value in new.items():
        held = live.get(key)
        if isinstance(value, dict) and isinstance(held, dict):
            base = last.get(key)
            merged[key] = three_way(base if isinstance(base, dict) else {}, value, held)
        elif value is None:
            # As in a JSON merge patch: an explicit null clears the field.
            merged.pop(key, None)
        else:
            merged[key] = value
    return merged
