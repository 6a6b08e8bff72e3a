"""How the contract looks on HTTP: JSON as Go writes it, error bodies, cursors, label selectors, request ids.

Nothing here knows of objects or of the database; `catalog.api` and every other HTTP surface stand on it.
"""
