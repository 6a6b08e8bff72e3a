"""What the manifest commands share: their arguments, who acts, how outcomes are shown, and how failures end.

Exit codes are kubectl's: 0 done, 1 something failed (for `diff`: something differs), 2 wrong use of the command.
"""

from __future__ import annotations

import getpass
import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn, TypeVar

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import OperationalError, ProgrammingError

from catalog.manifests.outcomes import DocumentOutcome
from catalog.manifests.reading import Entry, read_sources
from portal.accounts.actor import Actor
from portal.audit.operation import Target, operation

PROGRESS_FROM = 40  # fewer documents are done before a bar could be read
Item = TypeVar("Item")


class ManifestCommand(BaseCommand):
    """A command on objects. Subclasses implement `run` and return the exit code."""

    requires_system_checks: Sequence[str] = ()  # type: ignore[assignment]

    def handle(self, *arguments: Any, **options: Any) -> None:
        try:
            code = self.run(**options)
            self.stdout.flush()
        except KeyboardInterrupt:
            self.end("interrupted", 130)
        except BrokenPipeError:
            # The reader (head, less) has seen enough; without this, closing the stream would complain again.
            sys.stdout = None  # type: ignore[assignment]
            code = 0
        except (OperationalError, ProgrammingError) as error:
            self.end(f"the database cannot be used: {error}. Has it been migrated (manage.py migrate)?", 1)
        if code:
            raise SystemExit(code)

    def run(self, **options: Any) -> int:
        raise NotImplementedError

    def complain(self, text: str) -> None:
        """One line on standard error."""
        self.stderr.write(text)

    def end(self, text: str, code: int) -> NoReturn:
        self.complain(f"error: {text}")
        raise SystemExit(code)


def add_namespace(parser: ArgumentParser) -> None:
    parser.add_argument("-n", "--namespace", default="default", help="namespace of objects that name none (default)")


def add_files(parser: ArgumentParser, *, required: bool) -> None:
    parser.add_argument(
        "-f",
        "--filename",
        action="append",
        default=[],
        required=required,
        metavar="FILE",
        help="file or folder of YAML or JSON manifests, or - for standard input; may be given again",
    )
    parser.add_argument("-R", "--recursive", action="store_true", help="also read the folders within folders")


def entries_of(options: dict[str, Any]) -> Iterator[Entry]:
    """The documents that the arguments name."""
    return read_sources(options["filename"], recursive=options["recursive"], max_bytes=settings.YAML_MAX_BYTES)


def operator() -> Actor:
    """Who uses the command line."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "operator"
    return Actor(name=name, surface="cli")


@contextmanager
def as_one_operation(action: str, namespace: str, component: str) -> Iterator[Actor]:
    """Several changes as one operation of whoever uses the command line: one event of its own in the audit."""
    actor = operator()
    with operation(actor, action, Target("Component", namespace, component), is_compound=True):
        yield actor


def resource_name(outcome: DocumentOutcome) -> str:
    """An object as kubectl names it in its output: `component.openchoreo.dev/web`."""
    api_version = outcome.entry.value.get("apiVersion", "") if isinstance(outcome.entry.value, dict) else ""
    group = api_version.partition("/")[0] if "/" in str(api_version) else ""
    return f"{outcome.kind.lower()}{'.' if group else ''}{group}/{outcome.name}"


def show(command: ManifestCommand, outcomes: Iterable[DocumentOutcome], *, note: str = "") -> Counter[str]:
    """Print each outcome as it comes, failures to standard error, and count them."""
    counts: Counter[str] = Counter()
    for outcome in outcomes:
        counts[outcome.result] += 1
        if outcome.result == "failed":
            for problem in outcome.problems:
                where = f"{outcome.entry.source}:{problem.line}" if problem.line else outcome.entry.source
                subject = f"{outcome.subject}: " if outcome.kind else ""
                command.complain(f"error: {where}: {subject}{problem}")
        elif outcome.result == "skipped":
            reason = outcome.problems[0].message if outcome.problems else ""
            command.stdout.write(f"{resource_name(outcome)} skipped: {reason}")
        else:
            command.stdout.write(f"{resource_name(outcome)} {outcome.result}{note}")
    return counts


@contextmanager
def progress(items: Sequence[Item], what: str) -> Iterator[Iterable[Item]]:
    """The items, counted by a bar on a terminal when there are many; plainly otherwise."""
    if len(items) < PROGRESS_FROM or not sys.stderr.isatty() or sys.stdout.isatty():
        # With both on one terminal the lines themselves are the progress.
        yield items
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        yield bar.track(items, description=what)
