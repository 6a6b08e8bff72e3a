"""`python -m tests.soak.fuzz TARGET DIRECTORY SECONDS`: fuzz one target, guided by the coverage of the compiler.

Needs `atheris`. The directory takes the inputs that were found to matter, and the crash, if there is one. The exit code
is 0 when nothing was found.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

MAX_LENGTH = 2000
SECONDS_FOR_ONE_INPUT = 10
MEMORY_MB = 2048


def main(name: str, directory: Path, seconds: int) -> None:
    with atheris.instrument_imports(include=["catalog.compiler"]):
        from tests.soak.targets import TARGETS
    target = TARGETS[name]
    corpus = directory / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds):
        (corpus / f"seed-{number}").write_bytes(seed.encode())
    words = directory / "words"
    words.write_text("".join(f'"{quoted(word)}"\n' for word in target.words))
    options = [
        f"-max_total_time={seconds}",
        f"-max_len={MAX_LENGTH}",
        "-len_control=20",
        f"-timeout={SECONDS_FOR_ONE_INPUT}",
        f"-rss_limit_mb={MEMORY_MB}",
        f"-dict={words}",
        f"-artifact_prefix={directory}/",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus)], target.run)
    atheris.Fuzz()


def quoted(word: str) -> str:
    """A word as libFuzzer's dictionaries write it."""
    return "".join(chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\x{byte:02x}" for byte in word.encode())


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
