"""`manage.py audit`: look at the log, prove that it is whole, export it, drop old months."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal.accounts.actor import system
from portal.audit import sealing
from portal.audit.models import AuditEvent
from portal.audit.operation import operation
from portal.audit.reading import FILTERS, BadMoment, filtered, otlp_document, otlp_record, wire_event
from portal.audit.retention import retain
from portal.audit.story import tell
from portal.audit.verification import verify

OTLP_BATCH = 500


class Command(BaseCommand):
    help = "The audit log: list and export events, verify that none was changed, drop old months."
    requires_system_checks: Sequence[str] = ()  # type: ignore[assignment]

    def add_arguments(self, parser: ArgumentParser) -> None:
        tasks = parser.add_subparsers(dest="task", required=True)
        listing = tasks.add_parser("list", help="newest events first")
        add_filters(listing)
        listing.add_argument("--limit", type=int, default=50, help="how many (50)")
        story = tasks.add_parser("story", help="what happened, in sentences, oldest first")
        add_filters(story)
        story.add_argument("--limit", type=int, default=50, help="how many of the newest events (50)")
        export = tasks.add_parser("export", help="all events, oldest first, to standard output")
        add_filters(export)
        export.add_argument("--format", choices=("jsonl", "otlp"), default="jsonl", help="JSON lines (jsonl)")
        tasks.add_parser("verify", help="check every hash and checkpoint; exit code 1 names the first broken place")
        tasks.add_parser("seal", help="seal what is new now, without waiting for a worker")
        retention = tasks.add_parser("retain", help="drop the months before the last ones")
        retention.add_argument("--months", type=int, required=True, help="full months to keep beside the present one")

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            getattr(self, options["task"])(options)
        except BadMoment as error:
            raise CommandError(str(error)) from None

    def list(self, options: dict[str, Any]) -> None:
        for event in selected(options).order_by("-id")[: options["limit"]]:
            moment = event.recorded_at.strftime("%Y-%m-%d %H:%M:%S")
            where = "/".join(part for part in (event.kind, event.namespace, event.name) if part)
            for_whom = f" for {event.on_behalf_of}" if event.on_behalf_of else ""
            self.stdout.write(
                f"{moment}  {event.outcome:8}  {event.actor}{for_whom} ({event.surface})  {event.action}  {where}"
            )

    def story(self, options: dict[str, Any]) -> None:
        for line in tell(selected(options).order_by("-id")[: options["limit"]]):
            self.stdout.write(line)

    def export(self, options: dict[str, Any]) -> None:
        events = selected(options).order_by("id").iterator(chunk_size=OTLP_BATCH)
        if options["format"] == "jsonl":
            for event in events:
                self.stdout.write(json.dumps(wire_event(event), sort_keys=True))
            return
        for batch in batches(events):
            self.stdout.write(json.dumps(otlp_document([otlp_record(event) for event in batch]), sort_keys=True))

    def verify(self, options: dict[str, Any]) -> None:
        verdict = verify()
        if verdict.warning:
            self.stderr.write(f"warning: {verdict.warning}")
        if not verdict.is_whole:
            raise CommandError(f"the audit log is broken: {verdict.problem}")
        self.stdout.write(f"{verdict.events} events are whole up to {verdict.seal}; {verdict.pending} not sealed yet")

    def seal(self, options: dict[str, Any]) -> None:
        self.stdout.write(f"{sealing.seal_pending(with_checkpoint=True)} events sealed")

    def retain(self, options: dict[str, Any]) -> None:
        if options["months"] < 0:
            raise CommandError("--months cannot be negative")
        with operation(system("operator", surface="cli"), "audit:retain") as opened:
            try:
                dropped = retain(options["months"])
            except ValueError as error:
                raise CommandError(str(error)) from None
            opened.reason = {"droppedEvents": dropped.events, "before": str(dropped.before)}
        self.stdout.write(f"{dropped.events} events before {dropped.before} dropped")


def add_filters(parser: ArgumentParser) -> None:
    for name in FILTERS:
        flag = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name)
        parser.add_argument(f"--{flag}", dest=name, default="")
    parser.add_argument("--since", default="", help="RFC 3339 time, inclusive")
    parser.add_argument("--until", default="", help="RFC 3339 time, exclusive")


def selected(options: dict[str, Any]) -> Any:
    """The events that the arguments choose."""
    wanted = {name: options[name] for name in FILTERS}
    return filtered(
        AuditEvent.objects.system("the operator's command line"), wanted, options["since"], options["until"]
    )


def batches(events: Iterator[AuditEvent]) -> Iterator[list[AuditEvent]]:
    batch: list[AuditEvent] = []
    for event in events:
        batch.append(event)
        if len(batch) == OTLP_BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
