"""A TypeScript client, generated from the contract's document as OpenChoreo's own is, calls every operation.

OpenChoreo's portal talks through types that `openapi-typescript` makes of the document, and through `openapi-fetch`.
Its package is not on the public registry, so `build` makes the same from the document, with the same two programs.
"""
