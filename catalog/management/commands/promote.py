"""`manage.py promote`: what runs in one environment shall run in the next."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from catalog import store
from catalog.kinds.component import Component
from catalog.manifests.command_line import ManifestCommand, add_namespace, as_one_operation
from catalog.releases.promote import PromotionRefused, promote


class Command(ManifestCommand):
    help = "Promote a component along its pipeline: promote web --to staging."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("component")
        add_namespace(parser)
        parser.add_argument("--to", required=True, metavar="ENVIRONMENT", help="environment to promote to")
        parser.add_argument("--from", dest="source", metavar="ENVIRONMENT", help="if several paths lead there")

    def run(self, **options: Any) -> int:
        try:
            with as_one_operation("component:promote", options["namespace"], options["component"]) as actor:
                component: Any = store.get("Component", options["namespace"], options["component"])
                done = promote(component, options["to"], actor, options["source"])
        except (store.StoreError, PromotionRefused) as error:
            self.end(str(error), 1)
        assert isinstance(component, Component)  # noqa: S101 - what `get` of that kind returns
        what = "already runs" if done.action == "unchanged" else "promoted to run"
        self.stdout.write(f"{component.name}: {done.release_name} of {done.source} {what} in {options['to']}")
        return 0
