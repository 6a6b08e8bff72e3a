"""What is compiled once is shared: safely by threads and forked processes, and never without end."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import _lru_cache_wrapper
from inspect import signature
from typing import Any

import pytest

import catalog.compiler
from catalog.compiler import component
from catalog.compiler.cel import CelCompileError, Environment
from catalog.compiler.cel.environment import _compile
from catalog.compiler.template import compile_template
from tests.compiler.component_input import config_map, render_input, schema

VARIABLES = frozenset({"p"})


def caches() -> dict[str, _lru_cache_wrapper[Any]]:
    """Every cache of the compiler, by module and name."""
    found = {}
    for module_info in pkgutil.walk_packages(catalog.compiler.__path__, "catalog.compiler."):
        if module_info.name.endswith("__main__"):
            continue
        module = importlib.import_module(module_info.name)
        for name, value in vars(module).items():
            if isinstance(value, _lru_cache_wrapper) and value.__module__ == module.__name__:
                found[f"{module.__name__}.{name}"] = value
    return found


@pytest.fixture
def threads_switch_often():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def given(number: int) -> dict[str, Any]:
    """An input with a type of its own."""
    return render_input(
        config_map(f"c-{number}", text="${parameters.text + '-" + str(number) + "'}", n="${[1, 2].map(x, x + 1)}"),
        type_spec={"parameters": schema(text={"type": "string", "default": f"d{number}"})},
    )


def text_of(output: component.ComponentOutput) -> str:
    (found,) = (item["data"]["text"] for item, _ in output.resources if item["kind"] == "ConfigMap")
    return str(found)


def test_many_threads_compile_the_same_and_different_types(threads_switch_often: None) -> None:
    for cache in caches().values():
        cache.cache_clear()
    threads, types = 8, 12
    start = threading.Barrier(threads)

    def work(_: int) -> list[str]:
        start.wait()
        return [text_of(component.render(given(number))) for _ in range(3) for number in range(types)]

    with ThreadPoolExecutor(threads) as pool:
        results = list(pool.map(work, range(threads)))
    assert results == [[f"d{number}-{number}" for number in range(types)] * 3] * threads


def test_faults_are_found_by_every_thread(threads_switch_often: None) -> None:
    _compile.cache_clear()
    start = threading.Barrier(8)

    def work(number: int) -> str:
        start.wait()
        with pytest.raises(CelCompileError) as caught:
            Environment(VARIABLES).compile("nope + 1")
        return str(caught.value)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(work, range(8)))) == 1


def test_a_forked_process_uses_what_was_compiled_and_changes_nothing_here() -> None:
    assert text_of(component.render(given(1))) == "d1-1"
    before = _compile.cache_info()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover
        said = text_of(component.render(given(1))) + " " + text_of(component.render(given(1001)))
        os.write(writer, said.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        assert pipe.read() == "d1-1 d1001-1001"
    assert os.waitpid(child, 0)[1] == 0
    assert _compile.cache_info() == before


def takes_content(cache: _lru_cache_wrapper[Any]) -> bool:
    """Tell whether there is no end of different arguments: for nothing and for booleans there is one."""
    return any(argument.annotation != "bool" for argument in signature(cache.__wrapped__).parameters.values())


def test_every_cache_has_a_bound() -> None:
    found = caches()
    unbounded = [cache for cache in found.values() if cache.cache_info().maxsize is None]
    assert [cache.__name__ for cache in unbounded if takes_content(cache)] == []
    assert len(found) > 10


@pytest.mark.parametrize("cached", [_compile], ids=["expressions"])
def test_old_content_makes_place_for_new(cached: _lru_cache_wrapper[Any]) -> None:
    bound = cached.cache_info().maxsize
    assert bound is not None
    for number in range(bound + 100):
        Environment(VARIABLES).compile(f"{number}")
    assert cached.cache_info().currsize == bound
    assert Environment(VARIABLES).compile("0").evaluate({}) == 0


def test_a_template_is_known_by_its_content() -> None:
    document: dict[str, Any] = {"a": ["${p}"]}
    first = compile_template(document, VARIABLES, False)
    assert compile_template({"a": ["${p}"]}, VARIABLES, False) is first
    document["a"].append("later")
    assert first.render({"p": 1.0}) == {"a": [1.0]}
    assert compile_template(document, VARIABLES, False).render({"p": 1.0}) == {"a": [1.0, "later"]}
