"""`python -m tests.replay FILE [--with FILE]`: replay recorded exchanges against a fresh server and print the score.

Exit code 0: whatever differs is deliberate or waits for parts that are not there yet; 1: something else differs; 2: it
could not be replayed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from tests.conftest import conformance_directory
from tests.real.cluster.build import is_built
from tests.real.cluster.cluster import Cluster, start_cluster
from tests.replay import report
from tests.replay.deliberate import pending_for
from tests.replay.exchanges import read_exchanges
from tests.replay.player import play
from tests.replay.stage import start_documents
from tests.replay.stand_ins import CUSTOM_RESOURCES

GIT = "Git, which cannot tell what runs; `--plane cluster` builds a Kubernetes if there is none yet, and uses it"


def cluster_behind(plane: str) -> AbstractContextManager[Cluster | None]:
    """The cluster that stands behind the planes, or nothing."""
    if plane == "git" or (plane == "auto" and not is_built()):
        return nullcontext()
    return start_cluster(crds=CUSTOM_RESOURCES)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.replay", description=__doc__)
    parser.add_argument("file", type=Path, help="recorded exchanges, one JSON document a line")
    parser.add_argument("--with", dest="more", type=Path, action="append", default=[], help="more of them, merged by n")
    parser.add_argument("--conformance", type=Path, default=conformance_directory(), help="where the start state is")
    parser.add_argument(
        "--plane",
        choices=("auto", "cluster", "git"),
        default="auto",
        help="what stands behind the planes: a real Kubernetes (built first if need be) or Git; auto: a Kubernetes if "
        "it has been built before",
    )
    parser.add_argument("--database-url", default="", help="an empty PostgreSQL database; without: SQLite")
    arguments = parser.parse_args()
    try:
        exchanges = read_exchanges(arguments.file, *arguments.more)
        start_documents(arguments.conformance)
    except (OSError, ValueError) as error:
        print(f"replay: {error}", file=sys.stderr)
        return 2
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="stagecraft-replay-") as home:
        settings = {"DATABASE_URL": arguments.database_url} if arguments.database_url else {}
        with cluster_behind(arguments.plane) as cluster:
            print(f"planes: {'a real Kubernetes' if cluster else GIT}", flush=True)
            played = play(Path(home), arguments.conformance, exchanges, settings=settings, cluster=cluster)
    for line in dict.fromkeys(played.errors):
        print(f"server logged: {line}")
    print(f"replayed in {time.monotonic() - began:.0f} s")
    for line in report.lines(played.results):
        print(line)
    return int(any(pending_for(exchange) is None for exchange in report.different(played.results)))


if __name__ == "__main__":
    sys.exit(main())
