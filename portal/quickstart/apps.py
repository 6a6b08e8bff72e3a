"""The quickstart application: holds the `quickstart` command."""

from django.apps import AppConfig


class QuickstartConfig(AppConfig):
    name = "portal.quickstart"
    label = "quickstart"
