"""`manage.py history`: who changed an object, when, on which surface, and what."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from catalog import store
from catalog.compiler import yaml
from catalog.kinds.registry import UnknownKind
from catalog.manifests.applying import as_manifest, unified_diff
from catalog.manifests.command_line import ManifestCommand, add_namespace
from catalog.manifests.kind_names import find_kind
from catalog.manifests.table import lay_out
from catalog.store.models import Revision


class Command(ManifestCommand):
    help = "Show an object's past: history workload web [--diff] [--status] [--as-of SEQUENCE]."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind")
        parser.add_argument("name")
        add_namespace(parser)
        parser.add_argument("--diff", action="store_true", help="with what each change changed")
        parser.add_argument("--status", action="store_true", help="also the changes of status")
        parser.add_argument("--as-of", type=int, metavar="SEQUENCE", help="the whole document as it was then")

    def run(self, **options: Any) -> int:
        try:
            model = find_kind(options["kind"])
        except UnknownKind as error:
            self.end(str(error), 1)
        namespace = options["namespace"] if model.namespaced else ""
        if options["as_of"] is not None:
            try:
                document = store.read_as_of(model.kind, namespace, options["name"], options["as_of"])
            except store.NotFound as error:
                self.end(f"{error} as of {options['as_of']}", 1)
            self.stdout.write(yaml.dump(document), ending="")
            return 0
        rows = list(store.history(model.kind, namespace, options["name"], with_status=options["status"]))
        if not rows:
            self.end(f"{model.kind} {options['name']!r} has never existed in namespace {namespace!r}", 1)
        if options["diff"]:
            for row in rows:
                self.stdout.write(" ".join(described(row)))
                self.stdout.write(difference(row))
            return 0
        headings = ["SEQUENCE", "WHEN", "ACTION", "GENERATION", "ACTOR", "SURFACE"]
        for line in lay_out([headings, *map(described, rows)]):
            self.stdout.write(line)
        return 0


def described(row: Revision) -> list[str]:
    moment = row.recorded_at.strftime("%Y-%m-%d %H:%M:%S")
    return [str(row.sequence), moment, row.action, str(row.generation), row.actor, row.surface]


def difference(row: Revision) -> str:
    """What the change changed, as a unified diff of YAML."""
    if row.action == Revision.Action.STATUS:
        return unified_diff(row.before, row.after, row.name)
    before, after = (None if side is None else as_manifest(side) for side in (row.before, row.after))
    return unified_diff(before, after, row.name)
