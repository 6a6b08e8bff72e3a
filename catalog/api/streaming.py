"""What streams have in common: refusals in plain text, the component's real owner, and rights that are asked again.

A stream lives longer than the request that opened it. So whoever passes its frames on asks, every few seconds, whether
the token still counts and the permission still holds, and ends the stream when it does not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

from django.conf import settings
from django.http import HttpResponse

from catalog import store
from catalog.kinds.component import Component
from portal.access import guard
from portal.access.bearer import Unauthenticated, authenticate
from portal.access.endpoint import Call
from portal.access.place import Place
from portal.serving.connections import Borrow, borrower
from portal.serving.streams import NoRoom, Room
from portal.wire import responses

ASK_AGAIN_SECONDS = 5.0


class TextRefusal(Exception):
    """A refusal that is answered in plain text, as streams are refused before they begin."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status, self.text = status, text

    @property
    def response(self) -> HttpResponse:
        return responses.text_error(self.status, self.text)


class NoSuchComponent(TextRefusal):
    """The component is not there, or not to be seen."""

    def __init__(self, namespace: str, name: str) -> None:
        super().__init__(400, f'failed to resolve component: component "{name}" not found in namespace "{namespace}"')


def component_named(namespace: str, name: str) -> Component:
    """The component; raises `NoSuchComponent`."""
    found = store.get_or_none("Component", namespace, name)
    if found is None:
        raise NoSuchComponent(namespace, name)
    return found  # type: ignore[return-value]


def place_of_component(component: Component) -> Place:
    """Where the component really is: its stored owner decides, not what a request says."""
    return Place(component.namespace_name, component.spec["owner"]["projectName"], component=component.name)


def require(call: Call, action: str, place: Place, environment: str, kind: str, refused: TextRefusal) -> None:
    """Refuse the action in that environment with `refused`, or, at a component that is not to be seen, as not there."""
    if guard.ask(call.access, action, place, attributes_in(place, environment), kind, None).allowed:
        return
    if place.component and settings.HIDE_FORBIDDEN and not call.access.allows("component:view", place):
        raise NoSuchComponent(place.namespace, place.component)
    raise refused


def attributes_in(place: Place, environment: str) -> dict[str, str]:
    """The attributes for conditions. Without an environment there is none, so that they fail closed."""
    return {"environment": f"{place.namespace}/{environment}"} if environment else {}


def still_permitted(call: Call, action: str, place: Place, environment: str) -> bool:
    """Whether the caller's token still counts, and the permission still holds, as of now."""
    try:
        now = Call(call.request, authenticate(call.request))
    except Unauthenticated:
        return False
    return now.access.allows(action, place, attributes_in(place, environment))


def room_for(call: Call) -> Room:
    """Room for one more stream of the caller's. Raises `TextRefusal`."""
    try:
        return Room(call.access.subject.name)
    except NoRoom as full:
        raise TextRefusal(429 if full.is_own else 503, str(full)) from None


def watched(chunks: Iterable[bytes], is_permitted: Callable[[], bool], room: Room) -> Iterator[bytes]:
    """The chunks, until one comes after the right to see them has gone. Closes the source when the client has left."""
    return while_permitted(chunks, is_permitted, room, borrower())


def while_permitted(
    chunks: Iterable[bytes], is_permitted: Callable[[], bool], room: Room, borrow: Borrow
) -> Iterator[bytes]:
    """As `watched`, once it begins to be read."""
    source = iter(chunks)
    asked_at = time.monotonic()
    try:
        for chunk in source:
            if time.monotonic() - asked_at >= ASK_AGAIN_SECONDS:
                with borrow():
                    if not is_permitted():
                        return
                asked_at = time.monotonic()
            yield chunk
    finally:
        room.leave()
        close = getattr(source, "close", None)
        if close is not None:
            close()
