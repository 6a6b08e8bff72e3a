"""The ``format`` keyword: what each name demands of a string.

The names and their meanings are those that the Kubernetes API server checks for custom resources; a format it does not
know has no effect. Dashes in names do not count (``date-time`` is ``datetime``). Formats of numbers (``int32``,
``double``) are ranges and belong to catalog.compiler.schema.validation.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import ipaddress
import re
from collections.abc import Callable

from catalog.compiler.schema.patterns import matcher

FormatCheck = Callable[[str], bool]


def format_check(name: str) -> FormatCheck | None:
    """Return the check of a string format, None for a name that has no effect."""
    return _CHECKS.get(name.replace("-", ""))


def _pattern(pattern: str) -> FormatCheck:
    # Compiled on first use: most schemas use no formats at all.
    return lambda text: matcher(pattern)(text)


def _uuid(version: str = "[0-9a-f]", variant: str = "[0-9a-f]") -> FormatCheck:
    return _pattern(
        f"(?i)^[0-9a-f]{{8}}-?[0-9a-f]{{4}}-?{version}[0-9a-f]{{3}}-?{variant}[0-9a-f]{{3}}-?[0-9a-f]{{12}}$"
    )


def _is_uri(text: str) -> bool:
    """An absolute URI or an absolute path, as in a request line."""
    if text == "*":
        return True
    if not text or re.search(r"[\x00-\x1f\x7f]", text) or re.search(r"%(?![0-9a-fA-F]{2})", text.split("?")[0]):
        return False
    scheme = re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", text)
    rest = text[scheme.end() :] if scheme else text
    if not rest.startswith("/"):
        return scheme is not None
    if scheme and rest.startswith("//"):
        authority = re.split(r"[/?]", rest[2:], maxsplit=1)[0].rpartition("@")[2]
        return re.fullmatch(r"(\[[0-9a-fA-F:.%A-Za-z]*\]|[^\s<>\"\[\]\\^`{|}:]*)(:[0-9]*)?", authority) is not None
    return True


_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+"
_ADDRESS = rf'(?:{_ATOM}(?:\.{_ATOM})*|"(?:[^"\\\r\n]|\\.)*")@(?:{_ATOM}(?:\.{_ATOM})*|\[[0-9A-Fa-f:.]+\])'
_MAILBOX = re.compile(rf'\s*(?:{_ADDRESS}|(?:"(?:[^"\\]|\\.)*"|[^<>"@,;:]*?)\s*<{_ADDRESS}>)\s*')


def _is_email(text: str) -> bool:
    return _MAILBOX.fullmatch(text) is not None


_LABEL = r"[a-zA-Z0-9\p{S}\p{L}]"
_HOSTNAME = _pattern(
    rf"^({_LABEL}((-?{_LABEL}{{0,62}})?)|({_LABEL}(([a-zA-Z0-9-\p{{S}}\p{{L}}]{{0,61}}{_LABEL})?)(\.)){{1,}}"
    r"([a-zA-Z\p{L}]){2,63})$"
)


def _is_hostname(text: str) -> bool:
    size = len(text.encode())
    return _HOSTNAME(text) and size <= 255 and all(len(label.encode()) <= 63 for label in text.split("."))


def _is_ipv4(text: str) -> bool:
    parts = text.split(".")
    if "." in text and ":" in text:
        return _is_ipv6(text)
    # Leading zeros are decimal and accepted, as they always were in Kubernetes.
    return len(parts) == 4 and all(re.fullmatch(r"[0-9]+", p) and int(p[-9:]) <= 255 and len(p) < 10 for p in parts)


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return "%" not in text


def _is_cidr(text: str) -> bool:
    address, slash, prefix = text.partition("/")
    if not slash or not re.fullmatch(r"[0-9]{1,3}", prefix):
        return False
    bits = 128 if ":" in address else 32
    return int(prefix) <= bits and (_is_ipv6(address) if bits == 128 else _is_ipv4(address))


def _is_mac(text: str) -> bool:
    pairs = r"[0-9a-fA-F]{2}"
    groups = r"[0-9a-fA-F]{4}"
    for size in (6, 8, 20):
        for separator in (":", "-"):
            if re.fullmatch(rf"{pairs}(?:{separator}{pairs}){{{size - 1}}}", text):
                return True
        if re.fullmatch(rf"{groups}(?:\.{groups}){{{size // 2 - 1}}}", text):
            return True
    return False


def _is_isbn10(text: str) -> bool:
    digits = re.sub(r"[\s-]+", "", text)
    if not re.fullmatch(r"[0-9]{9}[0-9X]", digits):
        return False
    return sum((i + 1) * (10 if d == "X" else int(d)) for i, d in enumerate(digits)) % 11 == 0


def _is_isbn13(text: str) -> bool:
    digits = re.sub(r"[\s-]+", "", text)
    if not re.fullmatch(r"[0-9]{13}", digits):
        return False
    return sum((3 if i % 2 else 1) * int(d) for i, d in enumerate(digits)) % 10 == 0


_CARD = _pattern(
    r"^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}"
    r"|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35\d{3})\d{11})$"
)


def _is_credit_card(text: str) -> bool:
    digits = re.sub(r"[^0-9]+", "", text)
    if not _CARD(digits):
        return False
    doubled = (int(d) * (1 + i % 2) for i, d in enumerate(reversed(digits)))
    return sum(d // 10 + d % 10 for d in doubled) % 10 == 0


def _is_base64(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True)) and len(text) % 4 == 0
    except (binascii.Error, ValueError):
        return False


def _is_date(text: str) -> bool:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return False
    year, month, day = map(int, text.split("-"))
    try:
        datetime.date(year or 2000, month, day)  # year 0 exists in Go's calendar and is a leap year
    except ValueError:
        return False
    return True


_TIME = re.compile(r"([0-9]{2}):([0-9]{2}):([0-9]{2})(?:.[0-9]+)?(?:z|[+-][0-9]{2}:[0-9]{2})")


def _is_date_time(text: str) -> bool:
    parts = text.lower().split("t")
    if len(parts) < 2 or not _is_date(parts[0]):
        return False
    match = _TIME.fullmatch(parts[1])
    return match is not None and match[1] <= "23" and match[2] <= "59" and match[3] <= "59"


_GO_DURATION = re.compile(r"[-+]?(?:0|(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+)")
_WORDED_DURATION = re.compile(r"[0-9]+\s*([A-Za-zµ]+)")
_UNITS = frozenset(("ns", "us", "µs", "ms", "s", "m", "h", "hr", "d", "w", "wk"))
_UNIT_PREFIXES = ("nano", "micro", "milli", "sec", "min", "hour", "day", "week")


def _is_duration(text: str) -> bool:
    """Go's form (``1h30m``) or words (``22 ns``, ``3 days``); in words, one known unit anywhere is enough."""
    if _GO_DURATION.fullmatch(text):
        return True
    units = (match[1].lower() for match in _WORDED_DURATION.finditer(text))
    return any(unit in _UNITS or unit.startswith(_UNIT_PREFIXES) for unit in units)


