"""Traces, their spans, and one span with its attributes.

The contract asks for one span by two ids alone and checks no permission, because there is no place to check. Here the
span says where it is: its resource attributes name the component, project and environment by uid, as the platform's
collectors set them, and the caller must be allowed `traces:view` there. A span that names none of ours can be seen only
by who may see the traces of everything. What may not be seen is answered as what is not there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from catalog.kinds.base import PlatformObject
from catalog.kinds.component import Component
from catalog.kinds.environment import Environment
from catalog.kinds.project import Project
from portal.access import guard
from portal.access.engine import Access
from portal.access.place import Place
from workflows.observer.adapters import adapter_for, all_adapters
from workflows.observer.answers import Entry, entries_of, numbers, part_of, texts, times
from workflows.observer.asking import Adapter, AdapterFailed, NotFoundThere, ask, path_of
from workflows.observer.logs import counted
from workflows.observer.refusals import ObserverRefusal, bad_request, denied
from workflows.observer.scopes import Found, note, permit, read_scope, resolve
from workflows.observer.windows import Page, Window

ACTION = "traces:view"
INVALID, RESOLVER, NOT_READY = "OBS-V1-T-06", "OBS-V1-T-04", "OBS-V1-T-03"
RETRIEVAL, NOT_FOUND = "OBS-V1-T-05", "OBS-V1-T-07"
ID_LENGTH = 256
UID_LABELS = {
    "component": "openchoreo.dev/component-uid",
    "project": "openchoreo.dev/project-uid",
    "environment": "openchoreo.dev/environment-uid",
}


def query_traces(access: Access, given: Mapping[str, Any]) -> Entry:
    """`{traces: [{traceId, traceName, spanCount, rootSpan…, startTime, endTime, durationNs, hasErrors}], total,
    tookMs}`. Raises `ObserverRefusal`."""
    found, question, page = read_question(access, given)
    adapter = adapter_for("tracing", found, NOT_READY)
    try:
        answer = ask(adapter, "POST", path_of("api", "v1alpha1", "traces", "query"), body=question)
        traces = [trace_of(adapter, trace) for trace in entries_of(adapter, answer, "traces")]
        reply = counted(adapter, answer, "traces", traces, page)
    except AdapterFailed as error:
        raise ObserverRefusal(500, f"Failed to retrieve traces: {error}", RETRIEVAL) from error
    note(access, ACTION, found.scope)
    return reply


def query_spans(access: Access, trace: str, given: Mapping[str, Any]) -> Entry:
    """`{spans: […], total, tookMs}`; `includeAttributes` adds each span's attributes. Raises `ObserverRefusal`."""
    check_id("traceId", trace)
    with_attributes = given.get("includeAttributes") is True
    found, question, page = read_question(access, given)
    adapter = adapter_for("tracing", found, NOT_READY)
    if with_attributes:
        question["includeAttributes"] = True
    try:
        path = path_of("api", "v1alpha1", "traces", trace, "spans", "query")
        answer = ask(adapter, "POST", path, body=question)
        spans = [span_of(adapter, span, with_attributes) for span in entries_of(adapter, answer, "spans")]
        reply = counted(adapter, answer, "spans", spans, page)
    except NotFoundThere:
        reply = {"spans": [], "total": 0, "tookMs": 0}
    except AdapterFailed as error:
        raise ObserverRefusal(500, f"Failed to retrieve spans: {error}", RETRIEVAL) from error
    note(access, ACTION, found.scope)
    return reply


def get_span(access: Access, trace: str, span: str) -> Entry:
    """One span with its attributes, for who may see traces where it comes from. Raises `ObserverRefusal`."""
    check_id("traceId", trace)
    check_id("spanId", span)
    if not access.reaches(ACTION):
        guard.ask(access, ACTION, Place(), {}, "Span", None)  # so that the audit knows of the refusal
        raise denied()
    for adapter, answer in answers_for(trace, span):
        place, attributes = origin_of(part_of(adapter, answer, "resourceAttributes"))
        if guard.ask(access, ACTION, place, attributes, "Span", None).allowed:
            return span_of(adapter, answer, with_attributes=True)
    raise ObserverRefusal(404, "Span not found", NOT_FOUND)


