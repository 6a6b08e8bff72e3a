"""`manage.py preview-access`: what roles and bindings in files would do to people, before they are applied."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from catalog import store
from catalog.access import writing
from catalog.access.document_effects import KINDS, effects_of_document
from catalog.api.stagecraft.access_preview import wire_effects
from catalog.kinds.registry import kind_named
from catalog.manifests.command_line import ManifestCommand, add_files, add_namespace, entries_of, operator
from catalog.manifests.outcomes import REFUSALS, identity


class Command(ManifestCommand):
    help = "Show who would gain or lose what by each role or binding of some files. Nothing is stored."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_files(parser, required=True)
        add_namespace(parser)
        parser.add_argument("--delete", action="store_true", help="preview the deletion instead")
        parser.add_argument("--json", action="store_true", help="everything, as REST shows it")

    def run(self, **options: Any) -> int:
        failed = 0
        for entry in entries_of(options):
            kind, namespace, name = identity(entry.value, options["namespace"])
            if entry.error or kind not in KINDS:
                reason = entry.error or f"{kind or 'the document'} says nothing about access"
                self.stderr.write(f"{entry.source}: {reason}")
                failed += bool(entry.error)
                continue
            model = kind_named(kind)
            document = {**entry.value, "metadata": {**entry.value["metadata"]}}
            if model.namespaced:
                document["metadata"]["namespace"] = namespace
            held = store.get_or_none(kind, writing.parts_of(model, document)[0], name)
            if options["delete"] and held is None:
                self.stderr.write(f"{kind} {name}: not found")
                failed += 1
                continue
            try:
                found = effects_of_document(model, held, None if options["delete"] else document, operator())
            except REFUSALS as error:
                self.stderr.write(f"{kind} {name}: {error}")
                failed += 1
                continue
            if options["json"]:
                self.stdout.write(json.dumps({"kind": kind, "name": name, **wire_effects(found)}, indent=2))
            else:
                self.stdout.write(f"{kind} {name}")
                self.stdout.writelines(f"  {sentence}\n" for sentence in found.sentences)
        return 1 if failed else 0
