"""Pages of the admin that are no lists of one model: each has a place on the front page and a guard of its own.

site.add_page(Page("People and access", "Grants nobody uses", "access/unused/", "unused_grants", view, may_open))
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

View = Callable[..., HttpResponseBase]


@dataclass(frozen=True)
class Page:
    """`route` is below `/admin/`; `name` is that of its URL, `admin:<name>`. One that is not `listed` is linked from
    others only."""

    section: str
    title: str
    route: str
    name: str
    view: View
    may: Callable[[HttpRequest], bool]
    listed: bool = True

    def guarded(self, request: HttpRequest, **parts: Any) -> HttpResponseBase:
        """The view, for whoever may open it: 403 for others who are signed in."""
        if not self.may(request):
            raise PermissionDenied
        return self.view(request, **parts)
