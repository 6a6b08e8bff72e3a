"""Planes behind an agent: it runs in the cluster and dials out to the gateway, which needs no way in."""
