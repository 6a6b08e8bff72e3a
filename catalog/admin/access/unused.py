"""Grants that nobody has used for a while: to be looked at, ended in one step, or taken along as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from catalog.access import hand_grants
from catalog.access.grant_listing import Grant, Scope, Wanted, grant_of, grants_query, read
from catalog.access.revoking import revoke
from catalog.admin.access.scope_page import lines_of
from catalog.admin.acting import access_of, actor_of
from catalog.manifests.outcomes import REFUSALS
from portal.access.actions import LEVELS
from portal.access.engine import Access
from portal.access.guard import Forbidden
from portal.access.place import Place

ROWS = 50
DAYS = 90
DAYS_MAX = 3650
CSV_ROWS = 100_000
CSV_BATCH = 500
HEADINGS = (
    "holder",
    "kind",
    "gives",
    "scope",
    "origin",
    "bindings",
    "given",
    "ends",
    "last used",
    "last used to change",
)


def may_open(request: HttpRequest) -> bool:
    """Who sees grants everywhere sees this list."""
    return hand_grants.may(access_of(request), "view", Place())


def page(request: HttpRequest) -> HttpResponse:
    """The list; POST ends one grant."""
    access = access_of(request)
    if access is None:
        raise PermissionDenied
    days = days_of(request.GET.get("days", ""))
    if request.method == "POST":
        end(request, access, days)
        return HttpResponseRedirect(f"{reverse('admin:access_unused')}?days={days}")
    found = Paginator(grants_query(wanted(days)), ROWS).get_page(request.GET.get("p"))
    grants = read(found.object_list)
    context = {
        **admin.site.each_context(request),
        "title": "Grants nobody uses",
        "page": found,
        "days": days,
        "lines": [(line, may_end(access, line.grant)) for line in lines_of(access, Place("-"), grants)],
        "page_query": f"?days={days}&",
        "csv_url": f"{reverse('admin:access_unused_csv')}?days={days}",
    }
    return TemplateResponse(request, "admin/access/unused.html", context)


def wanted(days: int) -> Wanted:
    """What was given more than so many days ago and has not been used since."""
    return Wanted(tuple(Scope(level) for level in LEVELS), unused_since=timezone.now() - timedelta(days=days))


def days_of(text: str) -> int:
    return min(int(text), DAYS_MAX) if text.isdecimal() and len(text) < 6 else DAYS


def may_end(access: Access, grant: Grant) -> bool:
    """Whether to offer it; whether it may be done is asked when it is done."""
    return hand_grants.may(access, "delete", grant.place)


def end(request: HttpRequest, access: Access, days: int) -> None:
    """End the grant that the form names."""
    grant = grant_of(request.POST.get("grant", ""))
    if grant is None:
        raise Http404("there is no such grant any more")
    try:
        done = revoke(access, actor_of(request), grant, reason=f"not used for {days} days")
    except Forbidden as error:
        messages.error(request, f"Not permitted: {error}.")
    except REFUSALS as error:
        messages.error(request, f"Nothing was changed: {error}.")
    else:
        messages.success(
            request, f"{grant.holder} has lost {grant.what} at {grant.place.path}: {', '.join(done.steps)}."
        )


def export(request: HttpRequest) -> StreamingHttpResponse:
    """The list as CSV, the first hundred thousand rows."""
    days = days_of(request.GET.get("days", ""))
    writer = csv.writer(Echo())

    def lines() -> Iterator[str]:
        yield writer.writerow(HEADINGS)
        query = grants_query(wanted(days))
        for start in range(0, CSV_ROWS, CSV_BATCH):
            grants = read(query[start : start + CSV_BATCH])
            for grant in grants:
                yield writer.writerow([plain(value) for value in row_of(grant)])
            if len(grants) < CSV_BATCH:
                return

    headers = {"Content-Disposition": f'attachment; filename="grants-unused-{days}-days.csv"'}
    return StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8", headers=headers)


class Echo:
    """What a CSV writer writes to: gives each line back."""

    def write(self, value: str) -> str:
        return value


def row_of(grant: Grant) -> tuple[Any, ...]:
    """A grant in the order of `HEADINGS`."""
    moments = (grant.granted_at, grant.expires_at, grant.used_at, grant.changed_at)
    return (
        grant.holder,
        grant.holder_kind,
        grant.what,
        grant.place.path,
        grant.origin,
        "; ".join(f"{one.kind} {one.label}" for one in grant.bindings),
        *("" if moment is None else moment.isoformat(timespec="seconds") for moment in moments),
    )


def plain(value: Any) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
