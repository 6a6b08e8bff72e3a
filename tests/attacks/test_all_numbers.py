"""Each of the 31 attacks has a file of its own, with tests."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
NUMBER = re.compile(r"test_attack_(\d+)_")


@pytest.mark.parametrize("number", range(1, 32))
def test_every_attack_has_a_file_of_its_number_with_tests(number: int) -> None:
    files = list(HERE.glob(f"test_attack_{number:02}_*.py"))
    assert files, f"no tests/attacks/test_attack_{number:02}_*.py"
    for path in files:
        functions = {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}
        tests = {name for name in functions if name.startswith("test_")}
        assert tests, f"{path.name} has no test"
        foreign = {name for name in tests if (named := NUMBER.match(name)) and int(named[1]) != number}
        assert not foreign, f"{path.name} holds tests of other numbers: {sorted(foreign)}"
