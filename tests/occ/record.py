"""`python -m tests.occ.record PROGRAM`: runs the session with the CLI against a quickstart and writes the transcript.

Requests pass a proxy, which lets controllers come to rest before each, so that the answers are the same every time.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests

from tests.occ import commands, transcript
from tests.occ.browser import code_in, signed_in
from tests.occ.quickstart import Quickstart
from tests.occ.transcript import KEPT_HEADERS, Masks
from tests.real.services import free_port

NOT_FORWARDED = frozenset({"connection", "accept-encoding", "content-length", "transfer-encoding"})
FROM_BROWSER = "X-From-Browser"
"""Marks what a person's browser sends: that part of a sign-in is done anew in each replay, by its forms."""


@dataclass
class Recorder:
    """What passes the proxy, as lines of the transcript."""

    quickstart: Quickstart
    masks: Masks
    command: str = ""
    made: list[dict[str, Any]] = field(default_factory=list)
    one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def forward(
        self, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        with self.one_at_a_time:
            self.quickstart.settle()
            connection = http.client.HTTPConnection("127.0.0.1", self.quickstart.port, timeout=60)
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            replied = {name.lower(): value for name, value in answer.getheaders()}
            if FROM_BROWSER not in headers:
                self.note(method, path, body, headers, answer.status, replied, content)
            return answer.status, replied, content

    def note(
        self,
        method: str,
        path: str,
        body: bytes,
        headers: dict[str, str],
        status: int,
        replied: dict[str, str],
        content: bytes,
    ) -> None:
        self.masks.learn(content.decode())
        line: dict[str, Any] = {"n": len(self.made) + 1, "group": self.command}
        line["auth"] = self.masks.masked(headers.get("Authorization", ""))
        line |= {"method": method, "path": self.masks.masked(path)}
        if body:
            line["body"] = self.masks.masked(body.decode())
            line["content_type"] = headers.get("Content-Type", "")
        line["status"] = status
        line["headers"] = {name: self.masks.masked(replied[name]) for name in KEPT_HEADERS if name in replied}
        line["response"] = self.masks.masked(content.decode())
        if self.is_news(line):
            self.made.append(line)

    def is_news(self, line: dict[str, Any]) -> bool:
        """The CLI asks for the public documents before every command; the same answer is written once."""
        told = {**line, "n": 0, "group": ""}
        return "/.well-known/" not in line["path"] or all({**made, "n": 0, "group": ""} != told for made in self.made)


def proxy(recorder: Recorder, port: int) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name: value for name, value in self.headers.items() if name.lower() not in NOT_FORWARDED}
            status, replied, content = recorder.forward(self.command, self.path, body, headers)
            self.send_response(status)
            for name, value in replied.items():
                if name not in ("content-length", "connection", "transfer-encoding"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = pass_on

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@dataclass
class Session:
    """Somebody at a terminal, with a home of their own."""

    program: str
    recorder: Recorder
    environment: dict[str, str]

    def run(self, *arguments: str) -> int:
        """Run a command; its exit code. What it prints goes to our terminal, and nowhere else."""
        shown = " ".join(Path(item).name if item.startswith("/") else item for item in arguments)
        self.recorder.command = self.recorder.masks.masked(f"occ {shown}")
        print(f"$ {self.recorder.command}", flush=True)
        done = subprocess.run(
            [self.program, *arguments], env=self.environment, text=True, capture_output=True, check=False
        )
        print(f"{done.stdout}{done.stderr}[exit {done.returncode}]", flush=True)
        return done.returncode

    def sign_in_with_browser(self) -> None:
        """`occ login`, and the person whom it waits for."""
        self.recorder.command = "occ login"
        waiting = subprocess.Popen(
            [self.program, *commands.WITH_BROWSER],
            env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        try:
            self.answer(waiting)
        finally:
            waiting.kill()

    def answer(self, waiting: subprocess.Popen[str]) -> None:
        """Do what the waiting CLI asks for: open the address, sign in, and go where that leads."""
        assert waiting.stdout is not None
        facts = self.recorder.quickstart.facts
        address = next(line.strip() for line in waiting.stdout if line.startswith("http"))
        path = address.partition(self.recorder.quickstart.public_url)[2]
        self.recorder.made.append({"n": len(self.recorder.made) + 1, "group": "occ login", "browser": path})
        browser = requests.Session()
        browser.headers[FROM_BROWSER] = "1"
        location = signed_in(browser, address, facts["username"], facts["password"])
        self.recorder.masks.real[transcript.CODE] = code_in(location)
        requests.get(location, timeout=30)  # back to the CLI
        print(waiting.stdout.read(), flush=True)
        assert waiting.wait(30) == 0


def main(program: str) -> int:
    with tempfile.TemporaryDirectory(prefix="stagecraft-occ-") as directory:
        home = Path(directory)
        port = free_port()
        public_url = f"http://127.0.0.1:{port}"
        with Quickstart(home / "stagecraft", public_url) as quickstart:
            masks = Masks({transcript.SERVER: public_url, transcript.CLIENT_SECRET: quickstart.client_secret})
            recorder = Recorder(quickstart, masks)
            server = proxy(recorder, port)
            (home / "user").mkdir()
            environment = {
                **os.environ, "HOME": str(home / "user"), "CHOREO_API_ENDPOINT": public_url, "BROWSER": "/bin/true",
                "PATH": "/usr/bin:/bin",
            }  # fmt: skip
            session = Session(program, recorder, environment)
            os.chdir(home)  # some commands write files
            session.run(*commands.LOGIN, quickstart.client_secret)
            for command in (*commands.PLATFORM, *commands.DEVELOPER):
                session.run(*command)
            session.sign_in_with_browser()
            for command in commands.PERSON:
                session.run(*command)
            server.shutdown()
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in recorder.made)
    transcript.FILE.write_text(text)
    print(f"{transcript.FILE}: {len(recorder.made)} lines, {len(text)} characters")
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.occ.record", description=__doc__)
    parser.add_argument("program", type=lambda given: str(Path(given).resolve(strict=True)))
    sys.exit(main(parser.parse_args().program))
