"""The REST API of the contract, and Stagecraft's own extensions to it.

A request for an object goes `urls` → `portal.access.endpoint` (route, query, authentication) → `crud` (permission,
body) → the kind's `Collection` (what is special about the kind) → `catalog.store`. Lists go `crud` → `listing`: one
query, no model instances. `stagecraft/` holds what lies under `/api/stagecraft/v1/`.
"""
