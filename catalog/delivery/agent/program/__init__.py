"""The agent: a program of its own for the cluster, started by `python -m catalog.delivery.agent.program`.

It shares `catalog.delivery.agent.messages` with the gateway and imports nothing else of the platform, no Django and no
settings: its container holds these files, aiohttp and Python.
"""
