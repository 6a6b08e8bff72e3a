"""`manage.py get`: show objects as a table, YAML, JSON or names, once or as they change."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any

import orjson

from catalog import store
from catalog.api.label_filter import filter_by_labels
from catalog.compiler import yaml
from catalog.kinds.base import Document, PlatformObject
from catalog.kinds.registry import UnknownKind
from catalog.manifests.command_line import ManifestCommand, add_namespace
from catalog.manifests.kind_names import find_kind
from catalog.manifests.table import headings, lay_out, row_of
from portal.wire.selectors import BadSelector, Requirement, parse_selector

Model = type[PlatformObject]


class Command(ManifestCommand):
    help = "Show objects: get components, get component/web -o yaml, get releasebindings -A -l app=web --watch."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("target", nargs="+", metavar="KIND [NAME]", help="kind, kinds with commas, or kind/name")
        add_namespace(parser)
        parser.add_argument("-A", "--all-namespaces", action="store_true", help="in all namespaces")
        parser.add_argument("-l", "--selector", default="", help="label selector, as app=web,tier!=db")
        parser.add_argument("-o", "--output", choices=["table", "wide", "yaml", "json", "name"], default="table")
        parser.add_argument("-w", "--watch", action="store_true", help="go on showing objects as they change")
        parser.add_argument("--timeout", type=float, metavar="SECONDS", help="stop watching after this time")

    def run(self, **options: Any) -> int:
        try:
            wanted = targets(options["target"])
            requirements = parse_selector(options["selector"])
        except (UnknownKind, BadSelector, ValueError) as error:
            self.end(str(error), 1)
        if options["watch"] and len(wanted) > 1:
            self.end("watch one kind at a time", 2)
        position = store.position()
        failed, found = False, []
        for model, names in wanted:
            objects = selected(model, names, requirements, options)
            held = {obj.name for obj in objects}
            for name in names:
                if name not in held:
                    failed = True
                    self.complain(f'Error from server (NotFound): {model.plural} "{name}" not found')
            found.append((model, objects))
        self.show(found, options, as_list=not (len(wanted) == 1 and len(wanted[0][1]) == 1))
        if options["watch"]:
            self.follow(wanted[0][0], wanted[0][1], requirements, position, options)
        return 1 if failed else 0

    def show(self, found: list[tuple[Model, list[PlatformObject]]], options: dict[str, Any], *, as_list: bool) -> None:
        """Print what was found in the wanted form."""
        objects = [obj for _, held in found for obj in held]
        match options["output"]:
            case "name":
                for obj in objects:
                    self.stdout.write(name_of(obj))
            case "yaml" | "json" as form:
                documents = [store.to_document(obj) for obj in objects]
                if as_list and not options["watch"]:
                    documents = [{"apiVersion": "v1", "kind": "List", "items": documents}]
                for document in documents:
                    self.write_document(document, form)
            case _:
                self.show_tables(found, options)

    def show_tables(self, found: list[tuple[Model, list[PlatformObject]]], options: dict[str, Any]) -> None:
        everywhere, wide = options["all_namespaces"], options["output"] == "wide"
        tables = [
            [headings(model, with_namespace=everywhere, wide=wide)]
            + [row_of(obj, with_namespace=everywhere, wide=wide) for obj in objects]
            for model, objects in found
            if objects or options["watch"]
        ]
        if not tables:
            self.complain("No resources found" + ("" if everywhere else f" in {options['namespace']} namespace."))
        for number, table in enumerate(tables):
            if number:
                self.stdout.write("")
            self.widths = [max(map(len, column)) for column in zip(*table, strict=True)]
            for line in lay_out(table):
                self.stdout.write(line)

    def follow(
        self,
        model: Model,
        names: list[str],
        requirements: Iterable[Requirement],
        since: int,
        options: dict[str, Any],
    ) -> None:
        """Print each object again when it changes, until the time is up or the user has had enough."""
        everywhere, wide = options["all_namespaces"], options["output"] == "wide"
        namespace = options["namespace"] if model.namespaced and not everywhere else None
        self.stdout.flush()
        for change in store.watch(since, kinds=[model.kind], namespace=namespace, timeout=options["timeout"]):
            obj = store.get_or_none(model.kind, change.namespace, change.name)
            is_wanted = not names or change.name in names
            if obj is None or not is_wanted or not all(item.matches(obj.labels) for item in requirements):
                continue
            if options["output"] in ("table", "wide"):
                row = row_of(obj, with_namespace=everywhere, wide=wide)
                self.widths = [max(size, len(cell)) for size, cell in zip(self.widths, row, strict=True)]
                self.stdout.write(lay_out([row], self.widths)[0])
            else:
                self.show([(model, [obj])], options, as_list=False)
            self.stdout.flush()

    def write_document(self, document: Document, form: str) -> None:
        if form == "json":
            self.stdout.write(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode())
        else:
            self.stdout.write("---\n" if self.wrote_yaml else "", ending="")
            self.stdout.write(yaml.dump(document), ending="")
            self.wrote_yaml = True

    wrote_yaml = False
    widths: list[int]


def targets(words: list[str]) -> list[tuple[Model, list[str]]]:
    """The kinds and names meant by `KIND`, `KIND,KIND`, `KIND NAME…` or `KIND/NAME…`."""
    if "/" in words[0]:
        if not all("/" in word for word in words):
            raise ValueError("write either KIND/NAME for every object, or KIND NAME NAME")
        named: dict[Model, list[str]] = {}
        for word in words:
            kind, _, name = word.partition("/")
            named.setdefault(find_kind(kind), []).append(name)
        return list(named.items())
    kinds = [find_kind(kind) for kind in words[0].split(",") if kind]
    if len(kinds) != 1 and len(words) > 1:
        raise ValueError("names can be given for one kind only")
    return [(kind, words[1:]) for kind in kinds]


def selected(
    model: Model, names: list[str], requirements: Iterable[Requirement], options: dict[str, Any]
) -> list[PlatformObject]:
    """The objects of a kind that the arguments mean, in the order of their names. One query."""
    rows: Any = model.objects.system("the operator's command line")
    if model.namespaced and not options["all_namespaces"]:
        rows = rows.filter(namespace_id=options["namespace"])
    if names:
        rows = rows.filter(name__in=names)
    return list(filter_by_labels(rows, requirements))


def name_of(obj: PlatformObject) -> str:
    """`component.openchoreo.dev/web`."""
    group = obj.api_version.partition("/")[0] if "/" in obj.api_version else ""
    return f"{obj.kind.lower()}{'.' if group else ''}{group}/{obj.name}"
