"""The workflows application: brings the controller of runs, their tools, and the index of what pushes build."""

from django.apps import AppConfig


class WorkflowsConfig(AppConfig):
    name = "workflows"
    verbose_name = "Workflows"

    def ready(self) -> None:
        from catalog.controllers.registry import add_module
        from catalog.store.changes import listen
        from portal.mcp.registry import TOOLS
        from workflows.webhooks import sources

        add_module("workflows.runs.controller")
        TOOLS.add_module("workflows.mcp")
        listen(sources.follow)
