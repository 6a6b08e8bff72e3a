"""`POST /api/v1alpha1/autobuild`: hosts of repositories report pushes here, without a token of ours.

What stands for one is the host's signature. The order of the checks is what makes that safe: the size, then who
claims to have sent it, then whether that is so, over the raw bytes; only then is the body read. A delivery that has
started builds starts none again.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import replace
from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from catalog import store
from portal.accounts.actor import Actor, system
from portal.audit import operation as audit
from portal.wire import gojson, responses
from portal.wire.request_ids import request_id_of
from workflows.webhooks.builds import Started, start_builds
from workflows.webhooks.models import WebhookDelivery
from workflows.webhooks.providers import Provider, UnreadableDelivery, provider_of_request, read_pushes

log = logging.getLogger("stagecraft.webhooks")
MOST_BYTES = 1 << 20
REMEMBERED = timedelta(days=90)
"""How long a delivery is known to have been here."""


def autobuild(request: HttpRequest) -> HttpResponse:
    """200 with what was started and what was not; 400, 401, 413 and 500 as the contract words them."""
    body = bounded_body(request)
    if body is None:
        return responses.text_error(413, "request body too large")
    if not body:
        return responses.text_error(400, "can't decode JSON body: EOF")
    provider = provider_of_request(request.headers)
    if provider is None:
        text = "Unable to detect git provider from request headers"
        return responses.error(400, text, "UNKNOWN_GIT_PROVIDER")
    secret = settings.WEBHOOK_SECRETS.get(provider.name, "")
    if not secret:
        log.error("a delivery by %s was refused: set %s_WEBHOOK_SECRET", provider.name, provider.name.upper())
        return responses.error(500, "Webhook secret not configured")
    if not provider.is_genuine(body, request.headers.get(provider.signature_header, ""), secret):
        return responses.error(401, "Invalid webhook signature")
    if not provider.is_push(request.headers):
        return answer("Event ignored: only pushes start builds", Started())
    return process(request, provider, body)


def bounded_body(request: HttpRequest) -> bytes | None:
    """The body; None if it is larger than a delivery may be, of which then no more than that is read."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or int(length) > MOST_BYTES:
        return None
    body = request.read(MOST_BYTES + 1)
    return None if len(body) > MOST_BYTES else body


def process(request: HttpRequest, provider: Provider, body: bytes) -> HttpResponse:
    """Read a genuine delivery and start what it asks for, all or nothing of it."""
    try:
        pushes = read_pushes(provider, gojson.decode(body))
    except gojson.UndecodableJSON as error:
        return responses.text_error(400, f"can't decode JSON body: {error}")
    except UnreadableDelivery as error:
        return responses.text_error(400, f"can't decode JSON body: {error}")
    actor = author(request, provider)
    frame(actor)
    with store.transaction():
        delivery = Delivery(provider.name, provider.delivery_id(request.headers), body)
        if not delivery.remember():
            return answer("Delivery already processed", Started())
        started = start_builds(provider.name, pushes, actor)
        if not started.runs:
            delivery.forget()  # so that it can be sent again once what was in the way is mended
    for component, reason in started.refusals:
        log.warning("no build of %s for a push reported by %s: %s", component, provider.name, reason)
    return answer("Webhook processed successfully", started)


def answer(message: str, started: Started) -> HttpResponse:
    """The contract's reply, and beside it which run was started and what was not, with the reason."""
    return responses.json_body(
        {
            "success": True,
            "message": message,
            "affectedComponents": [component for component, _ in started.runs],
            "triggeredBuilds": len(started.runs),
            "startedRuns": [{"component": component, "workflowRun": run} for component, run in started.runs],
            "refusedComponents": [{"component": component, "reason": why} for component, why in started.refusals],
        }
    )


def author(request: HttpRequest, provider: Provider) -> Actor:
    """Whom the log will name: the host, which is all that is known for sure."""
    return replace(system(f"{provider.name}-webhook", surface="webhook"), request_id=request_id_of(request))


def frame(actor: Actor) -> None:
    """The delivery is one operation; the runs that it starts are its parts."""
    opened = audit.current()
    if opened is not None:
        opened.actor, opened.action, opened.is_compound = actor, "workflowrun:create", True
        opened.credential = "webhook signature"


class Delivery:
    """What is remembered of a delivery: the host's id, which is not signed, and the digest of the body, which is."""

    def __init__(self, provider: str, identity: str, body: bytes) -> None:
        self.provider = provider
        self.keys = [f"body:{hashlib.sha256(body).hexdigest()}"]
        if identity:
            self.keys.append(f"id:{hashlib.sha256(identity.encode('utf-8', 'surrogateescape')).hexdigest()}")

    def remember(self) -> bool:
        """Whether it is new. A second one at the same time waits for the first."""
        now = timezone.now()
        WebhookDelivery.objects.filter(received_at__lt=now - REMEMBERED).delete()
        made = [
            WebhookDelivery.objects.get_or_create(provider=self.provider, key=key, defaults={"received_at": now})[1]
            for key in self.keys
        ]
        return all(made)

    def forget(self) -> None:
        WebhookDelivery.objects.filter(provider=self.provider, key__in=self.keys).delete()
