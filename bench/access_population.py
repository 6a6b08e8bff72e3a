"""A company's worth of objects, people and bindings, made in SQL: one statement a table, minutes in all.

    python -m bench.access_population SCALE      with the installation's environment; prints who is who, as JSON

One object of each sort is made by the store, as users make it; the others are copies of its row with names, owners and
ids of their own. So the rows have the columns of this version, whatever these are. At scale 1: 500 namespaces, 20,000
projects, 1,000,000 components, 10,000 users in 5 of 2,000 groups each, and 60,000 bindings, each of a group to a role
on a project, with the grant that it compiles to.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from typing import Any

PROJECTS_EACH = 40
COMPONENTS_EACH = 50
GROUPS_OF_A_USER = 5
BINDINGS_OF_A_GROUP = 30
GROUPS_OF_THE_BUSIEST = 200


@dataclass(frozen=True)
class Size:
    namespaces: int
    users: int
    groups: int

    @property
    def projects(self) -> int:
        return self.namespaces * PROJECTS_EACH

    @property
    def components(self) -> int:
        return self.projects * COMPONENTS_EACH

    @property
    def bindings(self) -> int:
        return self.groups * BINDINGS_OF_A_GROUP


def size_at(scale: float) -> Size:
    return Size(
        max(10, int(500 * scale)), max(100, int(10_000 * scale)), max(GROUPS_OF_THE_BUSIEST, int(2_000 * scale))
    )


def copies(model: Any, template: Any, source: str, own: dict[str, str]) -> None:
    """Insert a copy of a row for each row of `source`; `own` gives the columns that differ, in SQL. `t` is the row."""
    from django.db import connection

    quote = connection.ops.quote_name
    columns = [field.column for field in model._meta.concrete_fields if not field.primary_key]
    if any(field.column == "uid" for field in model._meta.concrete_fields):
        own = {"uid": NEW_UID[connection.vendor], **own}
    values = ", ".join(own.get(column, f"t.{quote(column)}") for column in columns)
    table = quote(model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(map(quote, columns))}) "  # noqa: S608 - names of our own
            f"SELECT {values} FROM {table} t CROSS JOIN {source} WHERE t.id = %s",
            [template.pk],
        )


NEW_UID = {"postgresql": "gen_random_uuid()", "sqlite": "lower(hex(randomblob(16)))"}


def numbers(count: int) -> str:
    """A table `n` of the numbers from 0, as a source."""
    from django.db import connection

    if connection.vendor == "postgresql":
        return f"(SELECT generate_series AS i FROM generate_series(0, {count - 1})) n"  # noqa: S608
    digits = "(WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i < {last}) SELECT i FROM c) n"
    return digits.format(last=count - 1)


def with_text(column: str, path: str, value: str) -> str:
    """A JSON column with one text in it replaced; `path` as in `owner.projectName`."""
    from django.db import connection

    if connection.vendor == "postgresql":
        return f"jsonb_set({column}, '{{{path.replace('.', ',')}}}', to_jsonb(CAST({value} AS text)))"
    return f"json_set({column}, '$.{path}', {value})"


def populate(size: Size) -> dict[str, Any]:
    """Everything; returns tokens and names by what is special about the user."""
    from django.contrib.auth.models import Group
    from django.core.management import call_command
    from django.db import connection, transaction

    from catalog import store
    from catalog.access.models import CompiledMapping, ProjectGroupGrant
    from catalog.kinds.authz_role_binding import AuthzRoleBinding
    from catalog.kinds.component import Component
    from catalog.kinds.namespace import Namespace
    from catalog.kinds.project import Project
    from portal.accounts.models import User
    from portal.quickstart import content

    call_command("migrate", verbosity=0)
    content.apply_directory(content.DEFAULTS)
    for document in TEMPLATES:
        store.apply(document, ACTOR())
    namespace = Namespace.objects.system("bench").get(name="template")
    project = Project.objects.system("bench").get(name="template")
    component = Component.objects.system("bench").get(name="template")
    binding = AuthzRoleBinding.objects.system("bench").get(name="template")
    mapping = CompiledMapping.objects.system("bench").get(binding_uid=binding.uid)
    grant = ProjectGroupGrant.objects.get(pk=mapping.grant_row)
    user = User.objects.create_user("template")
    group = Group.objects.create(name="groups:template")
    project_table, grant_table = Project._meta.db_table, ProjectGroupGrant._meta.db_table
    with transaction.atomic(), connection.cursor() as cursor:
        copies(Namespace, namespace, numbers(size.namespaces), {"name": "'ns-' || n.i"})
        within = f"'ns-' || (n.i / {PROJECTS_EACH})"
        copies(Project, project, numbers(size.projects), {"name": "'project-' || n.i", "namespace": within})
        of_project = f"(SELECT id, name, namespace FROM {project_table} WHERE name LIKE 'project-%%') p"  # noqa: S608
        copies(
            Component,
            component,
            f"{of_project} CROSS JOIN {numbers(COMPONENTS_EACH)}",
            {
                "name": "p.name || '-c' || n.i",
                "namespace": "p.namespace",
                "project_id": "p.id",
                "spec": with_text("t.spec", "owner.projectName", "p.name"),
            },
        )
        copies(Group, group, numbers(size.groups), {"name": "'groups:team-' || n.i"})
        copies(User, user, numbers(size.users), {"username": "'user-' || n.i"})
        members = User.groups.through._meta.db_table  # type: ignore[attr-defined]
        member = (
            f"INSERT INTO {members} (user_id, group_id) SELECT u.id, g.id FROM "  # noqa: S608
            f"(SELECT id, CAST(substr(username, 6) AS integer) AS i FROM {User._meta.db_table} WHERE username LIKE "
            f"'user-%') u CROSS JOIN {numbers(GROUPS_OF_A_USER)} JOIN auth_group g ON g.name = "
            f"'groups:team-' || ((u.i * 7 + n.i * 401) % {size.groups})"
        )
        cursor.execute(member)
        bound = (
            f"(SELECT b.i AS b, p.id AS project, p.uid AS uid, p.namespace AS namespace, p.name AS name, g.id AS team, "  # noqa: S608
            f"g.name AS team_name FROM {numbers(size.bindings).removesuffix(' n')} b"
            f" JOIN {project_table} p ON p.name = 'project-' || ((b.i * 131) %% {size.projects})"
            f" JOIN auth_group g ON g.name = 'groups:team-' || (b.i / {BINDINGS_OF_A_GROUP})) s"
        )
        spec = with_text("t.spec", "entitlement.value", "substr(s.team_name, 8)")
        first = "roleMappings.0" if connection.vendor == "postgresql" else "roleMappings[0]"
        spec = with_text(spec, f"{first}.scope.project", "s.name")
        copies(
            AuthzRoleBinding, binding, bound, {"name": "'binding-' || s.b", "namespace": "s.namespace", "spec": spec}
        )
        copies(ProjectGroupGrant, grant, bound, {"group_id": "s.team", "content_object_id": "s.project"})
        compiled = (
            f"(SELECT s.*, b.uid AS binding_uid, g.id AS grant_row FROM {bound}"  # noqa: S608
            f" JOIN {AuthzRoleBinding._meta.db_table} b ON b.namespace = s.namespace AND b.name = 'binding-' || s.b"
            f" JOIN {grant_table} g ON g.group_id = s.team AND g.content_object_id = s.project) m"
        )
        own = {"binding_uid": "m.binding_uid", "binding_namespace": "m.namespace", "binding_name": "'binding-' || m.b"}
        copies(CompiledMapping, mapping, compiled, {**own, "scope_uid": "m.uid", "grant_row": "m.grant_row"})
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return people(size)


def people(size: Size) -> dict[str, Any]:
    """A few users who are special, beside the many who are alike, each with a token."""
    from django.contrib.auth.models import Group
    from guardian.shortcuts import assign_perm

    from catalog.kinds.namespace import Namespace
    from catalog.kinds.project import Project
    from portal.accounts.models import User, issue_token

    def made(name: str) -> User:
        return User.objects.create_user(name)

    tiny, busiest, broad = made("tiny"), made("busiest"), made("broad")
    assign_perm("project|component:view", tiny, Project.objects.system("bench").get(name="project-17"))
    busiest.groups.set(Group.objects.filter(name__startswith="groups:team-").order_by("pk")[:GROUPS_OF_THE_BUSIEST])
    for namespace in Namespace.objects.system("bench").filter(name__startswith="ns-").order_by("pk")[:20]:
        assign_perm("namespace|component:view", broad, namespace)
    names = {"tiny": tiny, "nobody": made("nobody"), "busiest": busiest, "broad": broad}
    names["typical"] = User.objects.get(username="user-17")
    return {name: {"user": user.username, "token": issue_token(user, "bench")} for name, user in names.items()}


def ACTOR() -> Any:
    from portal.accounts.actor import Actor

    return Actor("bench", surface="cli")


def document(kind: str, name: str, spec: dict[str, Any] | None, namespace: str = "") -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    version = "v1" if kind == "Namespace" else "openchoreo.dev/v1alpha1"
    found: dict[str, Any] = {"apiVersion": version, "kind": kind, "metadata": metadata}
    return found if spec is None else {**found, "spec": spec}


TEMPLATES = (
    document("Namespace", "template", None),
    document("Project", "template", {
        "deploymentPipelineRef": {"name": "default"}, "type": {"kind": "ClusterProjectType", "name": "default"},
    }, "template"),
    document("Component", "template", {
        "owner": {"projectName": "template"}, "autoDeploy": False,
        "componentType": {"kind": "ClusterComponentType", "name": "deployment/service"},
    }, "template"),
    document("AuthzRoleBinding", "template", {
        "entitlement": {"claim": "groups", "value": "template-of-teams"}, "effect": "allow",
        "roleMappings": [{
            "roleRef": {"kind": "ClusterAuthzRole", "name": "developer"}, "scope": {"project": "template"},
        }],
    }, "template"),
)  # fmt: skip


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
    import django

    django.setup()
    print(json.dumps(populate(size_at(float(sys.argv[1])))))
