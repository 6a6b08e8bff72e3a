"""The MCP endpoints: how agents and their clients reach what REST reaches, over the Model Context Protocol.

    server.py     one MCP server: its name, its tools, prompts and resources
    registry.py   what a tool is, and the set that the domain fills when its apps load
    arguments.py  the schemas of arguments and results, and checking what a client sent
    rpc.py        JSON-RPC messages and the versions of the protocol
    view.py       the stateless HTTP view
    listing.py    tools/list: what the caller may use, its bytes written once
    calling.py    tools/call: checked, judged, audited, answered
    reach.py      whether a caller could use an action anywhere, deny rules included

Nothing here knows a kind of object: `catalog.mcp` and `workflows.mcp` declare the tools, and their handlers go through
the same functions as REST. `docs/guides/agents.md` is for users.
"""
