"""Sends recorded REST exchanges to a real, fresh Stagecraft and says which answers differ.

    python -m tests.replay FILE [--with FILE]

`exchanges` reads recordings, `stage` starts the server, `identities` is the outside issuer of the recorded callers,
`player` sends the requests in order, `comparison` finds what differs, `deliberate` knows which differences are meant,
`report` prints.
"""
