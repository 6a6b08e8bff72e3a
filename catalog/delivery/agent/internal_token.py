"""How the platform's own processes prove themselves to the gateway's internal port: a short-lived signed word.

It is signed with what all of them share, `SECRET_KEY`, and made anew for each request.
"""

from __future__ import annotations

from django.core import signing

SALT = "stagecraft.gateway.internal"
LIFE_SECONDS = 60
SUBJECT = "internal"


def issue() -> str:
    """The value of the header `Authorization`."""
    return f"Bearer {signing.TimestampSigner(salt=SALT).sign(SUBJECT)}"


def is_good(header: str) -> bool:
    """Whether a header `Authorization` was made by us, lately."""
    scheme, _, token = header.partition(" ")
    try:
        return scheme == "Bearer" and signing.TimestampSigner(salt=SALT).unsign(token, max_age=LIFE_SECONDS) == SUBJECT
    except signing.BadSignature:
        return False
