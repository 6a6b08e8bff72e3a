"""Stagecraft's own additions under `/api/stagecraft/v1/`: history, the changes feed, apply, diff, rendered manifests.

They never change a path of the contract; errors have the contract's shape.
"""