def answers_for(trace: str, span: str) -> Iterator[tuple[Adapter, Entry]]:
    """The span, from each tracing adapter that knows it. Raises `ObserverRefusal` if one fails and none knows it."""
    path = path_of("api", "v1alpha1", "traces", trace, "spans", span)
    adapters = all_adapters("tracing")
    if not adapters:
        raise ObserverRefusal(
            500, "no tracing adapter is configured; whoever runs the platform may set TRACING_ADAPTER_URL", NOT_READY
        )
    failure: AdapterFailed | None = None
    for adapter in adapters:
        try:
            yield adapter, ask(adapter, "GET", path)
        except NotFoundThere:
            continue
        except AdapterFailed as error:
            failure = failure or error
    if failure is not None:
        raise ObserverRefusal(500, f"Failed to retrieve span details: {failure}", RETRIEVAL) from failure


def origin_of(attributes: Mapping[str, Any]) -> tuple[Place, dict[str, str]]:
    """Where a span comes from by the uids that it bears, and its environment; the whole platform if it bears none."""
    component = bearer(Component, attributes.get(UID_LABELS["component"]))
    project = bearer(Project, attributes.get(UID_LABELS["project"]))
    environment = bearer(Environment, attributes.get(UID_LABELS["environment"]))
    in_environment = {"environment": f"{environment.namespace_name}/{environment.name}"} if environment else {}
    if component is not None:
        place = Place(component.namespace_name, component.spec["owner"]["projectName"], component.name)
    elif project is not None:
        place = Place(project.namespace_name, project.name)
    else:
        place = Place()
    return place, in_environment


def bearer(model: type[PlatformObject], uid: Any) -> PlatformObject | None:
    """The object of that uid, None if there is none."""
    try:
        wanted = UUID(str(uid))
    except ValueError:
        return None
    found: PlatformObject | None = model.objects.system("whose span it is").filter(uid=wanted).first()
    return found


def check_id(field: str, value: str) -> None:
    """Raise the 400 for an id that can be none."""
    if not value or not isinstance(value, str):
        raise bad_request(f"{field} is required", INVALID)
    if len(value) > ID_LENGTH or not value.isprintable() or value in (".", ".."):
        raise bad_request(f"{field} is not an id", INVALID)


def read_question(access: Access, given: Mapping[str, Any]) -> tuple[Found, Entry, Page]:
    """The scope, resolved and permitted, and what the adapter is asked. Raises `ObserverRefusal`.

    Tracing adapters take the uids under the names `project`, `component` and `environment`.
    """
    window, page = Window.read(given, INVALID), Page.read(given, INVALID)
    scope = read_scope(given, INVALID)
    permit(access, ACTION, scope)
    found = resolve(scope, RESOLVER)
    uids = {field.removesuffix("Uid"): uid for field, uid in found.uids.items()}
    question = {
        "searchScope": {"namespace": scope.namespace, **uids},
        "startTime": window.start,
        "endTime": window.end,
        "limit": page.limit,
        "sortOrder": page.order,
    }
    return found, question, page


def trace_of(adapter: Adapter, trace: Mapping[str, Any]) -> Entry:
    names = ("traceId", "traceName", "rootSpanId", "rootSpanName", "rootSpanKind")
    return {
        **texts(adapter, trace, names),
        **numbers(adapter, trace, ("spanCount", "durationNs")),
        **times(adapter, trace, ("startTime", "endTime")),
        "hasErrors": trace.get("hasErrors") is True,
    }


def span_of(adapter: Adapter, span: Mapping[str, Any], with_attributes: bool) -> Entry:
    shown = {
        **texts(adapter, span, ("spanId", "spanName", "spanKind", "parentSpanId")),
        **times(adapter, span, ("startTime", "endTime")),
        **numbers(adapter, span, ("durationNs",)),
    }
    if span.get("status") is not None:
        shown["status"] = texts(adapter, part_of(adapter, span, "status"), ("code", "message"))
    if with_attributes:
        for field in ("attributes", "resourceAttributes"):
            if span.get(field) is not None:
                shown[field] = dict(part_of(adapter, span, field))
    return shown
