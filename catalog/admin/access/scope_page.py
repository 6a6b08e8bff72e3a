"""The Access tab: who has what at a place and from the places around it, and giving and taking by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.dateparse import parse_datetime

from catalog.access import grant_rows, hand_grants
from catalog.access.effects import Effects, Holder, effects_of
from catalog.access.grant_listing import Grant, Scope, Wanted, grants_query, read
from catalog.access.hand_grants import Asked, BadGrant
from catalog.access.models import GRANTS
from catalog.access.scopes import places_around, scopes_around
from catalog.admin.acting import access_of, actor_of
from catalog.admin.object_page import change_url
from catalog.kinds.registry import BY_KIND
from portal.access.engine import Access
from portal.access.guard import Forbidden
from portal.access.place import Place
from portal.accounts.models import User

ROWS = 50
HOLDERS_MAX = 500
"""Holders whose names contain what was searched for: as many are looked for."""


@dataclass(frozen=True)
class Line:
    """A grant with its links."""

    grant: Grant
    is_here: bool
    scope_url: str
    holder_url: str
    bindings: list[tuple[str, str]]
    """Label and page of each binding behind it."""
    can_take: bool

    @property
    def until(self) -> str:
        """The end of the part that was given by hand, as a field takes it."""
        ends = self.grant.hand_expires_at
        return "" if ends is None else ends.astimezone(UTC).strftime("%Y-%m-%dT%H:%M")


@dataclass
class GiveForm:
    """What was filled in, and what is wrong with it."""

    values: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    effects: Effects | None = None

    def ask(self, place: Place) -> Asked | None:
        """The grant that is asked for, None if it cannot be given; then `errors` say why."""
        given = self.values
        try:
            is_role = given.get("gives") != "action"
            is_user = given.get("holder_kind") != "group"
            return hand_grants.ask(
                place,
                user=given.get("holder", "") if is_user else "",
                group="" if is_user else given.get("holder", ""),
                role=given.get("role", "") if is_role else "",
                action="" if is_role else given.get("action", ""),
                expires_at=moment_of(given.get("expires_at", "")),
            )
        except BadGrant as error:
            self.errors[{"user": "holder", "group": "holder"}.get(error.field, error.field)] = str(error)
            return None


def moment_of(text: str) -> datetime | None:
    """A moment from a field of the browser, which is in UTC. Raises `BadGrant`."""
    if not text.strip():
        return None
    try:
        found = parse_datetime(text.strip())
    except ValueError:
        found = None
    if found is None:
        raise BadGrant("expires_at", f"{text!r} is not a time such as 2030-01-31T12:00")
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def cluster_page(request: HttpRequest) -> HttpResponse:
    """Who has what everywhere."""
    return show(request, Place(), "Everywhere", reverse("admin:access_cluster"))


def may_open_cluster(request: HttpRequest) -> bool:
    return hand_grants.may(access_of(request), "view", Place())


def object_page(request: HttpRequest, obj: Any, access_url: str, context: dict[str, Any]) -> HttpResponse:
    """Who has what on one namespace, project, component or resource."""
    place = grant_rows.place_of_scope(obj)
    if not hand_grants.may(access_of(request), "view", place):
        raise PermissionDenied
    return show(request, place, f"{obj.kind} {obj}", access_url, context)


def show(
    request: HttpRequest, place: Place, title: str, url: str, context: dict[str, Any] | None = None
) -> HttpResponse:
    """The page, and what its forms ask for."""
    access = access_of(request)
    if access is None:
        raise PermissionDenied
    form = GiveForm()
    if request.method == "POST":
        reply = post(request, access, place, form)
        if reply is not None:
            return HttpResponseRedirect(url)
    from_above = request.GET.get("above", "1") == "1"
    query = grants_query(wanted_of(access, place, request.GET.get("q", ""), from_above=from_above))
    page = Paginator(query, ROWS).get_page(request.GET.get("p"))
    can_give = hand_grants.may(access, "create", place)
    shown = {
        **admin.site.each_context(request),
        **(context or {}),
        "title": f"Access: {title}",
        "place": place,
        "what": title,
        "page": page,
        "lines": lines_of(access, place, read(page.object_list)),
        "search": request.GET.get("q", ""),
        "page_query": "?" + urlencode({"q": request.GET.get("q", ""), "above": "1" if from_above else "0"}) + "&",
        "from_above": from_above,
        "hidden": [outer for outer in places_around(place) if not hand_grants.may(access, "view", outer)],
        "can_give": can_give,
        "form": form,
        "roles": hand_grants.roles_for(place) if can_give else [],
        "actions": hand_grants.actions_for(place) if can_give else [],
    }
    return TemplateResponse(request, "admin/access/scope.html", shown)


def post(request: HttpRequest, access: Access, place: Place, form: GiveForm) -> str | None:
    """Do what a form asks for. Returns a word if it is done, None if the page is to be shown with what came of it."""
    step = request.POST.get("do", "")
    try:
        if step in ("give", "preview"):
            form.values = {name: value for name, value in request.POST.items() if isinstance(value, str)}
            return give(request, access, place, form, is_preview=step == "preview")
        row = hand_grants.row_of(request.POST.get("grant", ""))
        if row is None or grant_rows.place_of_scope(row.content_object) != place:
            raise Http404("there is no such grant by hand here")
        who = grant_rows.holder_name(row)
        if step == "take":
            ended = hand_grants.take(access, actor_of(request), row)
            left = "" if ended else " Bindings still give it."
            messages.success(request, f"What was given by hand to {who} was taken back.{left}")
        elif step == "end":
            changed = hand_grants.change_end(access, actor_of(request), row, moment_of(request.POST.get("until", "")))
            ends = changed.hand_expires_at
            messages.success(
                request, f"The grant of {who} {f'ends {ends:%Y-%m-%d %H:%M} UTC' if ends else 'has no end'}."
            )
        return step
    except Forbidden as error:
        messages.error(request, f"Not permitted: {error}.")
        return None
    except BadGrant as error:
        messages.error(request, f"Nothing was changed: {error}.")
        return None


def give(request: HttpRequest, access: Access, place: Place, form: GiveForm, *, is_preview: bool) -> str | None:
    """Give what the form says, or show what that would do."""
    if not hand_grants.may(access, "create", place):
        raise PermissionDenied
    asked = form.ask(place)
    if asked is None:
        messages.error(request, "Nothing was given: correct what is marked.")
        return None
    if is_preview:
        hand_grants.forbid(access, place, asked.holder, asked.patterns, hand_grants.binding_action(place, "create")[0])
        form.effects = effects_of_hand(asked)
        return None
    hand_grants.give(access, actor_of(request), asked)
    messages.success(request, f"Given to {hand_grants.holder_label(asked.holder)}.")
    return "give"


def effects_of_hand(asked: Asked) -> Effects:
    """What a grant by hand would do."""
    is_user = isinstance(asked.holder, User)
    holder = Holder(user_id=asked.holder.pk) if is_user else Holder(group=str(asked.holder.name))  # type: ignore[union-attr]

    def change() -> None:
        who = asked.holder
        if who.pk is None:
            who, _ = Group.objects.get_or_create(name=hand_grants.holder_label(who))
        model = GRANTS[asked.place.level][0 if is_user else 1]
        grant_rows.give(model, asked.permission, who, asked.scope, expires_at=asked.expires_at)

    return effects_of(change, [holder])


def wanted_of(access: Access, place: Place, search: str, *, from_above: bool) -> Wanted:
    """The grants at a place, and those around it that the viewer may see too."""
    around = scopes_around(place)
    levels = {outer.level for outer in places_around(place) if hand_grants.may(access, "view", outer)}
    chosen = around if from_above else around[-1:]
    scopes = tuple(Scope(level, (key,)) for level, key in chosen if level in levels)
    if not search:
        return Wanted(scopes)
    users = User.objects.filter(Q(username__icontains=search) | Q(email__icontains=search))
    groups = Group.objects.filter(name__icontains=search)
    keys = [tuple(rows.values_list("pk", flat=True)[:HOLDERS_MAX]) for rows in (users, groups)]
    return Wanted(scopes, keys[0], keys[1])


def lines_of(access: Access, place: Place, grants: list[Grant]) -> list[Line]:
    """Grants with their links: one query for each kind of binding, and one for people."""
    bindings, people = binding_urls(access, grants), people_named(grants)
    taking = {outer: hand_grants.may(access, "delete", outer) for outer in {grant.place for grant in grants}}
    return [
        Line(
            grant,
            is_here=grant.place == place,
            scope_url=scope_url(grant),
            holder_url=holder_url(grant, people),
            bindings=[
                (f"{one.kind} {one.label}", bindings.get((one.kind, one.namespace, one.name), ""))
                for one in grant.bindings
            ],
            can_take=grant.is_manual and taking[grant.place] and grant.place == place,
        )
        for grant in grants
    ]


def people_named(grants: list[Grant]) -> dict[str, int]:
    """The users whom groups of one stand for, by the group's name. One query."""
    names = [grant.holder.removeprefix("sub:") for grant in grants if grant.holder.startswith("sub:")]
    found = User.objects.filter(username__in=names).values_list("username", "pk") if names else ()
    return {f"sub:{name}": key for name, key in found}


def holder_url(grant: Grant, people: dict[str, int]) -> str:
    """The page of the person who holds a grant, "" for a group of many."""
    key = grant.holder_id if grant.holder_kind == "user" else people.get(grant.holder)
    return "" if key is None else reverse("admin:access_person", args=[key])


def binding_urls(access: Access, grants: list[Grant]) -> dict[tuple[str, str, str], str]:
    """The pages of the bindings behind grants, as far as the viewer may see them."""
    names: dict[str, set[str]] = {}
    for grant in grants:
        for one in grant.bindings:
            names.setdefault(one.kind, set()).add(one.name)
    found = {}
    for kind, wanted in names.items():
        model = BY_KIND[kind]
        namespaced = ["namespace_id"] if model.namespaced else []
        rows = access.visible(model._default_manager.filter(name__in=wanted))
        for key, name, *where in rows.values_list("pk", "name", *namespaced):
            found[kind, where[0] if where else "", name] = change_url(kind, key)
    return found


def scope_url(grant: Grant) -> str:
    """The Access tab of a grant's place."""
    if grant.level == "cluster":
        return reverse("admin:access_cluster")
    return reverse(f"admin:catalog_{grant.level}_access", args=[grant.scope])
