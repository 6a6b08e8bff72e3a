"""Stagecraft's own additions under `/api/stagecraft/v1/`: history, changes, apply, diff, rendered manifests.

They never change a path of the contract. Errors have the contract's shape, authentication and permissions are the same.

    GET  …/{object}/history            the revisions of an object, oldest first
    GET  …/{object}/as-of              the object as it stood at a sequence or a moment
    GET  …/{object}/manifests          what was rendered for a binding
    GET  …/{object}/explain            where the values of a ReleaseBinding's manifests come from
    GET  /changes                      the log from a position on
    POST /apply, POST /diff            many documents at once, YAML or JSON
    POST /preview                      what applying them would change on the planes, and for whom

`{object}` is `namespaces/{namespace}/{plural}/{name}`, or `{plural}/{name}` for cluster kinds.
"""
