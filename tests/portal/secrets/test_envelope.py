"""What is sealed opens in its own place only, and keys can be changed."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

import pytest

from portal.secrets import CannotOpen, context, keys, open_sealed, seal
from portal.secrets.envelope import key_id_of, reseal

HERE = context("webhookkey", 7, "key", "acme")


def key(name: str, byte: int) -> str:
    return f"{name}:{base64.b64encode(bytes([byte]) * 32).decode()}"


@pytest.fixture(autouse=True)
def own_keys(tmp_path: Path, settings: Any) -> Path:
    settings.SECRETS_KEYS = ""
    settings.SECRETS_KEYS_FILE = tmp_path / "secrets-keys"
    return tmp_path / "secrets-keys"


@pytest.mark.parametrize("text", ["", "x", "correct horse", "ünï\0code\n", "x" * 100_000])
def test_it_opens_to_what_was_sealed(text: str) -> None:
    sealed = seal(text, HERE)
    assert open_sealed(sealed, HERE).reveal() == text
    assert len(text) < 5 or text not in sealed


def test_the_same_text_is_never_sealed_the_same() -> None:
    assert seal("x", HERE) != seal("x", HERE)


@pytest.mark.parametrize(
    "place",
    [
        context("webhookkey", 8, "key", "acme"),
        context("webhookkey", 7, "other", "acme"),
        context("webhookkey", 7, "key", "other"),
        context("signingkey", 7, "key", "acme"),
        context("webhookkey", "7|key", "", "acme"),
        "",
    ],
)
def test_it_opens_in_no_other_place(place: str) -> None:
    with pytest.raises(CannotOpen, match="belongs elsewhere or has been changed"):
        open_sealed(seal("x", HERE), place)


def test_no_two_places_read_the_same() -> None:
    assert context("a", "b|c", "d") != context("a", "b", "c|d") != context("a|b", "c", "d")
    assert context("t", 'x","y', "z") != context("t", "x", 'y","z')


def test_every_changed_character_is_noticed() -> None:
    sealed = seal("a secret", HERE)
    for index, letter in enumerate(sealed):
        other = "A" if letter != "A" else "B"
        changed = sealed[:index] + other + sealed[index + 1 :]
        try:
            opened = open_sealed(changed, HERE)
        except CannotOpen:
            continue
        # The last letter of a base64 part may carry bits that mean nothing.
        assert opened.reveal() == "a secret" and (index + 1 == len(sealed) or sealed[index + 1] == ".")


@pytest.mark.parametrize("text", ["", "plain", "v1.k1.x", "v2.k1.a.b", "v1.k1..", "v1.k1.a.b.c", "v1.k1.é.ü"])
def test_what_is_no_sealed_text_is_refused(text: str) -> None:
    with pytest.raises(CannotOpen):
        open_sealed(text, HERE)


def test_the_kept_key_is_made_once_and_private(own_keys: Path) -> None:
    sealed = seal("x", HERE)
    assert own_keys.stat().st_mode & 0o777 == 0o600
    held = own_keys.read_text()
    assert open_sealed(sealed, HERE) == "x"
    assert own_keys.read_text() == held
    assert [path.name for path in own_keys.parent.iterdir()] == ["secrets-keys"]


def test_a_key_first_in_the_setting_seals_and_the_ones_behind_it_still_open(settings: Any) -> None:
    settings.SECRETS_KEYS = key("old", 1)
    sealed = seal("x", HERE)
    settings.SECRETS_KEYS = f"{key('new', 2)}, {key('old', 1)}"
    assert open_sealed(sealed, HERE) == "x"
    renewed = reseal(sealed, HERE)
    assert (key_id_of(sealed), key_id_of(renewed)) == ("old", "new")
    assert renewed.split(".")[3] == sealed.split(".")[3]  # the text itself was not touched
    settings.SECRETS_KEYS = key("new", 2)
    assert open_sealed(renewed, HERE) == "x"
    with pytest.raises(CannotOpen, match="put that key back behind the present one"):
        open_sealed(sealed, HERE)


def test_another_key_of_the_same_id_opens_nothing(settings: Any) -> None:
    settings.SECRETS_KEYS = key("k", 1)
    sealed = seal("x", HERE)
    settings.SECRETS_KEYS = key("k", 2)
    with pytest.raises(CannotOpen):
        open_sealed(sealed, HERE)


def test_a_running_server_takes_up_a_new_key(own_keys: Path) -> None:
    before = seal("x", HERE)
    made = keys.make_key()
    os.utime(own_keys, ns=(1, 1))  # as if another process had written it at another moment
    assert key_id_of(seal("y", HERE)) == made.id
    assert open_sealed(before, HERE) == "x"
    assert repr(made) == f"Key({made.id!r})"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("c2VjcmV0", "key 1 must be written as id:base64"),
        ("k:not base64!", "key 'k' is not base64"),
        (f"k:{base64.b64encode(b'short').decode()}", "has 5 bytes and must have 32"),
        (f"{key('k', 1)},{key('k', 2)}", "two keys are called 'k'"),
        (f"K.1:{base64.b64encode(bytes(32)).decode()}", "with an id of a-z, 0-9 and -"),
    ],
)
def test_a_bad_key_is_explained_without_quoting_it(text: str, words: str) -> None:
    with pytest.raises(ValueError, match="key") as refused:
        keys.parse_keys(text)
    assert words in str(refused.value)
    assert text.rpartition(":")[2] not in str(refused.value)
