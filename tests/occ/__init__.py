"""What OpenChoreo's CLI, `occ`, asks of a quickstart, and what it is answered: recorded by a run of ours, replayed.

`transcript.jsonl` holds requests and answers, in order, in the shape of `tests/replay`; `test_transcript.py` sends the
requests to a fresh quickstart and compares. To record anew, after a change that the transcript shows or with another
version of the CLI, hand the program over, which is not part of this repository:

    .venv/bin/python -m tests.occ.record path/to/occ

Where only answers have changed, and on purpose, `python -m tests.occ.player` writes them without the CLI.
"""
