"""Fixtures of the compiler's tests."""

import os
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def conformance() -> Path:
    """The folder of recorded conformance data; tests that need it are skipped where it is not present."""
    path = Path(os.environ.get("STAGECRAFT_CONFORMANCE", _REPOSITORY / "../shared/conformance")).resolve()
    if not path.is_dir():
        pytest.skip(f"no conformance data at {path}; set STAGECRAFT_CONFORMANCE")
    return path
