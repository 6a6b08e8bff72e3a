"""Deliveries made from a few words, and Git's own view of what came of them."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

from catalog.compiler import yaml
from catalog.delivery.plane import Delivery, ObjectKey, Place, Story, WantedObject
from catalog.delivery.tracking import digest, tracked

GIT = ["git", "-c", "user.name=somebody", "-c", "user.email=somebody@example.org"]


def place(component: str = "cart", **fields: Any) -> Place:
    fields = {
        "namespace": "default",
        "environment": "development",
        "project": "shop",
        "component": component,
        "release": f"{component}-development",
        "uid": f"uid-of-{component}",
        **fields,
    }
    return Place(**fields)


def config_map(name: str = "settings", **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "dp"}, "data": data}


def deployment(name: str = "cart", image: str = "cart:1") -> dict[str, Any]:
    containers = [{"name": "main", "image": image}]
    spec = {"replicas": 1, "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": containers}}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "dp"}, "spec": spec}


def key_of(body: dict[str, Any]) -> ObjectKey:
    group = body["apiVersion"].rpartition("/")[0]
    return ObjectKey(group, body["kind"], body["metadata"].get("namespace", ""), body["metadata"]["name"])


def delivery(where: Place, *bodies: dict[str, Any], actor: str = "alice", **fields: Any) -> Delivery:
    """These objects, all of them, at that place."""
    by_key = {key_of(body): body for body in bodies}
    wanted = [
        WantedObject(key, body["apiVersion"].rpartition("/")[2], resource_id(key), digest_of(body, where, key))
        for body, key in ((body, key_of(body)) for body in bodies)
    ]
    story = Story(actor, "request-1", f"{where.component or where.project}-abc", 1, "DataPlane default/default")
    return Delivery(
        place=where,
        objects=wanted,
        story=story,
        bodies=lambda keys: {key: tracked(by_key[key], resource_id(key), where) for key in keys},
        **fields,
    )


def resource_id(key: ObjectKey) -> str:
    return f"{key.kind.lower()}-{key.name}"


def digest_of(body: dict[str, Any], where: Place, key: ObjectKey) -> str:
    content = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    return digest(content, resource_id(key), where, key)


def git(repository: Path, *arguments: str, check: bool = True) -> str:
    """What Git itself answers, so that nothing is judged by the library that wrote it."""
    result = subprocess.run([*GIT, *arguments], cwd=repository, capture_output=True, text=True, check=False)
    assert not check or result.returncode == 0, result.stderr
    return result.stdout.strip()


def files(repository: Path, branch: str = "main") -> list[str]:
    return git(repository, "ls-tree", "-r", "--name-only", branch).splitlines()


def manifests(repository: Path, branch: str = "main") -> list[str]:
    return [name for name in files(repository, branch) if not name.endswith("/.stagecraft")]


def content(repository: Path, file: str, branch: str = "main") -> Any:
    return yaml.load(git(repository, "show", f"{branch}:{file}"))


def commits(repository: Path, branch: str = "main") -> list[str]:
    """The subjects, oldest first."""
    return git(repository, "log", "--reverse", "--format=%s", branch).splitlines()


def is_sound(repository: Path) -> bool:
    """Whether `git fsck` finds nothing wrong; objects that no branch names are no fault."""
    result = subprocess.run(
        [*GIT, "fsck", "--full", "--strict", "--no-dangling"],
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
    )
    return result.returncode == 0 and "missing" not in result.stdout + result.stderr


def push_by_somebody(clone: Path, branch: str, name: str, text: str = "theirs\n") -> None:
    """Somebody commits a file in a clone and pushes, as often as Git says that it must fetch first."""
    (clone / name).parent.mkdir(parents=True, exist_ok=True)
    (clone / name).write_text(text)
    git(clone, "add", "-A")
    git(clone, "commit", "-q", "-m", f"somebody adds {name}")
    for _ in range(200):
        if (
            subprocess.run([*GIT, "push", "-q", "origin", f"HEAD:{branch}"], cwd=clone, capture_output=True).returncode
            == 0
        ):
            return
        git(clone, "pull", "-q", "--rebase", "origin", branch)
    raise AssertionError("the push never went through")
