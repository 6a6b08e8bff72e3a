"""The compiler on the command line.

``python -m catalog.compiler conformance FILE… [--json OUT] [--op NAME] [--fail-fast]`` checks the compiler against
conformance files (JSON Lines). Prints per operation how many cases agree and how each other differs. The exit status
is 1 when any differs.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from catalog.compiler.conformance import Case, Score, run


def main(arguments: list[str]) -> int:
    """Run the command line and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m catalog.compiler", description="The compiler on the command line.")
    commands = parser.add_subparsers(dest="command", required=True)
    conformance = commands.add_parser("conformance", help="check against recorded results of the reference")
    conformance.add_argument("files", nargs="+", type=Path, metavar="FILE", help="conformance cases, one JSON a line")
    conformance.add_argument("--json", type=Path, metavar="OUT", help="write the scores to a file")
    conformance.add_argument("--op", default="", metavar="NAME", help="only this operation (template for templates)")
    conformance.add_argument("--fail-fast", action="store_true", help="stop after the first difference")
    given = parser.parse_args(arguments)

    scores = run(_cases(given.files), given.op, given.fail_fast)
    _print(scores)
    if given.json is not None:
        given.json.write_text(json.dumps(_as_json(scores), indent=2, sort_keys=True, default=repr) + "\n")
    return 1 if not scores or any(score.failures for score in scores.values()) else 0


def _cases(files: Iterable[Path]) -> Iterator[Case]:
    for file in files:
        with file.open(encoding="utf-8") as lines:
            yield from (json.loads(line) for line in lines if line.strip())


def _print(scores: Mapping[str, Score]) -> None:
    for operation, score in scores.items():
        print(f"{operation}: {score.passed}/{score.total}")
        for failure in score.failures:
            print(f"  {failure.id}: {failure.place}")
    passed, total = (sum(getattr(score, name) for score in scores.values()) for name in ("passed", "total"))
    print(f"all: {passed}/{total}")


def _as_json(scores: Mapping[str, Score]) -> dict[str, object]:
    return {
        operation: {
            "passed": score.passed,
            "total": score.total,
            "failures": [
                {"id": failure.id, "expected": failure.expected, "got": failure.got} for failure in score.failures
            ],
        }
        for operation, score in scores.items()
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
