"""The look for known holes in dependencies: a hole fails, silence is told apart from an all-clear."""

from __future__ import annotations

import subprocess
from datetime import date
from typing import Any

import pytest

from scripts import audit_dependencies as audit

TODAY = date(2026, 11, 21)
REPORT: dict[str, Any] = {
    "dependencies": [
        {"name": "django", "version": "5.2", "vulns": []},
        {
            "name": "example",
            "version": "1.0",
            "vulns": [{"id": "PYSEC-2026-1", "aliases": ["CVE-2026-1", "GHSA-x"], "fix_versions": ["1.1"]}],
        },
    ],
    "fixes": [],
}
ALLOWED = '[[hole]]\nid = "CVE-2026-1"\npackage = "example"\nreason = "not reached"\nexpires = {}\n'


def judged(report: dict[str, Any], allowed: str = "") -> tuple[int, str]:
    holes, unknown = audit.holes_in(report)
    code, said = audit.verdict(holes, unknown, audit.allowances(allowed), TODAY)
    return code, "\n".join(said)


def test_a_known_hole_fails_and_says_what_mends_it() -> None:
    code, said = judged(REPORT)
    assert code == audit.HOLES
    assert "example 1.0: CVE-2026-1, GHSA-x, PYSEC-2026-1; fixed in 1.1" in said


def test_an_allowed_hole_passes_by_any_of_its_names_until_its_day() -> None:
    assert judged(REPORT, ALLOWED.format("2026-11-21"))[0] == audit.CLEAN
    code, said = judged(REPORT, ALLOWED.format("2026-11-20"))
    assert code == audit.HOLES and "which has passed" in said


def test_an_allowance_is_of_one_package() -> None:
    assert judged(REPORT, ALLOWED.format("2026-12-31").replace("example", "other"))[0] == audit.HOLES


def test_an_allowance_that_nothing_needs_is_named() -> None:
    code, said = judged({"dependencies": []}, ALLOWED.format("2026-12-31"))
    assert code == audit.CLEAN and "remove the entry" in said


def test_what_was_not_looked_up_is_not_clean() -> None:
    unknown = {"name": "odd", "skip_reason": "Dependency not found on PyPI and could not be audited: odd (1)"}
    code, said = judged({"dependencies": [REPORT["dependencies"][0], unknown]})
    assert code == audit.UNKNOWN and "nothing is known about them; first odd" in said
    assert judged({"dependencies": [*REPORT["dependencies"], unknown]})[0] == audit.HOLES


@pytest.mark.parametrize("missing", ["id", "package", "reason", "expires"])
def test_an_allowance_without_reason_or_end_is_refused(missing: str) -> None:
    lines = [line for line in ALLOWED.format("2026-12-31").splitlines() if not line.startswith(missing)]
    with pytest.raises(audit.BadAllowlist, match=missing):
        audit.allowances("\n".join(lines))


def test_a_service_that_does_not_answer_is_reported_as_such(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(command: list[str], **named: Any) -> subprocess.CompletedProcess[str]:
        is_audit = "pip_audit" in command
        return subprocess.CompletedProcess(command, int(is_audit), "", "ERROR:cannot connect" if is_audit else "")

    monkeypatch.setattr(audit.subprocess, "run", run)
    assert audit.main() == audit.UNKNOWN
    assert "nothing is known: ERROR:cannot connect" in capsys.readouterr().err


def test_the_allowlist_of_the_repository_is_in_order() -> None:
    for entry in audit.allowances(audit.ALLOWED.read_text()):
        assert len(entry.reason) > 20, entry


def test_continuous_integration_fails_on_holes_and_reports_silence() -> None:
    text = (audit.REPOSITORY / ".ci" / "run").read_text()
    assert "scripts.audit_dependencies" in text
    assert '3) echo "warning:' in text and '*) exit "$audit"' in text
