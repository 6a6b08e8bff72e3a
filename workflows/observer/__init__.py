"""The observer: logs, events, metrics, traces, costs, alerts and incidents of what the platform runs.

It keeps none of the first five itself: modules of the ecosystem do, behind small HTTP servers called adapters, whose
contract is OpenChoreo's (`adapters` says which one answers, `asking` asks it). A question travels

    window and scope read → permission → names to uids → the plane's adapter → its answer checked → reply

and is the same for the REST routes (`views`) and the MCP tools (`tools`): one function for each in `logs`, `metrics`,
`traces`, `costs` and `alerts`, which takes the caller's rights first.
"""
