"""Secrets that we must keep: sealed in the database, redacted wherever they pass.

    sealed = seal(text, context("webhookkey", row.pk, "key", namespace))     # a str for a text column
    open_sealed(sealed, context("webhookkey", row.pk, "key", namespace))     # a SecretText
    text.reveal()                                                            # the one way to the plain text

Import from here; the modules below are the parts: `text` (the type that redacts), `keys` (the keys that seal),
`envelope` (the format), `columns` (which columns of which tables are sealed, so that keys can be changed). Nothing here
decides who may see a secret.
"""

from portal.secrets.columns import SealedColumn, declare_sealed
from portal.secrets.envelope import CannotOpen, context, open_sealed, seal
from portal.secrets.text import SecretText

__all__ = ["CannotOpen", "SealedColumn", "SecretText", "context", "declare_sealed", "open_sealed", "seal"]
