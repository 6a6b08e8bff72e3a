"""Names of Kubernetes objects: vectors of the contract and the rules behind them."""

import pytest

from catalog.compiler.errors import CompilerError
from catalog.compiler.names import fnv1a32_hex, kubernetes_name


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (["my-service", "dev"], "my-service-dev-57aa809d"),
        (["dp", "default", "my-project", "development"], "dp-default-my-project-development-fd447088"),
        (["r_cache", "dev"], "r-cache-dev-3b6f6fe3"),
        ([""], "e3b0c442"),
        (["", ""], "3973e022"),
        (["!!!", "###"], "606b424e"),
        (["My App!"], "my-app-6e06c02a"),
        (["project", "component"], "project-component-932d1646"),
        (["My_Project$", "Component@Name"], "my-project-component-name-40314333"),
        (["a" * 300, "component"], "a" * 122 + "-component-a250aee3"),
        (["-invalid-start", "invalid-end-"], "invalid-start-invalid-end-f124257d"),
        (["a" * 260, "b" * 260], "a" * 122 + "-" + "b" * 121 + "-654ba7cd"),
        (["ProjectName", "ComponentName"], "projectname-componentname-755d4ced"),
        (["project.name", "component.name"], "project.name-component.name-851db5b2"),
        (["project_name with spaces", "component_name"], "project-name-with-spaces-component-name-101f1326"),
    ],
)
def test_it_derives_the_names_of_the_contract(parts, name):
    assert kubernetes_name(253, *parts) == name


def test_a_namespace_name_gives_each_part_an_equal_share_of_63_bytes():
    parts = ["a-very-long-namespace-name-here", "a-very-long-project-name-here", "a-very-long-environment-name"]
    assert kubernetes_name(63, "dp", *parts) == "dp-a-very-long-n-a-very-long-p-a-very-long--f88f4e00"


def test_extra_input_changes_the_hash_and_stays_unseen():
    assert kubernetes_name(253, "a", "b", extra="h") == "a-b-e7fc47d4"


@pytest.mark.parametrize(
    ("part", "start"), [("Élan", "élan-"), ("½日", "½日-"), ("ΑΣ", "ας-"[:1] + "σ-"), ("İx", "ix-")]
)
def test_letters_and_numbers_of_any_script_survive(part, start):
    assert kubernetes_name(253, part).startswith(start)


def test_a_cut_inside_a_character_leaves_a_replacement_character_per_byte():
    assert kubernetes_name(16, "a日", "x").split("-")[0] == "a\ufffd\ufffd"


def test_a_name_of_no_parts_is_an_error():
    with pytest.raises(CompilerError):
        kubernetes_name(253)


@pytest.mark.parametrize(("text", "digest"), [("", "811c9dc5"), ("test", "afd071e5")])
def test_it_hashes_with_fnv_1a(text, digest):
    assert fnv1a32_hex(text) == digest
