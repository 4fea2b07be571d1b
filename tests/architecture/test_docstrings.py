"""What is public is explained: every module, class and function, and in gis with units, shapes and errors."""

import ast
import doctest
import importlib
import re
from pathlib import Path

import pytest
from test_arrows import FLOORS, module_of, sources

from gis.errors import Problem


def public(path: Path):
    """Yield the public classes and functions that a module declares at its top."""
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.name[0] != "_":
            yield node


@pytest.mark.parametrize("path", [p for floor in FLOORS for p in sources(floor)], ids=module_of)
def test_everything_public_has_a_docstring(path):
    tree = ast.parse(path.read_text("utf-8"))
    if tree.body:
        assert ast.get_docstring(tree), module_of(path)
    assert [node.name for node in public(path) if not ast.get_docstring(node)] == []


@pytest.mark.parametrize("path", sources("gis"), ids=module_of)
def test_examples_in_gis_run(path):
    failures, _ = doctest.testmod(importlib.import_module(module_of(path)))
    assert failures == 0


def every_problem(kind: type[Problem] = Problem):
    for child in kind.__subclasses__():
        yield child
        yield from every_problem(child)


def test_every_problem_says_one_sentence():
    for floor in FLOORS:
        for path in sources(floor):
            if path.name != "__main__.py":
                importlib.import_module(module_of(path))
    for kind in every_problem():
        assert kind.__doc__, kind
        assert kind.__doc__.strip()[-1] in ".}?)" or re.search(r"(run|runs):\s", kind.__doc__), kind
