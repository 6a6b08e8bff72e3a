"""`manage.py undeploy`: a component's objects leave an environment's plane; its binding stays."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from catalog import store
from catalog.manifests.command_line import ManifestCommand, add_namespace, as_one_operation
from catalog.manifests.explaining import NotExplained, binding_of
from catalog.releases.running import redeploy, undeploy


class Command(ManifestCommand):
    help = "Take a component off an environment's plane, or bring it back: undeploy web --in staging [--undo]."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("component")
        add_namespace(parser)
        parser.add_argument("--in", dest="environment", required=True, metavar="ENVIRONMENT")
        parser.add_argument("--undo", action="store_true", help="deploy it again")

    def run(self, **options: Any) -> int:
        namespace, component = options["namespace"], options["component"]
        try:
            binding = binding_of(namespace, component, options["environment"])
            change = redeploy if options["undo"] else undeploy
            with as_one_operation(f"component:{change.__name__}", namespace, component) as actor:
                outcome = change(binding, actor)
        except (store.StoreError, NotExplained) as error:
            self.end(str(error), 1)
        what = "is deployed again" if options["undo"] else "is being taken off"
        already = " already" if outcome.action == "unchanged" else ""
        self.stdout.write(f"{component} {what}{already}: {options['environment']}")
        return 0
