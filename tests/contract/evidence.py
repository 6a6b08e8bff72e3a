"""What each check has really done for each operation: the table of operations is made from this, and from nothing else.

`evidence.json` holds, for each check, the operations that it has exercised and how. The checks compare it with what
they have just done, and fail where it says anything else; so the table cannot name a check that does not run. After a
change, `WRITE_EVIDENCE=1` makes the checks write what they did; `make reference` then renders it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parent / "evidence.json"


def held() -> dict[str, dict[str, Any]]:
    """By check, by operation, what was seen."""
    found: dict[str, dict[str, Any]] = json.loads(FILE.read_text()) if FILE.exists() else {}
    return found


def check(name: str, done: Mapping[str, Any]) -> None:
    """Fail unless the file says of this check what it has done; with `WRITE_EVIDENCE=1`, write that."""
    found = held()
    wanted = dict(sorted(done.items()))
    if os.environ.get("WRITE_EVIDENCE") == "1" and found.get(name) != wanted:
        found[name] = wanted
        FILE.write_text(json.dumps(dict(sorted(found.items())), indent=1) + "\n")
        return
    assert found.get(name) == wanted, (
        f"{FILE.name} says otherwise: run this test with WRITE_EVIDENCE=1, then `make reference`"
    )
