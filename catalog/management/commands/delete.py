"""`manage.py delete`: ask for the deletion of objects, by manifest or by name."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from catalog.kinds.registry import UnknownKind
from catalog.manifests.applying import delete_entries
from catalog.manifests.command_line import ManifestCommand, add_files, add_namespace, entries_of, operator, show
from catalog.manifests.kind_names import find_kind
from catalog.manifests.reading import Entry


class Command(ManifestCommand):
    help = "Delete objects. Those with finalizers go as soon as their controllers have cleaned up behind them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("target", nargs="*", metavar="KIND NAME", help="kind and names, or kind/name")
        add_files(parser, required=False)
        add_namespace(parser)
        parser.add_argument("--ignore-not-found", action="store_true", help="an absent object is no failure")

    def run(self, **options: Any) -> int:
        if bool(options["filename"]) == bool(options["target"]):
            self.end("say what to delete: either -f FILE, or KIND NAME", 2)
        try:
            entries = list(entries_of(options)) if options["filename"] else named_entries(options["target"])
        except (UnknownKind, ValueError) as error:
            self.end(str(error), 1)
        outcomes = delete_entries(
            entries,
            operator(),
            default_namespace=options["namespace"],
            ignore_not_found=options["ignore_not_found"],
        )
        return 1 if show(self, outcomes)["failed"] else 0


def named_entries(target: list[str]) -> list[Entry]:
    """The objects of `KIND NAME…` or `KIND/NAME…` as documents. Raises `ValueError` or `UnknownKind`."""
    if "/" in target[0]:
        pairs = [item.partition("/")[::2] for item in target]
    else:
        pairs = [(target[0], name) for name in target[1:]]
    if not pairs or not all(name for _, name in pairs):
        raise ValueError(f"{' '.join(target)}: name the objects to delete")
    models = [(find_kind(kind), name) for kind, name in reversed(pairs)]
    return [
        Entry(
            f"{model.kind.lower()}/{name}",
            {"apiVersion": model.api_version, "kind": model.kind, "metadata": {"name": name}},
        )
        for model, name in models
    ]
