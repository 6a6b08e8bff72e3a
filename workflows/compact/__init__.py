"""Compact mode: the MCP server at `/mcp/compact`, with few tools over all that the others have.

The contract's 130 tools cost an agent some twenty thousand tokens before it has asked anything. Here a verb takes a
`kind`, deployments are moved by one tool each, and an answer is text within a budget that the caller may set.

    kinds.py       every kind, and the contract's tool behind each verb
    tool.py        a compact tool: which of the contract's tools a call comes down to
    dispatching.py the only way to those: the same checks, the same functions, the same audit
    verbs.py       list, get, schema, create, update, delete
    deploying.py   deploy, promote, rollback, diff
    status.py      status
    logs.py        logs, events
    observing.py   observe
    since.py       times as agents write them
    asking.py      who may, what changed
    running.py     run, and wait until something is so
    text.py        a result as lines of text
    budget.py      what a text costs, how an answer is cut, and the cursor that goes on from there
    server.py      the server

Nothing is decided here. A tool turns its arguments into calls of the contract's tools, and their results into less
text.
"""
