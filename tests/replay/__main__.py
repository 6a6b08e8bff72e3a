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
from tests.replay.identities import PEOPLE, Identities
from tests.replay.player import replay
from tests.replay.stage import Stage


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.replay", description=__doc__)
    parser.add_argument("file", type=Path, help="recorded exchanges, one JSON document a line")
    parser.add_argument("--with", dest="more", type=Path, action="append", default=[], help="more of them, merged by n")
    parser.add_argument("--conformance", type=Path, default=conformance_directory(), help="the conformance data")
    arguments = parser.parse_args()
    try:
        exchanges = read_exchanges(arguments.file, *arguments.more)
    except (OSError, ValueError) as error:
        print(f"replay: {error}", file=sys.stderr)
        return 2
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="stagecraft-replay-") as home:
        stage = Stage(Path(home), arguments.conformance)
        with stage:
            prepared = time.monotonic()
            identities = Identities(stage.tokens_for(PEOPLE))
            results = replay(stage, identities, exchanges)
        errors = stage.errors_logged()
    ended = time.monotonic()
    for error in dict.fromkeys(errors):
        print(f"server logged: {error}")
    print(f"started in {prepared - began:.0f} s, replayed in {ended - prepared:.0f} s")
    for line in report.lines(results):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
