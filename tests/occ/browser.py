"""What a person does in a browser while `occ login` waits: signs in and is sent back with a code."""

from __future__ import annotations

import html
import re
from urllib.parse import parse_qs, urlsplit

import requests

HIDDEN = re.compile(r'name="(csrfmiddlewaretoken|next)" value="([^"]+)"')


def signed_in(session: requests.Session, address: str, username: str, password: str) -> str:
    """Open the address that the CLI shows, sign in there, and return where one is sent back to, code included."""
    page = session.get(address, timeout=30)
    fields = {name: html.unescape(value) for name, value in HIDDEN.findall(page.text)}
    assert set(fields) == {"csrfmiddlewaretoken", "next"}, page.text[:2000]
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(page.url))
    reply = session.post(
        page.url,
        data={**fields, "username": username, "password": password},
        headers={"Referer": page.url, "Origin": origin},
        allow_redirects=False, timeout=30,
    )  # fmt: skip
    for _ in range(5):
        location = reply.headers.get("Location", "")
        if "code=" in location:
            return location
        assert reply.is_redirect, (reply.status_code, reply.text[:2000])
        reply = session.get(requests.compat.urljoin(reply.url, location), allow_redirects=False, timeout=30)  # type: ignore[attr-defined]
    raise AssertionError("signed in, and never sent back with a code")


def code_in(location: str) -> str:
    return parse_qs(urlsplit(location).query)["code"][0]
