"""The client as a program for Node: types generated from the document, our calls, compiled; cached outside the tree.

`node_modules` is installed once by the lock file, exact to the version; what is compiled depends on the document too.
Everything lies below `~/.cache/stagecraft`, as the other real components do.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.contract.any_request import rights
from tests.contract.document import Document, Operation
from tests.contract.plan import Plan
from tests.real.cluster.build import cache, locked
from tests.real.services import Unavailable

HERE = Path(__file__).resolve().parent
INSTALLED_BY = ("package.json", "package-lock.json")
GENERATED_AS = ("-o", "contract.d.ts", "--default-non-nullable", "false")
"""A field with a default may be left out of a request."""
OURS = ("client.ts", "tsconfig.json")


def program(contract: Document, source: Path) -> Path:
    """`client.js`, built from the document in the file `source`. Raises `Unavailable`, AssertionError for types."""
    made = {"calls.ts": calls(contract), "bodies.ts": bodies(contract)}
    texts = [source.read_bytes(), *(text.encode() for text in made.values())]
    digest = hashlib.sha256(b"".join([*map(read, (*INSTALLED_BY, *OURS)), *texts])).hexdigest()[:16]
    home = cache() / f"typescript-{digest}"
    with locked(cache() / "typescript.lock"):
        if not (home / "built" / "client.js").exists():
            shutil.rmtree(home, ignore_errors=True)
            home.mkdir()
            install(home)
            for name in OURS:
                shutil.copy(HERE / name, home)
            for name, text in made.items():
                (home / name).write_text(text)
            run("npx", "--no-install", "openapi-typescript", str(source), *GENERATED_AS, cwd=home)
            compiled = subprocess.run(
                ["npx", "--no-install", "tsc"], cwd=home, capture_output=True, text=True, check=False
            )
            if compiled.returncode != 0:
                shutil.rmtree(home / "built", ignore_errors=True)
                raise AssertionError(f"the client's types do not allow our requests:\n{compiled.stdout[-5000:]}")
    return home / "built" / "client.js"


def read(name: str) -> bytes:
    return (HERE / name).read_bytes()


def install(home: Path) -> None:
    """The exact versions of the lock file, through npm."""
    for name in INSTALLED_BY:
        shutil.copy(HERE / name, home)
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise Unavailable("there is no Node with npm (programs `node` and `npm`)")
    run("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", cwd=home)


def run(*command: str, cwd: Path) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Unavailable(f"{' '.join(command[:3])} failed: {(done.stderr or done.stdout).strip()[-1000:]}")


def calls(contract: Document) -> str:
    """A function for each operation that calls its path by the typed client: a path that it lacks does not compile."""
    lines = [
        'import type { Client } from "openapi-fetch";',
        'import type { paths } from "./contract.js";',
        "// Requests are data here; what may be in them is checked in bodies.ts.",
        "export const callsOf = (client: Client<paths>) => ({",
    ]
    for operation in contract.operations.values():
        given = '{ ...init, parseAs: "text" }' if is_text(operation) else "init"
        path = json.dumps(operation.path)
        lines.append(f"  {operation.name}: (init: any) => client.{operation.method}({path}, {given}),")
    return "\n".join([*lines, "});"]) + "\n"


def is_text(operation: Operation) -> bool:
    """Whether success is told as text; a client has to know."""
    return any("text/plain" in operation.content_types(status) for status in operation.statuses if status < 300)


def bodies(contract: Document) -> str:
    """Our requests as values of the client's types."""
    lines = ['import type { operations } from "./contract.js";']
    for name, body in rights(Plan(contract)).items():
        content = f'NonNullable<operations["{name}"]["requestBody"]>["content"]["application/json"]'
        lines.append(f"export const {name}: {content} = {text_of(body)};")
    return "\n".join(lines) + "\n"


def text_of(body: Any) -> str:
    return json.dumps(body, indent=1)
