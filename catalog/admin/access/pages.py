"""The pages about access that stand on the front page, or are linked from others."""

from __future__ import annotations

from catalog.admin.access import people, scope_page, unused
from portal.admin_site.pages import Page

SECTION = "People and access"

PAGES = (
    Page(
        SECTION,
        "Access everywhere",
        "access/everywhere/",
        "access_cluster",
        scope_page.cluster_page,
        scope_page.may_open_cluster,
    ),
    Page(
        SECTION,
        "People, service accounts, agents",
        "access/people/",
        "access_people",
        people.list_page,
        people.may_look,
    ),
    Page(
        SECTION,
        "One person",
        "access/people/<int:key>/",
        "access_person",
        people.person_page,
        people.may_open,
        listed=False,
    ),
    Page(SECTION, "Grants nobody uses", "access/unused/", "access_unused", unused.page, unused.may_open),
    Page(SECTION, "As CSV", "access/unused/csv/", "access_unused_csv", unused.export, unused.may_open, listed=False),
)
