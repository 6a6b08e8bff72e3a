"""The workflows application: brings the controller of workflow runs."""

from django.apps import AppConfig


class WorkflowsConfig(AppConfig):
    name = "workflows"
    verbose_name = "Workflows"

    def ready(self) -> None:
        from catalog.controllers.registry import add_module

        add_module("workflows.runs.controller")
