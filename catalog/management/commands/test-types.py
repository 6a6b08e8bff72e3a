"""`manage.py test-types PATH…`: run the tests that platform engineers keep beside their types."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from catalog.manifests.command_line import ManifestCommand
from catalog.type_tests.junit import junit
from catalog.type_tests.report import covered, lines
from catalog.type_tests.running import run_tests


class Command(ManifestCommand):
    help = (
        "Run the TypeTests in files and folders, and say what of each type they reach. Needs no database. "
        "Exit code 0: all passed, 1: something failed or less is covered than asked for, 2: there are no tests."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", metavar="PATH", help="file or folder with TypeTests, and types")
        parser.add_argument(
            "--types", action="append", default=[], metavar="PATH", help="more types; may be given again"
        )
        parser.add_argument(
            "-k", dest="only", default="", metavar="TEXT", help="only cases that have this in their name"
        )
        parser.add_argument("-m", "--missing", action="store_true", help="list what no case has reached")
        parser.add_argument("-q", "--quiet", action="store_true", help="show only what failed")
        parser.add_argument("--accept", action="store_true", help="write snapshots instead of comparing them")
        parser.add_argument("--min-coverage", type=float, default=0, metavar="PERCENT", help="fail below this")
        parser.add_argument("--junit", metavar="FILE", help="also write a JUnit report")

    def run(self, **options: Any) -> int:
        paths = [Path(path) for path in options["paths"]]
        for path in [*paths, *map(Path, options["types"])]:
            if not path.exists():
                self.end(f"{path}: no such file or folder", 2)
        report = run_tests(paths, map(Path, options["types"]), only=options["only"], accept=options["accept"])
        if not report.suites and not report.problems:
            self.end(f"no TypeTest in {', '.join(options['paths'])}", 2)
        for line in lines(report, missing=options["missing"], quiet=options["quiet"]):
            self.stdout.write(line)
        if options["junit"]:
            Path(options["junit"]).write_bytes(junit(report))
        if covered(report) < options["min_coverage"]:
            self.complain(f"less than {options['min_coverage']:g} % is covered")
            return 1
        return 0 if report.passed else 1
