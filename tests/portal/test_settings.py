"""Settings fail at start, with a sentence that names the variable."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


def start(tmp_path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "portal.settings", "STAGECRAFT_HOME": str(tmp_path / "home")}
    environment |= variables
    command = [sys.executable, "-c", "import portal.settings as s; print(s.DATABASES['default']['ENGINE'])"]
    return subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("DATABASE_URL", "mysql://x/y", "its scheme is 'mysql'"),
        ("RECONCILE_LEASE_SECONDS", "soon", "it must be a whole number"),
        ("RECONCILE_BATCH", "0", "it must be at least 1"),
        ("LOG_LEVEL", "LOUD", "it must be one of DEBUG, INFO"),
        ("STAGECRAFT_HOME", "/proc/nowhere", "cannot be made"),
    ],
)
def test_a_wrong_value_is_named_and_explained(tmp_path, variable, value, words):
    ended = start(tmp_path, **{variable: value})
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"stagecraft: {variable}")
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("variable", "value"),
    [("SECRETS_KEYS", "k1:Y2FuYXJ5"), ("DATABASE_URL", "mysql://app:canary@db/x")],
)
def test_a_wrong_value_that_holds_a_secret_is_not_quoted(tmp_path, variable, value):
    ended = start(tmp_path, **{variable: value})
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"stagecraft: {variable}=(not shown) cannot be used")
    assert value not in ended.stderr and "canary" not in ended.stderr and "Y2FuYXJ5" not in ended.stderr


def test_all_mistakes_are_told_at_once(tmp_path):
    ended = start(tmp_path, DEBUG="maybe", RECONCILE_BATCH="many")
    assert [line.split("=")[0] for line in ended.stderr.splitlines()] == [
        "stagecraft: DEBUG",
        "stagecraft: RECONCILE_BATCH",
    ]


def test_the_database_follows_from_the_url(tmp_path):
    assert "postgresql" in start(tmp_path, DATABASE_URL="postgresql://u:p%40ss@db/stagecraft").stdout
    assert "sqlite3" in start(tmp_path, DATABASE_URL="").stdout


def test_the_generated_secret_key_is_kept_and_private(tmp_path):
    start(tmp_path, SECRET_KEY="")
    path = tmp_path / "home" / "secret-key"
    first = path.read_text()
    assert len(first) >= 50 and path.stat().st_mode & 0o777 == 0o600
    start(tmp_path, SECRET_KEY="")
    assert path.read_text() == first
