"""Sends the requests of the transcript to a quickstart, with our secrets, tokens and dates in them.

`python -m tests.occ.player` writes the answers into the transcript: for answers that have changed on purpose, where the
CLI is not at hand. What it asks stays as recorded, so a change in what the CLI would ask next is not seen.
"""

from __future__ import annotations

import http.client
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.occ import transcript
from tests.occ.browser import code_in, signed_in
from tests.occ.quickstart import Quickstart
from tests.occ.transcript import KEPT_HEADERS, Masks, tokens_in
from tests.replay.comparison import Reply
from tests.replay.exchanges import Exchange, exchange_of
from tests.replay.player import dated


@dataclass
class Player:
    quickstart: Quickstart
    masks: Masks

    def play(self) -> Iterator[tuple[dict[str, Any], Reply | None]]:
        """Each line, and our answer with masks in the place of what varies; None where a browser answers."""
        for line in transcript.lines():
            self.quickstart.settle()
            if "browser" in line:
                self.sign_in(line["browser"])
                yield line, None
            else:
                yield line, self.answer(line)

    def sign_in(self, path: str) -> None:
        facts = self.quickstart.facts
        address = self.quickstart.url + self.masks.unmasked(path)
        location = signed_in(requests.Session(), address, facts["username"], facts["password"])
        self.masks.real[transcript.CODE] = code_in(location)

    def answer(self, line: Mapping[str, Any]) -> Reply:
        exchange = exchange_of({**line, "path": dated(line["path"])})
        reply = self.sent(exchange, line["auth"])
        for name, mask in tokens_in(exchange.response).items():
            self.masks.real[mask] = tokens_in(reply.text).get(name, mask)
        body = self.masks.masked(reply.text).encode()
        headers = {name: self.masks.masked(value) for name, value in reply.headers.items()}
        return Reply(reply.status, headers, body)

    def sent(self, exchange: Exchange, authorization: str) -> Reply:
        headers = {"Content-Type": exchange.content_type} if exchange.content_type else {}
        if authorization:
            headers["Authorization"] = self.masks.unmasked(authorization)
        body = self.masks.unmasked(dated(exchange.body)).encode() if exchange.body is not None else None
        connection = http.client.HTTPConnection("127.0.0.1", self.quickstart.port, timeout=60)
        connection.request(exchange.method, self.masks.unmasked(exchange.path), body, headers)
        answer = connection.getresponse()
        reply = Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        connection.close()
        return reply


def played(home: Path) -> list[tuple[dict[str, Any], Reply | None]]:
    """The whole transcript against a fresh quickstart in that directory."""
    with Quickstart(home) as quickstart:
        masks = Masks({transcript.SERVER: quickstart.url, transcript.CLIENT_SECRET: quickstart.client_secret})
        return list(Player(quickstart, masks).play())


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="stagecraft-occ-") as directory:
        answered = played(Path(directory))
    text = ""
    for line, reply in answered:
        if reply is not None:
            line["status"] = reply.status
            line["headers"] = {name: reply.headers[name] for name in KEPT_HEADERS if name in reply.headers}
            line["response"] = reply.text
        text += json.dumps(line, ensure_ascii=False) + "\n"
    transcript.FILE.write_text(text)
    print(f"{transcript.FILE}: {len(answered)} lines")
    return 0


if __name__ == "__main__":
    sys.exit(main())
