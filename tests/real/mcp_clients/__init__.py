"""MCP clients that others have written, each in an environment of its own outside of the tree.

The two lines of the Python SDK cannot share an environment (the second renamed nearly everything), and the TypeScript
one lives in Node. Each is a small program here that reads a job as JSON (address, sign-in, steps), does it with the
SDK's own client, and prints what came of it as JSON; `environments` installs what they need, once.
"""
