"""`manage.py preview FILES`: what applying files would change on the planes, for whom, and who would fail."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings

from catalog.manifests.command_line import ManifestCommand, add_namespace, operator
from catalog.manifests.reading import read_sources
from catalog.preview.previewing import preview
from catalog.preview.report import report
from catalog.preview.report_text import as_markdown, as_text

FAILED = 2


class Command(ManifestCommand):
    help = (
        "Show what applying files would change in every environment, without storing anything. "
        "Exit code 0: it works, 1: something would fail that works now, 2: a document would be refused."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "files", nargs="+", metavar="FILE", help="file or folder of manifests, - for standard input"
        )
        parser.add_argument("-R", "--recursive", action="store_true", help="also read the folders within folders")
        add_namespace(parser)
        parser.add_argument("-o", "--output", choices=("text", "json", "markdown"), default="text")

    def run(self, **options: Any) -> int:
        entries = read_sources(options["files"], recursive=options["recursive"], max_bytes=settings.YAML_MAX_BYTES)
        found = preview(entries, operator(), options["namespace"])
        document = report(found)
        if options["output"] == "json":
            self.stdout.write(json.dumps(document, indent=2, ensure_ascii=False))
        else:
            lines = as_text(document) if options["output"] == "text" else as_markdown(document)
            for line in lines:
                self.stdout.write(line)
        return FAILED if found.rehearsed.failures else int(found.breaks)
