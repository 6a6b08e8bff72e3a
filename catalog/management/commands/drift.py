"""`manage.py drift`: what differs from a binding on its planes, and what to do about it."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.utils import timezone

from catalog import store
from catalog.delivery.delivered import delivered_of
from catalog.delivery.plane import PlaneError
from catalog.manifests import drifting
from catalog.manifests.command_line import ManifestCommand, add_namespace, operator
from catalog.manifests.drifting import BadDecision, NoSuchDifference
from catalog.manifests.kind_names import find_kind
from catalog.manifests.overriding import NotAcceptable
from catalog.manifests.rendered import releases_of
from portal.audit.operation import Target, operation


class Command(ManifestCommand):
    help = "Show how a binding's objects differ on their planes, three ways, and restore, accept or ignore it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("binding", help="a ReleaseBinding, or KIND/NAME of another kind of binding")
        add_namespace(parser)
        parser.add_argument("--all", action="store_true", help="also what servers and controllers fill in")
        answer = parser.add_mutually_exclusive_group()
        answer.add_argument("--restore", nargs="*", metavar="ID", help="make these as wanted; without IDs all")
        answer.add_argument("--accept", metavar="ID", help="make it an override of the binding")
        answer.add_argument("--ignore", metavar="ID", help="leave it alone for a time")
        parser.add_argument("--for", dest="duration", default="7d", metavar="TIME", help="30m, 12h, 7d (default), 2w")
        parser.add_argument("--reason", default="", help="why it is ignored")

    def run(self, **options: Any) -> int:
        kind, _, name = options["binding"].rpartition("/")
        model = find_kind(kind or "ReleaseBinding")
        if model.kind not in drifting.BINDING_KINDS:
            self.end(f"{model.kind} is no binding; there are {', '.join(sorted(drifting.BINDING_KINDS))}", 2)
        try:
            binding = store.get(model.kind, options["namespace"], name)
            return self.answer(binding, options)
        except (store.StoreError, NoSuchDifference, BadDecision, NotAcceptable, PlaneError) as error:
            self.end(str(error), 1)

    def answer(self, binding: Any, options: dict[str, Any]) -> int:
        target, actor = Target(binding.kind, binding.namespace_name, binding.name), operator()
        if options["restore"] is not None:
            with operation(actor, "drift:restore", target):
                for key in drifting.restore(binding, options["restore"], actor):
                    self.stdout.write(f"{key} will be made as it is wanted")
        elif options["accept"]:
            with operation(actor, "drift:accept", target, is_compound=True):
                row = drifting.accept(binding, options["accept"], actor)
            self.stdout.write(f"{row.kind} {row.name}: {row.path} is an override of {binding.name} now")
        elif options["ignore"]:
            with operation(actor, "drift:ignore", target):
                until = drifting.until_from(options["duration"], timezone.now())
                row = drifting.ignore(binding, options["ignore"], until, options["reason"], actor)
            self.stdout.write(
                f"{row.kind} {row.name}: {row.path or 'the object'} is left alone until {until:%F %T} UTC"
            )
        else:
            return self.show(binding, options["all"])
        return 0

    def show(self, binding: Any, everything: bool) -> int:
        """Exit code 1 if there is drift, as `diff` has it."""
        seen = drifting.look(binding, everything=everything)
        for item in seen:
            difference = item.difference
            by = f" by {difference.manager}" if difference.manager else ""
            when = f" at {difference.time}" if difference.time else ""
            self.stdout.write(
                f"{item.id}  {item.key}: {difference.path or 'the object'}  {difference.change}{by}{when}"
            )
            values = {name: value for name, value in drifting.seen_document(item).items()
                      if name in ("compiled", "applied", "live") and difference.path}  # fmt: skip
            if values:
                self.stdout.write("    " + "  ".join(f"{name}={value!r}" for name, value in values.items()))
        if not seen:
            is_there = any(delivered_of(release) for release in releases_of(binding))
            self.stdout.write("no drift" if is_there else "nothing has been delivered yet")
        past = drifting.records_of(binding)
        for row in past:
            until = f" until {row.expires_at:%F %T}" if row.expires_at else ""
            who = f" by {row.decided_by}" if row.decided_by else ""
            about = f"{row.kind} {row.name}: {row.path or 'the object'}  {row.change}"
            self.stdout.write(
                f"{row.difference}  {about}, {row.state}{who}{until} ({row.last_found_at:%F %T}) {row.note}"
            )
        return 1 if any(item.difference.is_drift for item in seen) else 0
