"""`preview` says what an edit would change, for whom, when, and who would fail; and leaves everything as it was."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.controllers.models import WorkItem
from catalog.kinds.component import Component
from catalog.kinds.component_release import ComponentRelease
from catalog.releases.promote import promote
from catalog.store.models import Revision
from portal.audit.models import AuditEvent
from tests.catalog.controllers import components as web
from tests.catalog.controllers import installation as it
from tests.catalog.manifests.conftest import Ran, run
from tests.catalog.preview.conftest import service_type, with_policy
from tests.catalog.preview.platform import Document, document

pytestmark = pytest.mark.usefixtures("platform")
File = Callable[..., str]


def previewed(*documents: Document, file: File) -> Document:
    shown: Document = json.loads(run("preview", file(*documents), "-o", "json").out)
    return shown


def by_moment(shown: Document) -> dict[tuple[str, ...], Document]:
    return {(*item["environments"], item["moment"]): item for item in shown["environments"]}


def test_equal_changes_of_many_components_are_one_group_for_each_moment(file: File) -> None:
    shown = by_moment(previewed(with_policy("Always"), file=file))
    assert set(shown) == {("development", "now"), ("staging", "after promotion")}
    for impact in shown.values():
        (group,) = impact["groups"]
        assert (group["count"], group["object"], group["before"], group["after"]) == (4, "Deployment", None, "Always")
        assert group["field"] == "spec.template.spec.containers[main].imagePullPolicy"
        assert [owner["name"] for owner in group["owners"]] == ["a", "b", "c", "d"]


def test_environments_in_which_the_same_happens_are_shown_together(file: File) -> None:
    for name in ("a", "b", "c", "d"):
        web.apply_binding(web.binding("development", name).spec["releaseName"], "production", name)
    web.settle()
    shown = by_moment(previewed(with_policy("Always"), file=file))
    assert ("production", "staging", "after promotion") in shown


def test_values_that_differ_by_component_are_one_line(file: File) -> None:
    edits = [document("Workload", name, {"owner": {"projectName": "shop", "componentName": name},
                                         "container": {"image": f"{name}:2"}}) for name in "abcd"]  # fmt: skip
    (group,) = by_moment(previewed(*edits, file=file))["development", "now"]["groups"]
    assert (group["count"], group["variants"], group["before"], group["after"]) == (4, 4, "a:1", "a:2")


def test_new_and_removed_objects_are_told(file: File) -> None:
    web.apply_workload("a", image="a:1", endpoints={"http": web.HTTP})
    web.settle()
    without_service = with_policy("Always")
    without_service["spec"]["resources"].pop()
    added = {
        "id": "extra",
        "template": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "${metadata.name}"}},
    }
    without_service["spec"]["resources"].append(added)
    groups = by_moment(previewed(without_service, file=file))["development", "now"]["groups"]
    told = {(item["action"], item["object"]): item["count"] for item in groups}
    assert told[("added", "ConfigMap")] == 4 and told[("removed", "Service")] == 1


def test_those_who_would_fail_are_told_with_message_place_and_exit_code(file: File) -> None:
    web.apply_workload("a", image="a:1", container={"args": ["x"]})
    web.settle()
    edit = file(with_policy("${workload.container.args[0]}"))
    shown = run("preview", edit)
    assert shown.code == 1
    assert "3 components fail (RenderingFailed): " in shown.out and "no such key: args" in shown.out
    line = next(
        number for number, text in enumerate(Path(edit).read_text().splitlines(), 1) if "imagePullPolicy" in text
    )
    assert f"at {edit}:{line} (ComponentType service spec.resources[0].template.spec" in shown.out
    assert "development, now: 1 changed, 0 unchanged, 3 failing" in shown.out


def test_a_rule_of_the_type_that_some_break_is_told_with_its_message(file: File) -> None:
    rule = {"rule": "${workload.container.image != 'b:1'}", "message": "b is not wanted"}
    (failure,) = by_moment(previewed(with_policy("Always", preRenderValidations=[rule]), file=file))[
        "development", "now"
    ]["failures"]
    assert failure["count"] == 1 and failure["owners"][0]["name"] == "b"
    assert "b is not wanted" in failure["message"]


def test_what_fails_already_is_told_apart_and_is_no_reason_to_fail(file: File) -> None:
    it.apply("ComponentType", "service", with_policy("${workload.container.args[0]}")["spec"])
    web.settle()
    for component in Component.objects.system("test"):
        promote(component, "staging", it.TESTER)
    web.settle()
    shown = run("preview", file(with_policy("${workload.container.args[1]}")), "-o", "json")
    assert shown.code == 0
    summary = json.loads(shown.out)["summary"]
    assert (summary["failing"], summary["failing_already"]) == (0, 8)


def test_a_component_that_would_get_no_release_is_told_once(file: File) -> None:
    spec = web.component("a").spec
    use = [{"kind": "Trait", "name": "quota", "instanceName": "q"}]
    shown = previewed(document("Component", "a", {**spec, "traits": use}), file=file)
    (impact,) = shown["environments"]
    (failure,) = impact["failures"]
    assert impact["environments"] == [""]
    assert (failure["reason"], failure["message"], failure["count"]) == ("TraitNotFound", 'Trait "quota" not found', 1)


def test_a_document_that_would_be_refused_is_told_with_file_and_line(file: File) -> None:
    edit = file(service_type(workloadType="never"))
    shown = run("preview", edit)
    assert shown.code == 2
    assert f"{edit}:" in shown.out and "spec.workloadType" in shown.out


def test_a_changed_setting_of_an_environment_arrives_there_now(file: File) -> None:
    held = web.binding("staging", "a")
    spec = {**held.spec, "componentTypeEnvironmentConfigs": {"replicas": 5}}
    shown = previewed(document("ReleaseBinding", held.name, spec), file=file)
    (impact,) = shown["environments"]
    (group,) = impact["groups"]
    assert (impact["environments"], impact["moment"]) == (["staging"], "now")
    assert (group["field"], group["before"], group["after"]) == ("spec.replicas", 1, 5)


def test_a_changed_endpoint_reaches_those_who_depend_on_it(file: File) -> None:
    web.apply_workload("a", image="a:1", endpoints={"http": web.HTTP})
    depends = {"endpoints": [{"component": "a", "name": "http", "visibility": "project", "envBindings": {"port": "P"}}]}
    web.apply_workload("b", image="b:1", dependencies=depends)
    web.settle()
    assert web.container_of(name="b")["env"] == [{"name": "P", "value": "8080"}]
    moved = {"http": {**web.HTTP, "port": 9090}}
    owner = {"projectName": "shop", "componentName": "a"}
    edit = document("Workload", "a", {"owner": owner, "container": {"image": "a:1"}, "endpoints": moved})
    groups = by_moment(previewed(edit, file=file))["development", "now"]["groups"]
    changes = {(owner["name"], item.get("field")): item.get("after") for item in groups for owner in item["owners"]}
    assert changes["b", "spec.template.spec.containers[main].env[P].value"] == "9090"


def test_a_new_component_is_added_to_the_first_environment_now(file: File) -> None:
    spec = web.component("a").spec
    workload = {"owner": {"projectName": "shop", "componentName": "new"}, "container": {"image": "n:1"}}
    shown = by_moment(previewed(document("Component", "new", spec), document("Workload", "new", workload), file=file))
    assert set(shown) == {("development", "now")}
    told = {(item["action"], item["object"]) for item in shown["development", "now"]["groups"]}
    assert told == {("added", "Deployment"), ("added", "NetworkPolicy")}


def test_a_changed_project_type_is_shown_for_cells_that_people_pin(file: File) -> None:
    it.look_again("Project", "shop")
    it.settle("Project", "ProjectReleaseBinding")
    cell = {**it.CELL, "template": {**it.CELL["template"], "spec": {"finalizers": []}}}
    shown = by_moment(previewed(document("ClusterProjectType", "default", {"resources": [cell]}), file=file))
    (impact,) = shown.values()
    assert impact["environments"] == ["development", "production", "staging"]
    assert impact["moment"] == "after promotion"
    assert impact["groups"][0]["owners"] == [{"kind": "Project", "namespace": "default", "name": "shop"}]


def test_an_edit_that_changes_nothing_says_so(file: File) -> None:
    assert "nothing that is deployed is concerned" in run("preview", file(service_type())).out
    shown = run("preview", file(service_type(allowedTraits=[{"kind": "Trait", "name": "quota"}]))).out
    assert "development, now: 0 changed, 4 unchanged" in shown


def test_nothing_is_stored_and_no_work_is_left(file: File) -> None:
    def counts() -> tuple[int, ...]:
        due = WorkItem.objects.exclude(due_at=None).count()
        return (
            Revision.objects.system("test").count(),
            ComponentRelease.objects.system("test").count(),
            due,
            AuditEvent.objects.system("test").count(),
        )

    before, held = counts(), it.get("ComponentType", "service").spec
    with CaptureQueriesContext(connection) as queries:
        run("preview", file(with_policy("Always")))
    assert counts() == before
    assert it.get("ComponentType", "service").spec == held
    written = [row["sql"] for row in queries if row["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
    rolled_back = max(index for index, row in enumerate(queries) if "ROLLBACK" in row["sql"])
    assert written and all(row["sql"] not in written for row in list(queries)[rolled_back:])


def test_the_number_of_queries_does_not_grow_with_components(file: File) -> None:
    edit = file(with_policy("Always"))
    with CaptureQueriesContext(connection) as few:
        run("preview", edit)
    for number in range(6):
        web.apply_component(f"more-{number}")
        web.apply_workload(f"more-{number}")
    web.settle()
    with CaptureQueriesContext(connection) as many:
        run("preview", edit)
    assert len(many) == len(few)


def test_markdown_is_a_table_that_survives_odd_values(file: File) -> None:
    shown: Ran = run("preview", file(with_policy("a|b`c")), "-o", "markdown")
    (row,) = [line for line in shown.out.splitlines() if line.startswith("| 4 components") and "a\\|b" in line][:1]
    assert row == (
        "| 4 components: a, b, c, d | Deployment | `spec.template.spec.containers[main].imagePullPolicy` "
        "| `(nothing)` | ``a\\|b`c`` |"
    )
    assert "**8** of 8 deployments change, **0** would fail." in shown.out


def test_problems_of_one_place_whose_messages_differ_are_one_line(file: File) -> None:
    by_component = "${{'x': 1}[metadata.componentName]}"
    (failure,) = by_moment(previewed(with_policy(by_component), file=file))["development", "now"]["failures"]
    assert (failure["count"], failure["variants"]) == (4, 4)
    assert "no such key: a" in failure["message"]
