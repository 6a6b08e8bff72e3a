"""The chain: what was sealed cannot be changed, moved, removed or cut off without being noticed."""

# ruff: noqa: S608 - these tests write SQL as an attacker with all rights does
from __future__ import annotations

import re
import threading
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from portal.audit import ledger, partitions, sealing
from portal.audit.ledger import Event
from portal.audit.models import AuditCheckpoint, AuditEvent
from portal.audit.retention import retain
from portal.audit.verification import verify

pytestmark = pytest.mark.django_db
TABLE = AuditEvent._meta.db_table


def write(number: int, **values: Any) -> list[Event]:
    made = [
        Event("component:update", "tester", "human", "cli", f"request-{index}", name=f"c{index}", **values)
        for index in range(number)
    ]
    ledger.write(made)
    return made


def sealed(number: int = 10) -> None:
    write(number)
    sealing.seal_pending(with_checkpoint=True)


def tamper(sql: str, *parameters: Any) -> None:
    """What somebody with all rights on the database does: put the guards away, then change."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"ALTER TABLE {TABLE} DISABLE TRIGGER USER")
        else:
            cursor.execute(f"DROP TRIGGER IF EXISTS {TABLE}_rows")
        cursor.execute(sql, parameters)


@pytest.fixture(autouse=True)
def only_this_test(db: None) -> None:
    """Begin with an empty log."""
    tamper(f"DELETE FROM {TABLE}")
    AuditCheckpoint.objects.all().delete()
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"ALTER TABLE {TABLE} ENABLE TRIGGER USER")
        else:
            cursor.execute(partitions.guard_of_sqlite(AuditEvent))


def seal_of(event: Event) -> int:
    return AuditEvent.objects.system("test").get(id=event.id).seal


def test_a_log_that_nobody_touched_is_whole() -> None:
    sealed(10)
    sealed(7)
    verdict = verify()
    assert (verdict.problem, verdict.events, verdict.seal, verdict.pending) == ("", 17, 17, 0)


def test_events_keep_the_order_in_which_they_were_written() -> None:
    made = write(50)
    sealing.seal_pending()
    assert [event.id for event in made] == list(
        AuditEvent.objects.system("test").order_by("seal").values_list("id", flat=True)
    )


def test_sealing_goes_on_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "BATCH", 4)
    write(11)
    assert sealing.seal_pending(with_checkpoint=True) == 11
    assert verify().is_whole
    assert verify().events == 11


@pytest.mark.parametrize("column", ["actor", "outcome", "details", "on_behalf_of", "action"])
def test_attack_28_an_event_changed_by_hand_is_named(column: str) -> None:
    sealed()
    tamper(f"UPDATE {TABLE} SET {column} = 'other' WHERE seal = 4")
    assert re.search(r"^event 4 \(.*was changed", verify().problem)


def test_attack_28_an_event_changed_with_all_hashes_after_it_is_named() -> None:
    sealed()
    tamper(f"UPDATE {TABLE} SET actor = 'other' WHERE seal = 4")
    digest = AuditEvent.objects.system("test").get(seal=3).hash
    for row in AuditEvent.objects.system("test").filter(seal__gte=4).order_by("seal").values("seal", *sealing.HASHED):
        number = row.pop("seal")
        digest = sealing.link(digest, number, row)
        tamper(f"UPDATE {TABLE} SET hash = %s WHERE seal = %s", digest, number)
    assert "event 10" in verify().problem
    assert "a checkpoint says otherwise" in verify().problem


def test_attack_28_a_removed_event_is_named() -> None:
    sealed()
    tamper(f"DELETE FROM {TABLE} WHERE seal = 6")
    assert verify().problem.startswith("event 6 is missing")


def test_attack_28_two_events_that_changed_places_are_named() -> None:
    sealed()
    tamper(f"UPDATE {TABLE} SET seal = CASE seal WHEN 3 THEN 7 ELSE 3 END WHERE seal IN (3, 7)")
    assert verify().problem.startswith("event 3 ")


def test_attack_28_a_log_whose_end_was_cut_off_is_noticed() -> None:
    sealed()
    tamper(f"DELETE FROM {TABLE} WHERE seal > 8")
    assert verify().problem == "the log was cut off after event 8: a checkpoint knows of event 10"


def test_attack_28_a_cut_off_end_shows_even_without_the_checkpoints_of_the_database_and_with_new_events() -> None:
    sealed()
    tamper(f"DELETE FROM {TABLE} WHERE seal > 8")
    AuditCheckpoint.objects.all().delete()
    assert "cut off" in verify().problem
    write(5)
    sealing.seal_pending()
    assert not verify().is_whole


def test_attack_28_the_chain_goes_on_behind_a_gap_so_that_the_gap_stays() -> None:
    sealed()
    tamper(f"DELETE FROM {TABLE} WHERE seal > 8")
    event = write(1)[0]
    sealing.seal_pending()
    assert seal_of(event) == 11
    assert verify().problem.startswith("event 9 is missing")


def test_attack_28_a_checkpoint_made_without_the_key_is_refused(checkpoint_file: Path) -> None:
    sealed()
    AuditCheckpoint.objects.update(seal=3)
    assert "not made with this AUDIT_KEY" in verify().problem
    AuditCheckpoint.objects.all().delete()
    checkpoint_file.write_text(checkpoint_file.read_text().replace('"seal": 10', '"seal": 9'))
    assert verify().problem == "line 1 of the checkpoint file was not made with this AUDIT_KEY"


@pytest.mark.parametrize("statement", [f"UPDATE {TABLE} SET actor = 'x'", f"UPDATE {TABLE} SET hash = 'x'"])
def test_attack_28_the_database_refuses_to_change_an_event(statement: str) -> None:
    sealed(3)
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_attack_28_an_event_is_not_changed_while_it_is_sealed() -> None:
    write(1)
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE {TABLE} SET seal = 1, hash = 'x', actor = 'x'")


def test_attack_28_postgresql_refuses_to_delete_events() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("on SQLite retention deletes rows; there the chain shows what is missing")
    sealed(3)
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {TABLE}")


def test_attack_28_a_clock_that_goes_back_does_not_break_the_chain() -> None:
    write(3)
    write(3, recorded_at=datetime.now(UTC) - timedelta(days=2))
    sealing.seal_pending(with_checkpoint=True)
    assert verify().is_whole


def test_verify_tells_of_events_that_no_worker_seals() -> None:
    write(2, recorded_at=datetime.now(UTC) - timedelta(minutes=5))
    verdict = verify()
    assert verdict.is_whole
    assert "2 events wait" in verdict.warning


def test_the_command_says_what_is_broken() -> None:
    sealed()
    out = StringIO()
    call_command("audit", "verify", stdout=out)
    assert "10 events are whole" in out.getvalue()
    tamper(f"DELETE FROM {TABLE} WHERE seal = 2")
    with pytest.raises(CommandError, match="event 2 is missing"):
        call_command("audit", "verify")


def old_months() -> None:
    """Three events four months ago, one of them sealed late, then some of today."""
    now = datetime.now(UTC)
    four_months_ago = datetime.combine(partitions.months_before(now.date().replace(day=1), 4), datetime.min.time(), UTC)
    if connection.vendor == "postgresql":
        month = four_months_ago.date()
        with connection.cursor() as cursor:
            cursor.execute(
                f"CREATE TABLE {TABLE}_y{month.year}m{month.month:02} PARTITION OF {TABLE} "
                f"FOR VALUES FROM ('{month}') TO ('{partitions.month_after(month)}')"
            )
    write(2, recorded_at=four_months_ago + timedelta(days=1))
    write(2)
    sealing.seal_pending()
    write(1, recorded_at=four_months_ago + timedelta(days=2))
    write(3)
    sealing.seal_pending(with_checkpoint=True)


def test_retention_drops_old_months_and_the_rest_stays_proven() -> None:
    old_months()
    dropped = retain(2)
    assert dropped.events == 3
    verdict = verify()
    assert (verdict.problem, verdict.events) == ("", 5)
    sealed(2)
    assert verify().is_whole
    assert retain(2).events == 0


@pytest.mark.parametrize("seal", [3, 4, 6, 8])
def test_after_retention_a_removed_event_is_still_noticed(seal: int) -> None:
    old_months()
    retain(2)
    assert AuditEvent.objects.system("test").filter(seal=seal).exists()
    tamper(f"DELETE FROM {TABLE} WHERE seal = {seal}")
    assert not verify().is_whole


def test_what_retention_drops_without_the_key_is_noticed() -> None:
    old_months()
    tamper(f"DELETE FROM {TABLE} WHERE seal <= 2")
    assert verify().problem.startswith("event 1 is missing")


@pytest.mark.django_db(transaction=True)
def test_many_writers_and_two_sealers_keep_one_chain() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    failures: list[BaseException] = []

    def work(task: Any) -> None:
        try:
            for _ in range(25):
                task()
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    def write_in_transaction() -> None:
        with transaction.atomic():
            write(2)

    tasks = [write_in_transaction] * 4 + [sealing.seal_pending] * 2
    threads = [threading.Thread(target=work, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    sealing.seal_pending(with_checkpoint=True)
    verdict = verify()
    assert (verdict.problem, verdict.events) == ("", 200)
