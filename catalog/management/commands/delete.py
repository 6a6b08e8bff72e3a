"""`manage.py delete`: ask for the deletion of objects, by manifest or by name; see its plan; force it."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from catalog import store
from catalog.kinds.registry import UnknownKind, kind_named
from catalog.manifests.applying import delete_entries
from catalog.manifests.command_line import ManifestCommand, add_files, add_namespace, entries_of, operator, show
from catalog.manifests.deleting import NotForced, Plan, force, plan_of
from catalog.manifests.kind_names import find_kind
from catalog.manifests.outcomes import identity
from catalog.manifests.reading import Entry
from portal.audit.operation import Target, operation


class Command(ManifestCommand):
    help = "Delete objects. Those with finalizers go as soon as their controllers have cleaned up behind them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("target", nargs="*", metavar="KIND NAME", help="kind and names, or kind/name")
        add_files(parser, required=False)
        add_namespace(parser)
        parser.add_argument("--plan", action="store_true", help="only show what would go, or how far it has gone")
        parser.add_argument(
            "--force", action="store_true", help="do not wait for planes, or for what is to be retained: leave it there"
        )
        parser.add_argument("--ignore-not-found", action="store_true", help="an absent object is no failure")

    def run(self, **options: Any) -> int:
        if bool(options["filename"]) == bool(options["target"]):
            self.end("say what to delete: either -f FILE, or KIND NAME", 2)
        try:
            entries = list(entries_of(options)) if options["filename"] else named_entries(options["target"])
        except (UnknownKind, ValueError) as error:
            self.end(str(error), 1)
        if options["plan"]:
            return self.show_plans(entries, options["namespace"])
        outcomes = delete_entries(
            entries,
            operator(),
            default_namespace=options["namespace"],
            ignore_not_found=options["ignore_not_found"],
        )
        failed = show(self, outcomes)["failed"]
        if options["force"] and not failed:
            return self.force(entries, options["namespace"])
        return 1 if failed else 0

    def show_plans(self, entries: list[Entry], namespace: str) -> int:
        """The plan of each object; 1 if something holds one up."""
        is_blocked = False
        for kind, where, name in keys_of(entries, namespace):
            held = store.get_or_none(kind, where, name)
            if held is None:
                self.end(f"{kind} {name} not found", 1)
            plan = plan_of(held)
            self.show_plan(plan)
            is_blocked |= bool(plan.blockers)
        return 1 if is_blocked else 0

    def show_plan(self, plan: Plan) -> None:
        for number, step in enumerate(plan.steps, 1):
            self.stdout.write(f"{number:>3}. {step}  {step.state}")
            if step.objects:
                self.stdout.write(f"     removes from {step.plane}: {', '.join(step.objects)}")
            for blocker in step.blockers:
                self.stdout.write(f"     waits: {blocker}")
        for text in plan.stays:
            self.stdout.write(f"stays: {text}")

    def force(self, entries: list[Entry], namespace: str) -> int:
        """Let go of what waits; objects that are gone by now need nothing."""
        for kind, where, name in keys_of(entries, namespace):
            held = store.get_or_none(kind, where, name)
            if held is None:
                continue
            try:
                with operation(operator(), "deletion:force", Target(kind, where, name), is_compound=True):
                    left = force(held, operator())
            except NotForced as error:
                self.end(str(error), 1)
            self.stdout.write(f"{kind} {name}: forced; left on planes: {', '.join(left) or 'nothing'}")
        return 0


def keys_of(entries: list[Entry], default_namespace: str) -> Iterator[tuple[str, str, str]]:
    """Kind, namespace and name of each document, the last first."""
    for entry in reversed(entries):
        kind, namespace, name = identity(entry.value, default_namespace)
        yield kind, namespace if kind_named(kind).namespaced else "", name


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
