"""`manage.py who-can ACTION`: everyone who may do that at a place, each with the grants that give it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from catalog.management.commands.why import add_place, asked
from portal.access.asking import Question, holders
from portal.access.explanation_text import rule_lines


class Command(BaseCommand):
    help = "List who may do something at a place, and by which grants."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", help="for example releasebinding:update")
        add_place(parser)
        parser.add_argument("--brief", action="store_true", help="names only")

    def handle(self, *args: Any, **options: Any) -> None:
        number = 0
        for item in everyone(asked(options)):
            number += 1
            self.stdout.write(name_of(item))
            if not options["brief"]:
                self.stdout.write("\n".join(rule_lines_of(item)))
        self.stdout.write(f"{number} may do {options['action']}" if number else f"nobody may do {options['action']}")


def everyone(question: Question) -> Iterator[dict[str, Any]]:
    """All pages."""
    cursor = ""
    while True:
        page = holders(question, limit=100, cursor=cursor)
        yield from page["items"]
        cursor = page["pagination"].get("nextCursor", "")
        if not cursor:
            return


def name_of(item: dict[str, Any]) -> str:
    if item["type"] == "principal":
        return f"{item['name']} ({item['kind'].replace('_', ' ')})"
    who = item["entitlement"]
    return f"whoever is {who['claim']}:{who['value']} ({item['members']} here)"


def rule_lines_of(item: dict[str, Any]) -> Iterator[str]:
    if not item["rules"]:
        yield f"  {item['reason']}"
    for rule in item["rules"]:
        yield from rule_lines(rule)
