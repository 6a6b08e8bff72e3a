"""Attack 28, on the audit itself: what is not asked beside the code that it concerns.

In tests/portal/audit, each with the number in its name: forged lines, invented addresses and ids, oversized changes and
reading beyond one's scope (test_reading.py); edits, removals, reordering, a cut-off end, clocks and the database's own
guard (test_sealing.py); rollbacks, and a change whose event cannot be written (test_one_event.py).
"""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path

import pytest

from portal import settings as portal_settings
from portal.audit.middleware import AuditMiddleware
from tests.conftest import REPOSITORY
from tests.real.installation import Installation

KILLS = 3


def projects(number: int) -> list[dict[str, object]]:
    return [
        {
            "apiVersion": "openchoreo.dev/v1alpha1",
            "kind": "Project",
            "metadata": {"name": f"project-{number}-{count}", "namespace": "default"},
            "spec": {"deploymentPipelineRef": {"name": "default"}},
        }
        for count in range(200)
    ]


def test_attack_28_a_process_that_is_killed_leaves_no_change_without_its_event(tmp_path: Path) -> None:
    with Installation(tmp_path / "home") as installation:
        installation.prepare()
        for kill in range(KILLS):
            console = installation.console
            assert console is not None
            threading.Timer(0.3 + 0.2 * kill, console.send_signal, [signal.SIGKILL]).start()
            with pytest.raises((AssertionError, BrokenPipeError)):
                installation.apply(*projects(kill))
            console.wait()
            installation.console = None
            found = installation.ask(unaudited=True)
            assert found["changes"] > 0
            assert (found["silent"], found["invented"]) == ({}, {})


def test_attack_28_no_setting_switches_the_audit_off() -> None:
    """The middleware is fixed, and of the settings that name the audit none is a switch."""
    assert portal_settings.MIDDLEWARE[0] == f"{AuditMiddleware.__module__}.{AuditMiddleware.__qualname__}"
    named = {variable.name: variable.default for variable in portal_settings.VARIABLES if "AUDIT" in variable.name}
    assert named
    assert not [name for name, default in named.items() if default.lower() in ("true", "false")]


def test_attack_28_the_code_has_no_way_around_the_ledger() -> None:
    """Events are written by one statement and deleted by retention only."""
    statements = (".delete()", "DELETE FROM", "INSERT INTO", ".create(", "bulk_create", ".save(")
    sources = [path for path in (REPOSITORY / "portal").rglob("*.py") if "migrations" not in path.parts]
    texts = {str(path.relative_to(REPOSITORY)): path.read_text() for path in sources}
    writers = {
        name for name, text in texts.items() if "AuditEvent" in text and any(word in text for word in statements)
    }
    assert writers <= {"portal/audit/ledger.py", "portal/audit/retention.py", "portal/audit/sealing.py"}, writers


def test_attack_28_an_event_is_there_at_once_and_sealed_within_the_period(tmp_path: Path) -> None:
    """A worker seals without being told: the time in which a removal would go unseen is that of the setting."""
    with Installation(tmp_path / "home", settings={"AUDIT_SEAL_SECONDS": "0.2"}) as installation:
        installation.prepare()
        installation.start_worker()
        deadline = time.monotonic() + 60
        while installation.ask(unsealed=True)["unsealed"]:
            assert time.monotonic() < deadline, (installation.home / "worker.log").read_text()[-2000:]
            time.sleep(0.1)
        assert (installation.home / "audit-checkpoints.jsonl").read_text()
