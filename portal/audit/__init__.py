"""The audit: one event for every attempted change, written with the change, kept in a chain that shows tampering.

    operation.py     what is being attempted, by whom and from where; exactly one event comes of it
    ledger.py        events and how they are written
    redaction.py     what must never be in an event
    sealing.py       the chain of hashes, built after the fact; checkpoints.py signs its head
    verification.py  finds the first broken place
    retention.py     drops old months and leaves an anchor

The layers above fill it: `catalog.audit_trail` turns revisions into events inside their transaction.
"""
