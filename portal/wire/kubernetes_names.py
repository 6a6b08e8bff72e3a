"""Kubernetes' rules for names, labels and label values, with the texts in which it refuses them.

Clients of the contract print these texts. Each function returns every reason why a text is refused, none if it is good.
"""

from __future__ import annotations

import re

LABEL_MAX = 63
SUBDOMAIN_MAX = 253
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_QUALIFIED = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")


def label_problems(text: str) -> list[str]:
    """A label of a domain name: what a namespace is called."""
    found = longer_than(LABEL_MAX, text, "characters")
    if not _LABEL.fullmatch(text):
        words = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-'"
        is_dotted = _SUBDOMAIN.fullmatch(text)
        found.append("must not contain dots" if is_dotted else form(words, _LABEL, "'my-name',  or '123-abc'"))
    return found


def subdomain_problems(text: str, unit: str = "characters") -> list[str]:
    """A domain name: what most objects are called, and the prefix of a label's key."""
    found = longer_than(SUBDOMAIN_MAX, text, unit)
    if not _SUBDOMAIN.fullmatch(text):
        words = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.'"
        found.append(form(words, _SUBDOMAIN, "'example.com'"))
    return found


def label_key_problems(text: str) -> list[str]:
    """The key of a label or annotation: an optional domain name and a slash, then a name."""
    words = "must consist of alphanumeric characters, '-', '_' or '.'"
    rule = form(words, _QUALIFIED, "'MyName',  or 'my.name',  or '123-abc'")
    if text.count("/") > 1:
        return [f"a valid label key {rule} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"]
    prefix, slash, name = text.rpartition("/")
    found = []
    if slash and not prefix:
        found.append("prefix part must be non-empty")
    elif slash:
        found += [f"prefix part {problem}" for problem in subdomain_problems(prefix, "bytes")]
    if not name:
        found.append("name part must be non-empty")
    found += [f"name part {problem}" for problem in longer_than(LABEL_MAX, name, "bytes")]
    return found if _QUALIFIED.fullmatch(name) else [*found, f"name part {rule}"]


def label_value_problems(text: str) -> list[str]:
    """The value of a label."""
    found = longer_than(LABEL_MAX, text, "bytes")
    if not _VALUE.fullmatch(text):
        words = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.'"
        found.append(form(words, _VALUE, "'MyValue',  or 'my_value',  or '12345'"))
    return found


def longer_than(limit: int, text: str, unit: str) -> list[str]:
    """Kubernetes counts characters of names and bytes of labels; both are ASCII where they are valid."""
    return [f"must be no more than {limit} {unit}"] if len(text) > limit else []


def form(words: str, rule: re.Pattern[str], examples: str) -> str:
    ends = "must start and end with an alphanumeric character"
    return f"{words}, and {ends} (e.g. {examples}, regex used for validation is '{rule.pattern}')"
