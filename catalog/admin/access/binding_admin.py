"""Bindings in the admin: what became of each mapping, when the binding ends, and what a change of it would do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest

from catalog import store
from catalog.access.compile import expiry_of, scope_of
from catalog.access.document_effects import known_members
from catalog.access.models import CompiledMapping, GrantUse
from catalog.admin.access.previewing import PreviewedAdmin
from catalog.compiler import yaml
from catalog.kinds.authz_role_binding import EXPIRES
from catalog.kinds.base import PlatformObject
from catalog.manifests.applying import as_manifest

STATES = {
    "granted": ("good", "in force"),
    "exception": ("good", "in force"),
    "waiting": ("unknown", "waits: role or place does not exist"),
    "ended": ("bad", "ended: the place it was for is gone"),
}
WHY = "what became of a binding, for who may see it"


@dataclass(frozen=True)
class Mapping:
    """One entry of `roleMappings`: the role, where, and whether it is in force."""

    role: str
    path: str
    conditions: list[str]
    style: str
    state: str
    used_at: datetime | None


class BindingAdmin(PreviewedAdmin):
    """AuthzRoleBinding and ClusterAuthzRoleBinding."""

    page_template = "admin/access/binding.html"

    def posted_text(self, request: HttpRequest, held: PlatformObject | None) -> str:
        """The YAML, or the binding as it is with another end."""
        if held is None or request.POST.get("do") != "end":
            return super().posted_text(request, held)
        document = as_manifest(store.to_document(held, with_status=False))
        metadata = dict(document["metadata"])
        annotations = dict(metadata.get("annotations") or {})
        until = request.POST.get("until", "").strip()
        if until:
            # What is no time is refused by the document's own rules, with the place.
            annotations[EXPIRES] = f"{until}:00Z" if len(until) == len("2030-01-31T12:00") else until
        else:
            annotations.pop(EXPIRES, None)
        metadata["annotations"] = annotations
        if not annotations:
            metadata.pop("annotations")
        return yaml.dump({**document, "metadata": metadata})

    def more_of(self, request: HttpRequest, held: PlatformObject | None, text: str | None) -> dict[str, Any]:
        shown = super().more_of(request, held, text)
        if held is None:
            return shown
        ends = expiry_of(held)
        return shown | {
            "mappings": mappings_of(held),
            "members": known_members(held.spec),
            "entitlement": "{claim}:{value}".format(**held.spec["entitlement"]),
            "denies": held.spec.get("effect") == "deny",
            "ends": ends,
            "until": "" if ends is None else ends.astimezone(UTC).strftime("%Y-%m-%dT%H:%M"),
            "is_expired": ends is not None and ends <= datetime.now(UTC),
        }


def mappings_of(binding: PlatformObject) -> list[Mapping]:
    """The entries of a binding with what became of them. Two queries."""
    compiled = {row.position: row for row in CompiledMapping.objects.system(WHY).filter(binding_uid=binding.uid)}
    keys = [(("exception" if row.state == "exception" else "group"), row.level, row.grant_row)
            for row in compiled.values()]  # fmt: skip
    uses = {
        (use.table, use.level, use.row): use.used_at
        for use in GrantUse.objects.filter(row__in=[key[2] for key in keys if key[2] is not None])
    }
    found = []
    for position, entry in enumerate(binding.spec.get("roleMappings") or ()):
        row = compiled.get(position)
        style, state = STATES[row.state] if row else ("unknown", "not compiled")
        key = None if row is None else ("exception" if row.state == "exception" else "group", row.level, row.grant_row)
        found.append(
            Mapping(
                role=f"{entry['roleRef']['kind']} {entry['roleRef']['name']}",
                path=scope_of(binding, entry).path,
                conditions=[
                    f"{', '.join(item['actions'])} if {item['expression']}" for item in entry.get("conditions") or ()
                ],
                style=style,
                state=state,
                used_at=None if key is None or key[2] is None else uses.get((key[0], key[1], int(key[2]))),
            )
        )
    return found
