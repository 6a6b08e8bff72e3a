"""`manage.py render FILES`: the manifests that local files lead to, together with what is stored. Nothing is stored."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.conf import settings

from catalog.compiler import yaml
from catalog.kinds.base import Document
from catalog.manifests.command_line import ManifestCommand, add_namespace, operator, show
from catalog.manifests.reading import read_sources
from catalog.preview.examining import Result
from catalog.preview.local import LocalRender, render_locally, rendered_items


class Command(ManifestCommand):
    help = (
        "Print the manifests of all components, projects and resources that files name or concern, "
        "for every environment of their pipeline. Stores nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "files", nargs="+", metavar="FILE", help="file or folder of manifests, - for standard input"
        )
        parser.add_argument("-R", "--recursive", action="store_true", help="also read the folders within folders")
        parser.add_argument("--env", default="", metavar="ENVIRONMENT", help="only this environment")
        add_namespace(parser)
        parser.add_argument("-o", "--output", choices=("yaml", "json"), default="yaml")

    def run(self, **options: Any) -> int:
        entries = read_sources(options["files"], recursive=options["recursive"], max_bytes=settings.YAML_MAX_BYTES)
        rendered = render_locally(entries, operator(), options["namespace"], options["env"])
        refused = show(self, rendered.rehearsed.failures)
        if options["output"] == "json":
            self.stdout.write(json.dumps(list(rendered_items(rendered)), indent=2, ensure_ascii=False))
        else:
            for item in rendered_items(rendered):
                self.write_yaml(item)
        failed = self.complain_of_failures(rendered)
        return 1 if refused or failed else 0

    def write_yaml(self, item: Document) -> None:
        """The objects for one plane, below a comment that says whose they are."""
        title = f"# {item['kind']} {item['name']} in {item['environment']}, {item['targetPlane']}"
        for body in item["objects"]:
            self.stdout.write("---\n" + title + "\n" + yaml.dump(body), ending="")

    def complain_of_failures(self, rendered: LocalRender) -> Counter[str]:
        """One line for each owner and environment that cannot be rendered."""
        counts: Counter[str] = Counter()
        for result in rendered.results:
            if result.failure is not None:
                counts[result.failure.reason] += 1
                where = rendered.location(result)
                self.complain(f"error: {where + ': ' if where else ''}{subject(result)}: {result.failure.message}")
        return counts


def subject(result: Result) -> str:
    where = f" in {result.environment}" if result.environment else ""
    return f"{result.kind} {result.owner}{where}"
