"""What tests share that plant canaries where secrets may be: a platform at work, and what it hands to its broker."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from catalog.controllers import tasks
from portal.quickstart import content

__all__ = ["caught", "messages"]  # fixtures


@pytest.fixture
def caught(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Everything that is logged, however small."""
    caplog.set_level(logging.DEBUG)
    return caplog


@pytest.fixture
def messages(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is handed to the broker."""
    sent: list[str] = []
    monkeypatch.setattr(tasks.drain, "apply_async", lambda *arguments, **named: sent.append(repr((arguments, named))))
    return sent


def start_platform(settings: Any, directory: Path) -> None:
    """What the quickstart makes, on a Git plane in that directory."""
    settings.GIT_PLANE_REPOSITORY = str(directory / "plane.git")
    content.apply_directory(content.DEFAULTS)
    content.apply_directory(content.SHOP)
