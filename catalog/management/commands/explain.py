"""`manage.py explain`: where the values of a deployed component's manifests come from."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from catalog.manifests import explaining
from catalog.manifests.command_line import ManifestCommand, add_namespace
from catalog.manifests.explaining import NotExplained
from catalog.manifests.explanation_text import explanation_text


class Command(ManifestCommand):
    help = "Show where a value comes from: explain cart development Deployment spec.replicas."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("component")
        parser.add_argument("environment")
        parser.add_argument("object", help="Kind/name, a kind of which there is one, or the id of a resource")
        parser.add_argument("field", nargs="?", default="", help="a field such as spec.replicas; all if none is given")
        add_namespace(parser)
        parser.add_argument("-o", "--output", choices=("text", "json"), default="text")

    def run(self, **options: Any) -> int:
        try:
            binding = explaining.binding_of(options["namespace"], options["component"], options["environment"])
            explanation = explaining.explain_binding(binding)
            item = explaining.select_object(explanation, options["object"])
            fields = explaining.select_fields(item, options["field"])
        except NotExplained as problem:
            self.end(str(problem), 1)
        document = explaining.explanation_document(explanation, item, fields)
        if options["output"] == "json":
            self.stdout.write(json.dumps(document, indent=2, ensure_ascii=False))
        else:
            for line in explanation_text(document):
                self.stdout.write(line)
        return 0
