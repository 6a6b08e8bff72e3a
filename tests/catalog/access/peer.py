"""How one of OpenChoreo's decision tables is asked over its endpoint; its places are fixtures."""

from __future__ import annotations

from typing import Any

from tests.catalog.api.conftest import ApiClient

EVALUATES = "/api/v1/authz/evaluates"
Row = tuple[str, str, str]
"""Claims ("groups:a groups:b"), action, and the place as `namespace/project/component`."""


def question(row: Row, kind: str = "user", **attributes: str) -> dict[str, Any]:
    who, action, path = row
    claims = [claim.split(":", 1) for claim in who.split()]
    hierarchy = dict(zip(("namespace", "project", "component"), path.split("/") if path else [], strict=False))
    asked: dict[str, Any] = {
        "subject_context": {
            "type": kind,
            "entitlement_claim": claims[0][0],
            "entitlement_values": [value for _, value in claims],
        },
        "resource": {"type": "component", "hierarchy": hierarchy},
        "action": action,
    }
    if attributes:
        asked["context"] = {"resource": attributes}
    return asked


def held_to(asker: ApiClient, table: dict[Row, bool]) -> None:
    """Ask all rows at once. Raises `AssertionError` with those that are answered otherwise."""
    reply = asker.post(EVALUATES, [question(row) for row in table])
    assert reply.status_code == 200, reply.content
    said = {row: item["decision"] for row, item in zip(table, reply.json(), strict=True)}
    assert {row: found for row, found in said.items() if found is not table[row]} == {}
