"""How long runs are kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from workflows.runs.time_to_live import duration_of, expiry_of


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("90d", timedelta(days=90)),
        ("1h30m", timedelta(minutes=90)),
        ("1d2h3m4s", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("0s", timedelta(0)),
        ("", None),
    ],
)
def test_a_text_means_a_duration(text, duration):
    assert duration_of(text) == duration


def test_a_run_expires_that_long_after_its_completion():
    assert expiry_of("1d", "2026-01-01T10:00:00Z") == datetime(2026, 1, 2, 10, tzinfo=UTC)


@pytest.mark.parametrize(("text", "completed"), [("", "2026-01-01T10:00:00Z"), ("1d", "")])
def test_without_a_time_or_an_end_a_run_never_expires(text, completed):
    assert expiry_of(text, completed) is None


def test_a_time_beyond_all_calendars_is_never():
    assert expiry_of("3650000d", "2026-01-01T10:00:00Z") is None
