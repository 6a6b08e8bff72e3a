"""`python -m tests.replay FILE [--with FILE]`: replay recorded exchanges against a fresh server and print the score."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.conftest import conformance_directory
from tests.replay import report
from tests.replay.exchanges import read_exchanges
from tests.replay.player import play


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.replay", description=__doc__)
    parser.add_argument("file", type=Path, help="recorded exchanges, one JSON document a line")
    parser.add_argument("--with", dest="more", type=Path, action="append", default=[], help="more of them, merged by n")
    parser.add_argument("--conformance", type=Path, default=conformance_directory(), help="the conformance data")
    parser.add_argument("--database-url", default="", help="an empty PostgreSQL database; without: SQLite")
    arguments = parser.parse_args()
    try:
        exchanges = read_exchanges(arguments.file, *arguments.more)
    except (OSError, ValueError) as error:
        print(f"replay: {error}", file=sys.stderr)
        return 2
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="stagecraft-replay-") as home:
        settings = {"DATABASE_URL": arguments.database_url} if arguments.database_url else {}
        played = play(Path(home), arguments.conformance, exchanges, settings)
    for line in dict.fromkeys(played.errors):
        print(f"server logged: {line}")
    print(f"replayed in {time.monotonic() - began:.0f} s")
    for line in report.lines(played.results):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
