"""`manage.py restart`: the pods of a component in an environment are replaced."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from catalog import store
from catalog.manifests.command_line import ManifestCommand, add_namespace, as_one_operation
from catalog.manifests.explaining import NotExplained, binding_of
from catalog.releases.running import NotRunning, restart


class Command(ManifestCommand):
    help = "Replace the pods of a component in an environment: restart web --in staging."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("component")
        add_namespace(parser)
        parser.add_argument("--in", dest="environment", required=True, metavar="ENVIRONMENT")

    def run(self, **options: Any) -> int:
        namespace, component = options["namespace"], options["component"]
        try:
            binding = binding_of(namespace, component, options["environment"])
            with as_one_operation("component:restart", namespace, component) as actor:
                restart(binding, actor)
        except (store.StoreError, NotExplained, NotRunning) as error:
            self.end(str(error), 1)
        self.stdout.write(f"{component}: pods in {options['environment']} are being replaced")
        return 0
