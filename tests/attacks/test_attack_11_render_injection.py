"""Attack 11: values that try to become something else: YAML, expressions, templates, HTML, lines of a commit."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml as pyyaml
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog import store
from catalog.access import writing
from catalog.compiler import project, yaml
from catalog.compiler.errors import CompilerError
from catalog.delivery.git import message
from catalog.delivery.plane import ObjectKey, Place, Story
from catalog.kinds.trait import Trait
from portal.access.guard import Forbidden
from portal.accounts.models import User
from tests.catalog.access.conftest import access_of, bind, person, role
from tests.factories import TESTER, NamespaceFactory, ProjectFactory

HOSTILE = [
    "a: b", "- a", "# a", "&a", "*a", "!!python/object:os.system", "{a: b}", "[a]", "| a", "> a", "%YAML 1.1", "---",
    "...", "---\nkind: ClusterRoleBinding", "a\n---\nb", "a\nkind: Secret", "'", '"', "`", "@a", "? a", "<<", "yes",
    "null", "~", "0x10", "1e3", "012", "2001-01-01", "\t", " a ", "a #b", "a: ", "\u2028", "\u0085", "\ufeff",
    "${metadata.name}", "${parameters.other}", "${'$'}{metadata.name}", "$${metadata.name}", "${1 + 1}", "${",
    "{{ 7 * 7 }}", "{% debug %}", "{{ settings.SECRET_KEY }}", "<script>alert(1)</script>", "\" onload=\"alert(1)",
    "javascript:alert(1)", "%(secret)s", "{0.__class__}", "$(id)", "`id`", "; id", "\\u0000", "\r\nX-Injected: 1",
]  # fmt: skip


def rendered(value: str, template: dict[str, Any] | None = None) -> dict[str, Any]:
    """A ConfigMap rendered by a type from a developer's value."""
    body = template or {"key": "${parameters.text}", "mixed": "<${parameters.text}>"}
    spec = {
        "resources": [
            {
                "id": "c",
                "template": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": body},
            }
        ],
        "parameters": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
    }
    (resource,) = project.render(
        {
            "ProjectTypeSpec": spec,
            "ProjectParameters": {"text": value, "other": "canary-other"},
            "Metadata": {"namespace": "n", "name": "p"},
        }
    )
    document: dict[str, Any] = resource.object if hasattr(resource, "object") else resource
    return document


@pytest.mark.parametrize("value", HOSTILE)
def test_attack_11_a_value_stays_a_value_through_render_and_yaml(value: str) -> None:
    document = rendered(value)
    assert document["data"] == {"key": value, "mixed": f"<{value}>"}
    text = yaml.dump(document)
    assert yaml.load(text) == document
    assert len(list(yaml.load_documents(text))) == 1
    assert pyyaml.safe_load(text) == document  # as other readers of the repository read it


