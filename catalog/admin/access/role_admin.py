"""Roles in the admin: what one gives, in words and with its wildcards taken apart; changed by ticking, or as YAML."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from catalog import store
from catalog.access.role_contents import bindings_using, ticked, ticks_of, unknown_entries
from catalog.admin.access.previewing import PreviewedAdmin
from catalog.admin.acting import access_of
from catalog.admin.object_page import change_url
from catalog.compiler import yaml
from catalog.compiler.errors import YamlError
from catalog.kinds.base import PlatformObject
from catalog.manifests.applying import as_manifest

BINDINGS_SHOWN = 100


class RoleAdmin(PreviewedAdmin):
    """AuthzRole and ClusterAuthzRole."""

    page_template = "admin/access/role.html"

    def posted_text(self, request: HttpRequest, held: PlatformObject | None) -> str:
        """The YAML, or what the ticks make of the role as it is."""
        if held is None or request.POST.get("do") not in ("save-ticks", "preview-ticks"):
            return super().posted_text(request, held)
        document = as_manifest(store.to_document(held, with_status=False))
        spec = dict(document.get("spec") or {})
        spec["actions"] = ticked(spec.get("actions") or (), request.POST.getlist("action"))
        description = request.POST.get("description", "").strip()
        if description:
            spec["description"] = description
        else:
            spec.pop("description", None)
        return yaml.dump({**document, "spec": spec})

    def more_of(self, request: HttpRequest, held: PlatformObject | None, text: str | None) -> dict[str, Any]:
        shown = super().more_of(request, held, text)
        access = access_of(request)
        if held is None or access is None:
            return shown
        spec = held.spec
        if text is not None and isinstance(sent := spec_in(text), dict):
            spec = sent
        entries = [entry for entry in spec.get("actions") or () if isinstance(entry, str)]
        bindings, is_more = bindings_using(held, access, BINDINGS_SHOWN)
        return shown | {
            "levels": ticks_of(entries),
            "has_everything": "*" in entries,
            "unknown": unknown_entries(entries),
            "description": spec.get("description", ""),
            "bindings": [(binding, change_url(binding.kind, binding.pk), whom(binding)) for binding in bindings],
            "bindings_more": is_more,
        }


def spec_in(text: str) -> Any:
    """The spec of a manifest, None if it cannot be read."""
    try:
        document = yaml.load(text)
    except YamlError:
        return None
    return document.get("spec") if isinstance(document, dict) else None


def whom(binding: PlatformObject) -> str:
    """`denies groups:dev` or `gives groups:dev`."""
    entitlement = binding.spec.get("entitlement") or {}
    verb = "denies" if binding.spec.get("effect") == "deny" else "gives"
    return f"{verb} {entitlement.get('claim')}:{entitlement.get('value')}"
