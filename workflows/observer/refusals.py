"""How the observer says no: `{"errorCode", "message", "title"}`, a shape of its own by contract."""

from __future__ import annotations

from django.http import HttpResponse

from portal.wire import responses
from portal.wire.responses import Refusal

TITLES = {
    400: "badRequest",
    401: "unauthorized",
    403: "forbidden",
    404: "notFound",
    409: "conflict",
    500: "internalServerError",
    501: "notImplemented",
}
DENIED = "Access denied"


class ObserverRefusal(Refusal):
    """A refusal in the observer's shape. `code` is one of the contract's, such as `OBS-V1-L-05`, or empty."""

    @property
    def response(self) -> HttpResponse:
        body = {"title": TITLES[self.status], "errorCode": self.code, "message": self.text}
        return responses.json_body(body, self.status)


def bad_request(message: str, code: str = "") -> ObserverRefusal:
    """What the request says cannot be answered: 400."""
    return ObserverRefusal(400, message, code)


def denied() -> ObserverRefusal:
    """403, in the same words whether what was named exists or not."""
    return ObserverRefusal(403, DENIED)
