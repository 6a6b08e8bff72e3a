"""Settings of the test run: the product's own, on a throw-away data directory.

`DATABASE_URL` chooses the database as in production; `make test` runs the suite on SQLite and then, for all tests that
use the database, on a real PostgreSQL.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_home = tempfile.mkdtemp(prefix="stagecraft-test-")
atexit.register(shutil.rmtree, _home, ignore_errors=True)
os.environ["STAGECRAFT_HOME"] = _home
os.environ.setdefault("SECRET_KEY", "tests-only")

from portal.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # speed; production hashes with Argon2
CELERY_BROKER_URL = "memory://"
GRANT_USE_SECONDS = 0  # no thread writes behind the tests' backs; those about it call `usage.flush`
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = {}

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F405
    # A real file: an in-memory database has other locks, and threads and processes could not share it.
    DATABASES["default"]["TEST"] = {"NAME": str(Path(_home) / "test.sqlite3")}  # noqa: F405
else:
    # The audit's table refuses to be emptied, which is how tests with threads clean up behind them.
    DATABASES["default"]["OPTIONS"]["options"] = "-c stagecraft.audit_may_truncate=on"  # noqa: F405
