"""`manage.py undelete`: bring a deleted object back, with what went with it; without a name, list what can be."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from catalog import store
from catalog.kinds.registry import UnknownKind
from catalog.manifests.command_line import ManifestCommand, add_namespace, operator
from catalog.manifests.kind_names import find_kind
from catalog.manifests.undeleting import NotUndeleted, deletions, undelete
from portal.audit.operation import Target, operation


class Command(ManifestCommand):
    help = "Bring a deleted object back, with what was deleted with it. Without a name: list what can be brought back."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", nargs="?", default="")
        parser.add_argument("name", nargs="?", default="")
        add_namespace(parser)

    def run(self, **options: Any) -> int:
        try:
            model = find_kind(options["kind"]) if options["kind"] else None
        except UnknownKind as error:
            self.end(str(error), 1)
        if model is None or not options["name"]:
            for item in deletions(model.kind if model else ""):
                row = item.row
                where = f"{row.namespace}/" if row.namespace else ""
                self.stdout.write(f"{row.recorded_at:%F %T}  {row.kind} {where}{row.name}  by {item.by}")
            return 0
        namespace = options["namespace"] if model.namespaced else ""
        target, actor = Target(model.kind, namespace, options["name"]), operator()
        try:
            with operation(actor, f"{model.kind.lower()}:undelete", target, is_compound=True):
                done = undelete(model.kind, namespace, options["name"], actor)
        except (NotUndeleted, store.StoreError) as error:
            self.end(str(error), 1)
        for obj in (done.obj, *done.others):
            self.stdout.write(f"{obj.kind.lower()}/{obj.name} is back")
        return 0
