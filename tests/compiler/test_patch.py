"""Trait patches: which places a path names, what each operation does there, and which faults are which errors."""

import copy

import pytest

from catalog.compiler.cel.values import StringList
from catalog.compiler.errors import PatchError
from catalog.compiler.patch import Operation, apply_operations

DEPLOYMENT = {
    "metadata": {"annotations": {"a/b": "x"}},
    "spec": {
        "replicas": 1.0,
        "containers": [
            {"name": "main", "ports": [{"port": 8080.0}, {"port": 1000000.0}], "probe": {"http": {"path": "/up"}}},
            {"name": "side/car", "env": None},
        ],
    },
}
MAIN, SIDECAR = DEPLOYMENT["spec"]["containers"]


def patched(op, path, value=None, document=DEPLOYMENT):
    before = copy.deepcopy(document)
    result = apply_operations(document, [Operation(op, path, value)])
    assert document == before, "the document must not be changed in place"
    return result


@pytest.mark.parametrize(
    ("path", "indexes"),
    [
        ("/spec/containers/0/x", [0]),
        ("spec/containers[1]/x", [1]),
        ("/spec/containers/[1]/x", [1]),
        ("/spec/containers/+1/x", [1]),
        ("/spec/containers[*]/x", [0, 1]),
        ("/spec/containers[?(@.name=='main')]/x", [0]),
        ('/spec/containers[?( @.name == "side~1car" )]/x', [1]),
        ("/spec/containers[?(@.probe.http.path=='~1up')]/x", [0]),
        ("/spec/containers[?(@.env=='')]/x", [1]),
    ],
)
def test_paths_name_elements_of_lists(path, indexes):
    containers = patched("add", path, 1)["spec"]["containers"]
    assert [i for i, container in enumerate(containers) if container.get("x") == 1] == indexes


@pytest.mark.parametrize("text", ["8080", "1e+06"])
def test_filters_compare_numbers_as_they_print(text):
    ports = patched("add", f"/spec/containers/0/ports[?(@.port=='{text}')]/x", 1)["spec"]["containers"][0]["ports"]
    assert [port for port in ports if "x" in port] == [{"port": float(text), "x": 1}]


def test_add_makes_missing_objects_and_lists():
    result = patched("add", "/spec/new/volumes/-", {"name": "v"})
    assert result["spec"]["new"] == {"volumes": [{"name": "v"}]}
    assert patched("add", "/spec/containers/1/env/-", 1)["spec"]["containers"][1]["env"] == [1]
    assert patched("add", "/spec/containers[-]", 1)["spec"]["containers"] == [MAIN, SIDECAR, 1]


def test_add_inserts_into_lists_and_replaces_keys():
    assert patched("add", "/spec/containers/1", 1)["spec"]["containers"] == [MAIN, 1, SIDECAR]
    assert patched("add", "/spec/replicas", 3)["spec"]["replicas"] == 3
    assert patched("add", "/metadata/annotations/a~1b", "y")["metadata"]["annotations"] == {"a/b": "y"}


def test_replace_needs_something_to_replace():
    assert patched("REPLACE", "/spec/containers/0", 1)["spec"]["containers"] == [1, SIDECAR]
    with pytest.raises(PatchError, match='key "x" does not exist'):
        patched("replace", "/spec/x", 1)


def test_remove_of_an_absent_key_is_fine_and_of_an_absent_parent_is_not():
    assert "replicas" not in patched("remove", "/spec/replicas")["spec"]
    assert patched("remove", "/spec/x") == DEPLOYMENT
    with pytest.raises(PatchError, match='segment "x"'):
        patched("remove", "/spec/x/y")


def test_removing_several_elements_removes_exactly_those():
    document = {"l": [{"n": "x", "i": 1}, {"n": "x", "i": 2}, {"n": "y"}, {"n": "x", "i": 3}]}
    assert patched("remove", "/l[?(@.n=='x')]", document=document) == {"l": [{"n": "y"}]}
    assert patched("remove", "/l[*]", document=document) == {"l": []}


def test_merge_shallow_sets_entries_and_makes_the_object():
    document = {"a": {"b": {"x": {"deep": 1}, "y": 1}}, "s": 1}
    assert patched("mergeShallow", "/a/b", {"x": 2, "z": 3}, document)["a"]["b"] == {"x": 2, "y": 1, "z": 3}
    assert patched("mergeShallow", "/c/d", {"x": 2}, document)["c"] == {"d": {"x": 2}}
    assert patched("mergeShallow", "/s", {"x": 2}, document)["s"] == {"x": 2}


@pytest.mark.parametrize(
    ("op", "path", "value", "error_class"),
    [
        ("move", "/a", 1, "operation"),
        ("add", "/spec/containers[?(@.name=='nope')]/x", 1, "no-match"),
        ("remove", "/spec/containers[?(@.nope.x=='1')]", None, "no-match"),
        ("add", "/spec[?(@.a=='b')]/x", 1, "path"),
        ("add", "/spec/missing[*]/x", 1, "path"),
        ("add", "/spec/containers/2", 1, "path"),
        ("remove", "/spec/containers/-1", None, "path"),
        ("remove", "/spec/containers/-", None, "path"),
        ("replace", "/spec/containers/-", 1, "path"),
        ("add", "/spec/containers/name", 1, "path"),
        ("add", "/spec/replicas/x", 1, "path"),
        ("add", "/spec/new/0/x", 1, "path"),
        ("add", "/spec/containers[0", 1, "path"),
        ("add", "/spec/containers[x]", 1, "path"),
        ("add", "/spec/containers[?(@.name!='main')]/x", 1, "path"),
        ("add", "", 1, "path"),
        ("remove", "/", None, "path"),
        ("mergeShallow", "/spec", [1], "path"),
        ("mergeShallow", "/spec/containers/-", {}, "path"),
        ("mergeShallow", "", {}, "path"),
        ("add", "/metadata/annotations/80/x", 1, "path"),
    ],
)
def test_faults(op, path, value, error_class):
    with pytest.raises(PatchError) as caught:
        patched(op, path, value)
    assert caught.value.error_class == error_class
    assert str(caught.value).startswith("operation #0 failed: ")


def test_lists_in_lists_and_split_results_cannot_be_entered():
    for document in ({"l": [[1]]}, {"l": StringList(["a"])}):
        with pytest.raises(PatchError) as caught:
            patched("add", "/l/0/0", 1, document)
        assert caught.value.error_class == "path"


def test_later_operations_see_earlier_ones_and_errors_name_theirs():
    operations = [Operation("add", "/a", {}), Operation("add", "/a/b", 1), Operation("replace", "/a/c", 1)]
    assert apply_operations({}, operations[:2]) == {"a": {"b": 1}}
    with pytest.raises(PatchError, match="operation #2 failed"):
        apply_operations({}, operations)


def test_one_value_added_in_several_places_stays_apart():
    document = {"l": [{}, {}]}
    operations = [Operation("add", "/l[*]/v", {"n": 0}), Operation("add", "/l/0/v/n", 1)]
    assert apply_operations(document, operations) == {"l": [{"v": {"n": 1}}, {"v": {"n": 0}}]}
