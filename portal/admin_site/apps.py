"""Makes the admin use our site object."""

from __future__ import annotations

from django.contrib.admin.apps import AdminConfig


class StagecraftAdminConfig(AdminConfig):
    default_site = "portal.admin_site.site.StagecraftAdminSite"
