"""Logs and Kubernetes events, of what is deployed and of workflow runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portal.access.engine import Access
from workflows.observer.adapters import adapter_for
from workflows.observer.answers import Entry, check_place, count_of, entries_of, part_of, texts, times
from workflows.observer.asking import Adapter, AdapterFailed, NotOffered, ask, path_of
from workflows.observer.refusals import ObserverRefusal
from workflows.observer.scopes import Found, note, permit, read_scope, resolve
from workflows.observer.windows import Page, Window, levels_of, text_of

PLACE_FIELDS = ("componentName", "projectName", "environmentName", "namespaceName")
UID_FIELDS = ("componentUid", "projectUid", "environmentUid")
POD_FIELDS = ("containerName", "podName", "podNamespace")
OBJECT_FIELDS = ("objectKind", "objectName", "objectNamespace")


def query_logs(access: Access, given: Mapping[str, Any]) -> Entry:
    """`{logs: [{timestamp, log, level?, metadata?}], total, tookMs}`. Entries of runs have no metadata.

    `given` is the request's body: `searchScope`, `startTime`, `endTime`, `limit`, `sortOrder`, `logLevels`,
    `searchPhrase`. Raises `ObserverRefusal`.
    """
    scope = read_scope(given, with_workflows=True)
    window, page, levels = Window.read(given), Page.read(given), levels_of(given)
    phrase = text_of(given, "searchPhrase")
    permit(access, "logs:view", scope)
    found = resolve(scope, "OBS-V1-L-04")
    adapter = adapter_for("logs", found, "OBS-V1-L-03")
    question = question_of(found, window, page)
    question |= {"logLevels": levels} if levels else {}
    question |= {"searchPhrase": phrase} if phrase else {}
    try:
        answer = ask(adapter, "POST", path_of("api", "v1", "logs", "query"), body=question)
        logs = [log_entry(adapter, entry, found) for entry in entries_of(adapter, answer, "logs")]
        reply = counted(adapter, answer, "logs", logs, page)
    except AdapterFailed as error:
        raise ObserverRefusal(500, f"Failed to retrieve logs: {error}", "OBS-V1-L-05") from error
    note(access, "logs:view", scope)
    return reply


def query_events(access: Access, given: Mapping[str, Any]) -> Entry:
    """`{events: [{timestamp, message, type?, reason?, metadata?}], total, tookMs}`. As `query_logs`; 501 where the
    adapter keeps no events."""
    scope = read_scope(given, with_workflows=True)
    window, page = Window.read(given), Page.read(given)
    permit(access, "events:view", scope)
    found = resolve(scope, "OBS-V1-E-04")
    adapter = adapter_for("logs", found, "OBS-V1-E-03")
    try:
        answer = ask(adapter, "POST", path_of("api", "v1", "events", "query"), body=question_of(found, window, page))
        events = [event_entry(adapter, entry, found) for entry in entries_of(adapter, answer, "events")]
        reply = counted(adapter, answer, "events", events, page)
    except NotOffered as error:
        text = "Events query is not implemented by the configured logs adapter"
        raise ObserverRefusal(501, text, "OBS-V1-E-06") from error
    except AdapterFailed as error:
        raise ObserverRefusal(500, f"Failed to retrieve events: {error}", "OBS-V1-E-05") from error
    note(access, "events:view", scope)
    return reply


def question_of(found: Found, window: Window, page: Page) -> Entry:
    """What logs adapters are asked."""
    return {
        "searchScope": found.for_adapter,
        "startTime": window.start,
        "endTime": window.end,
        "limit": page.limit,
        "sortOrder": page.order,
    }


def log_entry(adapter: Adapter, entry: Mapping[str, Any], found: Found) -> Entry:
    line = {**times(adapter, entry, ("timestamp",)), "log": "", **texts(adapter, entry, ("log", "level"))}
    if found.scope.is_workflow:
        return line
    return {**line, "metadata": metadata_of(adapter, entry, found, (*PLACE_FIELDS, *UID_FIELDS, *POD_FIELDS))}


def event_entry(adapter: Adapter, entry: Mapping[str, Any], found: Found) -> Entry:
    line = {
        **times(adapter, entry, ("timestamp",)),
        "message": "",
        **texts(adapter, entry, ("message", "type", "reason")),
    }
    return {**line, "metadata": metadata_of(adapter, entry, found, (*PLACE_FIELDS, *UID_FIELDS, *OBJECT_FIELDS))}


def metadata_of(adapter: Adapter, entry: Mapping[str, Any], found: Found, fields: tuple[str, ...]) -> Entry:
    """What an entry says of itself. Raises `AdapterFailed` if it is of another place than was asked for."""
    metadata = texts(adapter, part_of(adapter, entry, "metadata"), fields)
    check_place(adapter, metadata, found.identity)
    return metadata


def counted(adapter: Adapter, answer: Mapping[str, Any], field: str, entries: list[Entry], page: Page) -> Entry:
    """The reply of a list: never more entries than were asked for; the total tells of the others."""
    total = max(count_of(adapter, answer, "total", len(entries)), len(entries))
    return {field: entries[: page.limit], "total": total, "tookMs": count_of(adapter, answer, "tookMs")}
