"""A process of an installation that is told what to do, one JSON document a line: it stands for the server.

    python -m tests.real.console      with the installation's environment

    {"apply": [documents]}            → {"actions": {"created": 2, …}}
    {"delete": [kind, namespace, name]} → {}
    {"get": [kind, namespace, name]}  → the object, {} if there is none
    {"decide": [verb, binding, id, seconds]} → {}
    {"look_for_drift": binding}       → {"seen": […]}
    {"drift": rendered release}       → {"records": […]}: what was found to differ on its plane, oldest first
    {"edit_type": name}               → {}
    {"replace": document}             → {"action": …}
    {"promote": [component, environment]}   → {"release": name}
    {"roll_back": [component, environment]} → {"release": name}
    {"state": true}                   → how far the installation has come, see `state`

One process for a whole test, so that looking often costs little. It runs on the product's own settings.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from typing import Any


def apply(documents: list[dict[str, Any]]) -> dict[str, Any]:
    """Apply the documents as one user does, each a change of its own. `seconds`: how long that took."""
    from catalog import store
    from portal.accounts.actor import Actor

    started, counts = time.monotonic(), Counter[str]()
    for document in documents:
        counts[store.apply(document, Actor("tester", surface="rest")).action] += 1
    return {"actions": counts, "seconds": time.monotonic() - started}


def delete(key: list[str]) -> dict[str, Any]:
    from catalog import store
    from portal.accounts.actor import Actor

    kind, namespace, name = key
    store.delete(kind, namespace, name, Actor("tester", surface="rest"))
    return {}


def get(key: list[str]) -> dict[str, Any]:
    """An object with its status, {} if there is none."""
    from catalog import store

    found = store.get_or_none(*key)
    return {} if found is None else store.to_document(found)


def promote(what: list[str]) -> dict[str, Any]:
    """Promote a component of namespace `default` to an environment."""
    from catalog import store
    from catalog.releases.promote import promote
    from portal.accounts.actor import Actor

    component: Any = store.get("Component", "default", what[0])
    return {"release": promote(component, what[1], Actor("tester", surface="rest")).release_name}


def roll_back(what: list[str]) -> dict[str, Any]:
    """Roll a component of namespace `default` back in an environment."""
    from catalog import store
    from catalog.releases.rollback import roll_back
    from portal.accounts.actor import Actor

    component: Any = store.get("Component", "default", what[0])
    return {"release": roll_back(component, what[1], Actor("tester", surface="rest")).to_release}


def drift(release: str) -> dict[str, Any]:
    """What was found to differ from a rendered release, and what became of it."""
    from catalog.delivery.drift_models import DriftRecord

    columns = ("kind", "name", "path", "change", "manager", "state", "note", "count", "difference")
    rows = DriftRecord.objects.system("test").filter(release=release).order_by("id")
    return {"records": list(rows.values(*columns))}


def replace(document: dict[str, Any]) -> dict[str, Any]:
    """Put a document in the place of the one that is there, as a PUT does."""
    from catalog import store
    from portal.accounts.actor import Actor

    return {"action": store.replace(document, Actor("tester", surface="rest")).action}


def decide(what: list[str]) -> dict[str, Any]:
    """Give an answer to a difference: `[restore|accept|ignore, binding, id, seconds]`."""
    from datetime import timedelta

    from django.utils import timezone

    from catalog import store
    from catalog.manifests import drifting
    from portal.accounts.actor import Actor

    verb, name, identity, seconds = what
    binding: Any = store.get("ReleaseBinding", "default", name)
    actor = Actor("tester", surface="rest")
    if verb == "restore":
        drifting.restore(binding, [identity], actor)
    elif verb == "accept":
        drifting.accept(binding, identity, actor)
    else:
        drifting.ignore(binding, identity, timezone.now() + timedelta(seconds=float(seconds)), "a test", actor)
    return {}


def look_for_drift(name: str) -> dict[str, Any]:
    """What differs from a binding now."""
    from catalog import store
    from catalog.manifests import drifting

    seen = drifting.look(store.get("ReleaseBinding", "default", name), everything=True)
    return {"seen": [drifting.seen_document(item) for item in seen]}


def edit_type(name: str) -> dict[str, Any]:
    """A platform engineer adds an annotation to every Deployment of a component type."""
    from catalog import store
    from portal.accounts.actor import Actor

    document = store.to_document(store.get("ClusterComponentType", "", name), with_status=False)
    for resource in document["spec"]["resources"]:
        if resource["template"]["kind"] == "Deployment":
            annotations = resource["template"].setdefault("metadata", {}).setdefault("annotations", {})
            annotations["example.org/edited"] = "once"
    store.replace(document, Actor("platform engineer", surface="rest"))
    return {}


def state() -> dict[str, Any]:
    """What is still due, what is ready, what failed, and what the database has made of it."""
    from catalog.controllers import work
    from catalog.controllers.models import WorkItem
    from catalog.kinds.component import Component
    from catalog.kinds.component_release import ComponentRelease
    from catalog.kinds.release_binding import ReleaseBinding
    from catalog.kinds.rendered_object import RenderedObject
    from catalog.kinds.rendered_release import RenderedRelease

    objects = RenderedObject.objects.system("test").values_list("manifest_id", "applied_hash")
    return {
        "due": work.unconverged_count(),
        "components": Component.objects.system("test").count(),
        "releases": Counter(
            spec["owner"]["componentName"]
            for spec in ComponentRelease.objects.system("test").values_list("spec", flat=True)
        ),
        "bindings": dict(ReleaseBinding.objects.system("test").values_list("name", "ready_reason")),
        "rendered": dict(RenderedRelease.objects.system("test").values_list("name", "ready_reason")),
        "objects": len(objects),
        "delivered": sum(wanted == applied for wanted, applied in objects),
        "failed": list(WorkItem.objects.exclude(last_error="").values_list("kind", "object_id", "last_error")),
    }


def delivered_count() -> dict[str, Any]:
    """The cheap question: how many rendered releases of components are on their plane."""
    from catalog.kinds.rendered_release import RenderedRelease

    rows = RenderedRelease.objects.system("test").filter(component__isnull=False, ready="True")
    return {"delivered": rows.count()}


def due() -> dict[str, Any]:
    """The cheapest question: how many objects still wait for their controller."""
    from catalog.controllers import work

    return {"due": work.unconverged_count()}


def progressing() -> dict[str, Any]:
    """How many bindings wait for what a cluster makes of their objects."""
    from catalog.kinds.project_release_binding import ProjectReleaseBinding
    from catalog.kinds.release_binding import ReleaseBinding
    from catalog.kinds.resource_release_binding import ResourceReleaseBinding

    reasons = ("ResourcesProgressing", "ResourcesUnknown", "ResourcesDegraded", "NamespaceProgressing", "ReleaseSynced")
    kinds: Any = (ReleaseBinding, ProjectReleaseBinding, ResourceReleaseBinding)
    return {"progressing": sum(kind.objects.system("test").filter(ready_reason__in=reasons).count() for kind in kinds)}


def unaudited() -> dict[str, Any]:
    """Changes without an event, and events of changes that did not happen, as `(uid, kind, name)` with their number."""
    from catalog.audit_trail import VERBS
    from catalog.store.models import Revision
    from portal.audit.models import AuditEvent

    changes = Revision.objects.system("test").filter(action__in=list(VERBS)).values_list("uid", "kind", "name")
    events = AuditEvent.objects.system("test").exclude(uid=None).values_list("uid", "kind", "name")
    made, told = Counter(map(str, changes)), Counter(map(str, events))
    return {"changes": sum(made.values()), "silent": dict(made - told), "invented": dict(told - made)}


def unsealed() -> dict[str, Any]:
    """How many events no worker has sealed yet."""
    from portal.audit.models import AuditEvent

    return {"unsealed": AuditEvent.objects.system("test").filter(seal=None).count()}


def migrate() -> dict[str, Any]:
    """Tables, and nothing in them."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    return {}


def prepare() -> dict[str, Any]:
    """Tables and the platform's defaults, as the quickstart makes them."""
    from django.core.management import call_command

    from portal.quickstart import content

    call_command("migrate", verbosity=0)
    return {"actions": content.apply_directory(content.DEFAULTS)}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    import django

    django.setup()
    commands: dict[str, Any] = {
        "apply": apply,
        "decide": decide,
        "delete": delete,
        "drift": drift,
        "look_for_drift": look_for_drift,
        "edit_type": edit_type,
        "get": get,
        "promote": promote,
        "replace": replace,
        "roll_back": roll_back,
    }
    questions = {
        "state": state,
        "due": due,
        "progressing": progressing,
        "delivered": delivered_count,
        "migrate": migrate,
        "prepare": prepare,
        "unaudited": unaudited,
        "unsealed": unsealed,
    }
    print("{}", flush=True)
    for line in sys.stdin:
        for name, argument in json.loads(line).items():
            answer = commands[name](argument) if name in commands else questions[name]()
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
