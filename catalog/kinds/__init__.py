"""The kinds: one file each, what they share in `base`, their list in `registry`."""