def _within(limit: int, check: FormatCheck) -> FormatCheck:
    return lambda text: len(text) <= limit and check(text)


_LONGEST_WORDED = 320  # these patterns have many ways to read spaces and digits, and no honest value is longer
_NAME_SEGMENT = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_BYTE = r"(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])"

_CHECKS: dict[str, FormatCheck] = {
    "uri": _is_uri,
    "email": _within(_LONGEST_WORDED, _is_email),
    "hostname": _is_hostname,
    "ipv4": _is_ipv4,
    "ipv6": _is_ipv6,
    "cidr": _is_cidr,
    "mac": _is_mac,
    "uuid": _uuid(),
    "uuid3": _uuid(version="3"),
    "uuid4": _uuid(version="4", variant="[89ab]"),
    "uuid5": _uuid(version="5", variant="[89ab]"),
    "isbn": lambda text: _is_isbn10(text) or _is_isbn13(text),
    "isbn10": _is_isbn10,
    "isbn13": _is_isbn13,
    "creditcard": _is_credit_card,
    "ssn": lambda text: len(text) == 11 and matcher(r"^\d{3}[- ]?\d{2}[- ]?\d{4}$")(text),
    "hexcolor": _pattern("^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$"),
    "rgbcolor": _pattern(rf"^rgb\(\s*{_BYTE}\s*,\s*{_BYTE}\s*,\s*{_BYTE}\s*\)$"),
    "byte": _is_base64,
    "password": lambda text: True,
    "date": _is_date,
    "datetime": _is_date_time,
    "duration": _within(_LONGEST_WORDED, _is_duration),
    "bsonobjectid": _pattern("^[0-9a-fA-F]{24}$"),
    "k8sshortname": _within(63, _pattern(f"^{_NAME_SEGMENT}$")),
    "k8slongname": _within(253, _pattern(rf"^{_NAME_SEGMENT}(\.{_NAME_SEGMENT})*$")),
}
