"""The requests of the recorded session, sent to a fresh quickstart, are answered as they were.

Mapped from run to run are the server's address, tokens, codes and the client's secret (`transcript.Masks`), and what
`tests.replay.comparison` maps: uids, times, and the date in names of releases. Nothing else may differ.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.contract import evidence
from tests.contract.document import read
from tests.occ import player, transcript
from tests.occ.transcript import tokens_in
from tests.replay.comparison import Correspondence, differences
from tests.replay.exchanges import exchange_of
from tests.replay.player import dated

Differences = list[tuple[dict[str, Any], list[str]]]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Differences:
    """Each request, and how its answer differs."""
    known = Correspondence()
    return [
        (line, differences(exchange_of({**line, "path": dated(line["path"])}), reply, known))
        for line, reply in player.played(tmp_path_factory.mktemp("occ"))
        if reply is not None
    ]


@pytest.mark.timeout(300)
def test_a_fresh_quickstart_answers_the_cli_as_recorded(played: Differences) -> None:
    different = [
        f"#{line['n']} [{line['group']}] {line['method']} {line['path']}: {found}" for line, found in played if found
    ]
    assert not different, "\n".join(different)


def test_the_session_has_all_sorts_of_commands(played: Differences) -> None:
    groups = {line["group"] for line, _ in played}
    for words in (
        "occ login --client-credentials", "occ login", "occ version", "occ apply -f component.yaml",
        "occ component deploy web -n acme -p shop --to staging", "occ project deploy shop -n acme --to staging",
        "occ resource promote cache -n acme --env development", "occ component workflow run web -n acme -p shop",
        "occ component delete web -n acme", "occ namespace delete acme",
    ):  # fmt: skip
        assert any(group.startswith(words) for group in groups), words
    assert {line["status"] for line, _ in played} >= {200, 201, 204, 400, 404}


def test_the_transcript_holds_no_secret() -> None:
    text = transcript.FILE.read_text()
    assert "eyJ" not in text, "a token"
    assert "127.0.0.1:" not in text.replace("127.0.0.1:55152", ""), "the address of a run"
    for line in transcript.lines():
        for name, token in tokens_in(line.get("response", "")).items():
            assert token.startswith(f"<{name} "), line["n"]


def test_the_table_of_operations_names_those_of_the_session(played: Differences, conformance: Path) -> None:
    operations = read(conformance).operations.values()
    asked = Counter(
        operation.name
        for line, found in played
        for operation in operations
        if not found and operation.is_at(line["method"], line["path"].partition("?")[0])
    )
    evidence.check("occ", dict(asked))