@given(st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_attack_11_whatever_text_it_is_the_manifest_says_that_text(value: str) -> None:
    try:
        text = yaml.dump({"kind": "ConfigMap", "data": {"key": value, value or "empty": "x"}})
    except ValueError:
        return  # lone surrogates are no text
    (document,) = yaml.load_documents(text)
    assert document.value == {"kind": "ConfigMap", "data": {"key": value, value or "empty": "x"}}


@pytest.mark.parametrize("value", ["${parameters.other}", "${metadata.name}", "${1 + 1}", "${[1].map(x, x)}"])
def test_attack_11_what_an_expression_gives_is_not_looked_at_again(value: str) -> None:
    document = rendered(value, {"twice": "${parameters.text + parameters.text}", "list": "${[parameters.text]}"})
    assert document["data"] == {"twice": value * 2, "list": [value]}
    assert "canary-other" not in json.dumps(document)


@pytest.mark.parametrize("value", ["kind", "${parameters.other}", "metadata", "a/b", "__proto__"])
def test_attack_11_a_value_as_a_key_is_a_key(value: str) -> None:
    document = rendered(value, {"${parameters.text}": "x"})
    assert document["kind"] == "ConfigMap" and document["data"] == {value: "x"}


def test_attack_11_a_value_in_the_place_of_an_object_is_told_and_not_spread() -> None:
    with pytest.raises(CompilerError):
        spec = {
            "resources": [{"id": "c", "template": "${parameters.text}"}],
            "parameters": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
        }
        project.render(
            {
                "ProjectTypeSpec": spec,
                "ProjectParameters": {"text": "apiVersion: v1\nkind: ClusterRoleBinding"},
                "Metadata": {"namespace": "n", "name": "p"},
            }
        )


@pytest.mark.django_db
@pytest.mark.parametrize("value", [text for text in HOSTILE if text.isprintable()])
def test_attack_11_the_admin_shows_texts_and_runs_none(client: Client, value: str) -> None:
    ProjectFactory.create(name="shop", namespace="default")
    document = store.to_document(store.get("Project", "default", "shop"), with_status=False)
    document["metadata"]["annotations"] = {"openchoreo.dev/display-name": value, "openchoreo.dev/description": value}
    store.replace(document, TESTER)
    client.force_login(User.objects.create_superuser("root", password="x"))
    held: Any = store.get("Project", "default", "shop")
    for path in ("/admin/catalog/project/", f"/admin/catalog/project/{held.pk}/change/", "/admin/store/revision/"):
        page = client.get(path).content.decode()
        assert "<script>alert(1)" not in page and '" onload="alert(1)' not in page
        assert ">49<" not in page  # {{ 7 * 7 }}


@pytest.mark.parametrize("value", [*HOSTILE, "a\n\nActor: root", "a\r\nRequest: 1", "a\0b", "a <root@x> b"])
def test_attack_11_no_name_adds_a_line_to_a_commit(value: str) -> None:
    story = Story(actor=value, request_id=value, release=value, plane=value, through=value)
    key = ObjectKey("", "ConfigMap", value, value)
    text = message.delivered(Place("n", "e", "p", "c"), story, [key], [], [])
    plain = message.delivered(
        Place("n", "e", "p", "c"),
        Story(actor="x", request_id="x", release="x", plane="x", through="x"),
        [ObjectKey("", "ConfigMap", "x", "x")],
        [],
        [],
    )
    if message.one_line(value):
        assert len(text.splitlines()) == len(plain.splitlines()), text
    assert "\0" not in text


# What a tenant's own types bring forth


def trait(template: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "openchoreo.dev/v1alpha1",
        "kind": "Trait",
        "metadata": {"name": "mine", "namespace": "acme"},
        "spec": {"creates": [{"template": template}], **spec},
    }


def made(kind: str, version: str = "v1", **content: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "x"}, **content}


REACHING = [
    trait(made("ClusterRoleBinding", "rbac.authorization.k8s.io/v1")),
    trait(made("ClusterSecretStore", "external-secrets.io/v1")),
    trait(made("ValidatingWebhookConfiguration", "admissionregistration.k8s.io/v1")),
    trait(made("CustomResourceDefinition", "apiextensions.k8s.io/v1")),
    trait(made("${parameters.kind}")),
    trait(made("Pod", spec={"volumes": [{"name": "x", "hostPath": {"path": "/"}}]})),
    trait(made("Pod", spec={"hostNetwork": True})),
    trait(made("Pod", spec={"hostPID": "${parameters.yes}"})),
    trait(made("Pod", spec={"containers": [{"name": "x", "securityContext": {"privileged": True}}]})),
    trait(
        made("ConfigMap"),
        patches=[
            {
                "target": {"group": "apps", "version": "v1", "kind": "Deployment"},
                "operations": [{"op": "add", "path": "/spec/template/spec/hostNetwork", "value": True}],
            }
        ],
    ),
]


@pytest.mark.django_db
@pytest.mark.parametrize("document", REACHING, ids=range(len(REACHING)))
def test_attack_11_a_tenants_trait_makes_nothing_that_reaches_beyond_its_cell(document: dict[str, Any]) -> None:
    NamespaceFactory.create(name="acme")
    role("types", "trait:*")
    bind("types-of-acme", "groups:acme", "types", namespace="acme")
    ann = access_of(person("ann", "acme"))
    with pytest.raises(Forbidden, match="reaches beyond its own cell"):
        writing.require_create(ann, Trait, document)
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"hostPath": {"type": "string"}}}}
    store_ref = {"secretStoreRef": {"kind": "ClusterSecretStore", "name": "x"}}
    plain = trait(made("ConfigMap", data={"path": "x", "privileged": False}, spec=store_ref), parameters=schema)
    writing.require_create(ann, Trait, plain)
    held = store.create(plain, TESTER)
    with pytest.raises(Forbidden, match="reaches beyond its own cell"):
        writing.require_update(ann, held, document)
    role("platform", "trait:*", "clustertrait:*")
    bind("platform", "groups:platform", "platform")
    writing.require_create(access_of(person("pat", "platform")), Trait, document)


@pytest.mark.django_db
def test_attack_11_no_value_adds_a_header_to_a_reply(client: Client) -> None:
    client.force_login(User.objects.create_superuser("root", password="x"))
    for path in (
        "/admin/catalog/project/?q=%0d%0aX-Injected:1",
        "/api/v1/%0d%0aX-Injected:1",
        "/x%0d%0aX-Injected:1//y",
    ):
        assert "X-Injected" not in client.get(path).headers
