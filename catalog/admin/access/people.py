"""One page for each person, service account and agent: what they can do, what they did, what they sign in with."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from catalog.access.as_of import rights_at
from catalog.access.grant_listing import Wanted, grants_query, read
from catalog.access.rights import rights_of
from catalog.admin.access.scope_page import lines_of
from catalog.admin.acting import access_of
from portal.access.asking import moment_of
from portal.access.engine import Access
from portal.access.place import Place
from portal.access.subject import subject_of
from portal.accounts.models import AccessToken, User
from portal.audit.reading import visible_to
from portal.wire.responses import Unreadable

IMPERSONATE = "authz:impersonate-evaluate"
PEOPLE_PER_PAGE = 50
GRANTS_PER_PAGE = 50
EVENTS_PER_PAGE = 25
TOKENS_MAX = 50
GROUPS_MAX = 200


def may_look(request: HttpRequest) -> bool:
    """Whether somebody may ask what others may do."""
    access = access_of(request)
    return access is not None and access.allows(IMPERSONATE, Place())


def may_open(request: HttpRequest) -> bool:
    """Whoever has business in the admin may open their own page; the view itself looks whose it is."""
    return access_of(request) is not None


def list_page(request: HttpRequest) -> HttpResponse:
    """Everybody, by name; a search and a filter by what they are."""
    search, kind = request.GET.get("q", "").strip(), request.GET.get("kind", "")
    users = User.objects.order_by("username")
    if search:
        users = users.filter(Q(username__icontains=search) | Q(email__icontains=search))
    if kind in User.PrincipalKind.values:
        users = users.filter(principal_kind=kind)
    context = {
        **admin.site.each_context(request),
        "title": "People, service accounts and agents",
        "page": Paginator(users, PEOPLE_PER_PAGE).get_page(request.GET.get("p")),
        "search": search,
        "kind": kind,
        "kinds": User.PrincipalKind.choices,
        "page_query": f"?{urlencode({'q': search, 'kind': kind})}&",
    }
    return TemplateResponse(request, "admin/access/people.html", context)


def person_page(request: HttpRequest, key: int) -> HttpResponse:
    """Everything about one of them, as far as the viewer may know it."""
    viewer, access = request.user, access_of(request)
    if access is None or not isinstance(viewer, User) or not (viewer.pk == key or may_look(request)):
        raise PermissionDenied
    user = User.objects.filter(pk=key).first()
    if user is None:
        raise Http404("there is no such user")
    on, mistake = asked_moment(request.GET.get("on", ""))
    shown = past_rights(user, on) if on else rights_now(user)
    context = {
        **admin.site.each_context(request),
        **shown,
        **grants_of(user, access, request.GET.get("p")),
        "title": user.get_username(),
        "person": user,
        "on": request.GET.get("on", ""),
        "mistake": mistake,
        "facts": facts_of(user),
        "events": Paginator(events_of(user, access), EVENTS_PER_PAGE).get_page(request.GET.get("e")),
        "represents": represented_by(user, access),
        "tokens": tokens_of(user) if viewer.is_superuser or viewer.pk == user.pk else None,
        "change_url": reverse("admin:accounts_user_change", args=[user.pk]) if viewer.is_superuser else "",
        "page_query": "?",
        "is_own": viewer.pk == user.pk,
        "strict_deny": settings.STRICT_DENY,
    }
    return TemplateResponse(request, "admin/access/person.html", context)


def asked_moment(text: str) -> tuple[datetime | None, str]:
    """The moment of the page's form, or what is wrong with it."""
    if not text:
        return None, ""
    try:
        return moment_of(text), ""
    except Unreadable as error:
        return None, str(error)


def rights_now(user: User) -> dict[str, Any]:
    """What the user can do at this moment."""
    access = Access(subject_of(user))
    rights, is_more = rights_of(access.policy.rules, access.subject)
    return {"rights": rights, "rights_more": is_more, "groups": sorted(access.policy.groups)[:GROUPS_MAX],
            "notes": [], "breaks_glass": access.subject.breaks_glass}  # fmt: skip


def past_rights(user: User, moment: datetime) -> dict[str, Any]:
    """What the user could do then, and what is not known of that."""
    past = rights_at(user, moment)
    subject = past.access.subject
    rights, is_more = rights_of(past.access.policy.rules if subject.is_active else (), subject)
    return {"rights": rights, "rights_more": is_more, "groups": sorted(past.access.policy.groups)[:GROUPS_MAX],
            "notes": past.notes, "breaks_glass": subject.breaks_glass, "past": past.at}  # fmt: skip


def grants_of(user: User, access: Access, page: str | None) -> dict[str, Any]:
    """The grants behind it, a page of them, with their bindings, conditions, ends and uses."""
    groups = tuple(user.groups.values_list("pk", flat=True)[:GROUPS_MAX])
    named = tuple(group_keys(f"sub:{user.get_username()}"))
    query = grants_query(Wanted(users=(user.pk,), groups=tuple(dict.fromkeys((*groups, *named)))))
    found = Paginator(query, GRANTS_PER_PAGE).get_page(page)
    return {"page": found, "lines": lines_of(access, Place("-"), read(found.object_list))}


def group_keys(name: str) -> list[int]:
    from django.contrib.auth.models import Group

    return list(Group.objects.filter(name=name).values_list("pk", flat=True))


def events_of(user: User, viewer: Access) -> Any:
    """What the user did, and what was done on their behalf, of what the viewer may see."""
    name = user.get_username()
    return visible_to(viewer).filter(Q(actor=name) | Q(on_behalf_of=name)).order_by("-id")


def represented_by(user: User, viewer: Access) -> list[str]:
    """On whose behalf the user has acted lately, of what the viewer may see, and has tokens to act for."""
    events = visible_to(viewer).filter(actor=user.get_username()).exclude(on_behalf_of="").order_by("-id")
    names = set(events.values_list("on_behalf_of", flat=True)[:500])
    tokens = AccessToken.objects.filter(user=user, on_behalf_of__isnull=False)
    return sorted(names | set(tokens.values_list("on_behalf_of__username", flat=True)[:500]))[:20]


def tokens_of(user: User) -> list[AccessToken]:
    """The user's tokens, newest first; never their texts, which nobody has."""
    return list(
        AccessToken.objects.filter(user=user).select_related("on_behalf_of").order_by("-created_at")[:TOKENS_MAX]
    )


def facts_of(user: User) -> list[tuple[str, Any]]:
    """What the account is, one fact a line; what it has not is left out."""
    owned = ", ".join(user.owned.order_by("username").values_list("username", flat=True)[:20])
    facts: list[tuple[str, Any]] = [
        ("is", user.get_principal_kind_display().lower()),
        ("state", "active" if user.is_active else "disabled"),
        ("may act", "yes" if user.is_usable else "no"),
        ("owner", user.owner),
        ("answers for", owned),
        ("issuer", user.issuer),
        ("subject", user.subject),
        ("email", user.email),
        ("since", user.date_joined.strftime("%Y-%m-%d")),
        ("last sign-in", user.last_login.strftime("%Y-%m-%d %H:%M") if user.last_login else "never"),
    ]
    if user.expires_at is not None:
        ended = "ended" if user.expires_at <= timezone.now() else "ends"
        facts.append((ended, user.expires_at.strftime("%Y-%m-%d %H:%M")))
    if user.is_superuser:
        facts.append(("superuser", "may do everything without a grant"))
    return [(name, value) for name, value in facts if value]
