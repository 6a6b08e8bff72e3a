"""`manage.py wait`: return when an object is as it should be, or say why it is not.

A change marks those whom it concerns in its own transaction. So right after `apply` an object's condition is believed
only once its controller has looked at it; and without an object, `wait` returns when every change has been acted on.
"""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from catalog import store
from catalog.controllers import work
from catalog.kinds.base import PlatformObject
from catalog.kinds.registry import UnknownKind
from catalog.manifests.command_line import ManifestCommand, add_namespace
from catalog.manifests.kind_names import find_kind

PAUSE_SECONDS = 0.1


class Command(ManifestCommand):
    help = "Wait for objects (wait releasebinding/web-development [--for delete]), or until all changes are acted on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("target", nargs="*", metavar="KIND/NAME")
        add_namespace(parser)
        parser.add_argument("--for", dest="wanted", default="condition=Ready", help="condition=TYPE[=STATUS] or delete")
        parser.add_argument("--timeout", type=float, default=60.0, metavar="SECONDS")

    def run(self, **options: Any) -> int:
        deadline = time.monotonic() + options["timeout"]
        if not options["target"]:
            self.settle(deadline)
        for target in options["target"]:
            kind_name, slash, name = target.partition("/")
            if not slash or not name:
                self.end(f"{target}: write KIND/NAME, as in releasebinding/web-development", 2)
            try:
                model = find_kind(kind_name)
            except UnknownKind as error:
                self.end(str(error), 1)
            self.wait(model, options["namespace"], name, options["wanted"], deadline)
        return 0

    def settle(self, deadline: float) -> None:
        """Until no object is due for a look."""
        while left := work.unconverged_count():
            if time.monotonic() >= deadline:
                self.end(f"timed out: {left} objects wait for a look. Is a worker running?", 1)
            time.sleep(PAUSE_SECONDS)
        self.stdout.write("every change has been acted on")

    def wait(self, model: type[PlatformObject], namespace: str, name: str, wanted: str, deadline: float) -> None:
        """Until the object is as wanted; ends the command with the reason when the time is over."""
        while True:
            obj = store.get_or_none(model.kind, namespace, name)
            met, state = is_met(obj, wanted)
            if met and obj is not None and work.is_due(model.kind, int(obj.pk)):
                met, state = False, "its controller has not looked at the latest change yet. Is a worker running?"
            if met:
                self.stdout.write(f"{model.kind.lower()}/{name} {state}")
                return
            if time.monotonic() >= deadline:
                self.end(f"timed out waiting for {model.kind.lower()}/{name}: {state}", 1)
            time.sleep(PAUSE_SECONDS)


def is_met(obj: PlatformObject | None, wanted: str) -> tuple[bool, str]:
    """Whether the object is as wanted, and how it is in words."""
    if wanted == "delete":
        return obj is None, "deleted" if obj is None else "still there"
    if obj is None:
        return False, "it does not exist"
    condition_type, _, status = wanted.removeprefix("condition=").partition("=")
    held = obj.condition(condition_type)
    if held is None:
        return False, f"it has no condition {condition_type} yet"
    observed = held.get("observedGeneration", obj.generation)
    if observed < obj.generation:
        return False, f"{condition_type} speaks of generation {observed}, the object has {obj.generation}"
    state = f"{condition_type} is {held['status']} ({held.get('reason', '')}): {held.get('message', '')}"
    return held["status"] == (status or "True"), state
