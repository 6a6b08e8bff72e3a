"""Pieces of spec schema that many kinds share: names, references, owners, secrets, schema sections."""

from __future__ import annotations

from catalog.kinds.schema import Schema, enum, obj, raw_object, string

DNS_LABEL = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"


def name() -> Schema:
    """A name that may not be empty."""
    return string(min_length=1)


def short_name() -> Schema:
    """A name as long as a DNS label may be, its characters not checked."""
    return string(min_length=1, max_length=63)


def typed_ref(*kinds: str, default: str | None = None, name_shape: Schema | None = None) -> Schema:
    """A reference `{kind, name}`; the kind may be left out where there is a default."""
    kind_field = "kind" if default else "kind!"
    return obj({kind_field: enum(*kinds, default=default), "name!": name_shape or name()})


def owner(*others: str) -> Schema:
    """The project that the object belongs to, and further required fields of the same form."""
    return obj({f"{field}!": name() for field in ("projectName", *others)})


def secret_key_ref() -> Schema:
    """One key of a named secret or config map."""
    return obj({"name!": name(), "key!": name()})


def schema_section() -> Schema:
    """A schema that the platform engineer writes for the parameters of a type."""
    return obj({"openAPIV3Schema": raw_object()})


def target_plane() -> Schema:
    """Which plane a rendered object goes to."""
    return enum("dataplane", "observabilityplane", default="dataplane")
