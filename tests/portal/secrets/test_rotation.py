"""A new key for everything that is sealed, while servers run."""

from __future__ import annotations

import base64
import json
import os
import uuid
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from portal.audit.models import AuditEvent
from portal.secrets import columns, open_sealed, seal
from portal.secrets.envelope import key_id_of
from portal.secrets.keys import keyring
from portal.secrets.models import HeldSecret

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_keys(tmp_path: Path, settings: Any) -> Path:
    settings.SECRETS_KEYS = ""
    settings.SECRETS_KEYS_FILE = tmp_path / "secrets-keys"
    return tmp_path / "secrets-keys"


def held(text: str) -> HeldSecret:
    row = HeldSecret(owner=uuid.uuid4(), namespace="acme", name=f"s-{text}")
    row.sealed = seal(text, row.context)
    row.save()
    return row


def rotate(*arguments: str) -> str:
    out = StringIO()
    call_command("rotate_secrets_key", *arguments, stdout=out)
    return out.getvalue()


def opened() -> list[str]:
    return [
        open_sealed(row.sealed, row.context).reveal() for row in HeldSecret.objects.exclude(sealed="").order_by("pk")
    ]


def let_settle(path: Path) -> None:
    os.utime(path, (0, 0))


def test_everything_comes_under_a_new_key_and_old_keys_go_when_nothing_needs_them(own_keys: Path) -> None:
    held("a"), held("b")
    HeldSecret.objects.create(owner=uuid.uuid4(), namespace="acme", name="on-a-plane", sealed="")
    old = keyring()[0].id
    assert "2 secrets brought under the key" in rotate()
    new = keyring()[0].id
    assert new != old
    assert {key_id_of(row.sealed) for row in HeldSecret.objects.exclude(sealed="")} == {new}
    assert opened() == ["a", "b"]
    with pytest.raises(CommandError, match="60 seconds after the change"):
        rotate("--forget")
    let_settle(own_keys)
    assert f"keys forgotten: {old}" in rotate("--forget")
    assert [key.id for key in keyring()] == [new]
    assert opened() == ["a", "b"]
    assert own_keys.stat().st_mode & 0o777 == 0o600


def test_forgetting_first_brings_along_what_a_slow_server_sealed_with_the_old_key(own_keys: Path) -> None:
    row = held("a")
    rotate()
    HeldSecret.objects.filter(pk=row.pk).update(sealed=row.sealed)  # saved a moment too late
    let_settle(own_keys)
    rotate("--forget")
    assert opened() == ["a"]


def test_keys_of_the_setting_are_for_people_to_change(settings: Any) -> None:
    def key(name: str, byte: int) -> str:
        return f"{name}:{base64.b64encode(bytes([byte]) * 32).decode()}"

    settings.SECRETS_KEYS = key("old", 1)
    held("a")
    settings.SECRETS_KEYS = f"{key('new', 2)},{key('old', 1)}"
    assert "nothing needs old any more: take them out of SECRETS_KEYS" in rotate()
    settings.SECRETS_KEYS = key("new", 2)
    assert opened() == ["a"]
    with pytest.raises(CommandError, match="the keys come from SECRETS_KEYS"):
        rotate("--forget")


def test_a_row_that_does_not_open_is_named(own_keys: Path) -> None:
    row = held("a")
    HeldSecret.objects.filter(pk=row.pk).update(namespace="other")
    with pytest.raises(CommandError, match=rf"secrets\.HeldSecret\.sealed of the row {row.pk}: .* belongs elsewhere"):
        rotate()


def test_it_is_an_event_of_the_audit(own_keys: Path) -> None:
    rotate()
    (event,) = AuditEvent.objects.system("test").filter(action="secrets:rotate")
    assert event.outcome == "success"
    assert keyring()[0].id not in json.dumps(event.details)


def test_every_column_of_a_sealed_text_is_known() -> None:
    """Whatever model has a field of that name must be found by the command."""
    from django.apps import apps

    named = {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if "sealed" in field.name and field.get_internal_type() == "TextField"
    }
    assert named <= {str(column) for column in columns.sealed_columns()}
    assert "secrets.HeldSecret.sealed" in named
