"""A log of one's own: each test's checkpoints go to a file of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from portal.accounts.actor import Actor
from portal.accounts.models import User, issue_token
from portal.audit.models import AuditEvent


@pytest.fixture(autouse=True)
def checkpoint_file(tmp_path: Path, settings: Any) -> Path:
    settings.AUDIT_CHECKPOINTS = tmp_path / "checkpoints.jsonl"
    return settings.AUDIT_CHECKPOINTS


@pytest.fixture
def begun(db: None) -> set[Any]:
    """The events that were there before the test."""
    return set(AuditEvent.objects.system("test").values_list("id", flat=True))


@pytest.fixture
def events(begun: set[Any]) -> Any:
    """Gives the events that the test has caused, oldest first."""
    return lambda **wanted: list(
        AuditEvent.objects.system("test").exclude(id__in=begun).filter(**wanted).order_by("id")
    )


@pytest.fixture
def staff(db: None) -> User:
    return User.objects.create_superuser("root", password="correct horse battery")


@pytest.fixture
def reader(db: None) -> User:
    return User.objects.create_user("reader")


@pytest.fixture
def token(staff: User) -> str:
    return issue_token(staff, "test")


TESTER = Actor("tester", surface="cli")
