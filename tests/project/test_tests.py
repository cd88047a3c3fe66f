"""Tests stand each on its own: what they share is in tests/support, what they ask is public."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def sources() -> list[tuple[str, str]]:
    """Every file under tests/, by its path from the repository's root."""
    paths = [one for one in sorted((ROOT / "tests").rglob("*.py")) if "vendor" not in one.parts]
    return [(one.relative_to(ROOT).as_posix(), one.read_text(encoding="utf-8")) for one in paths]


def misplaced(path: str) -> list[str]:
    """Whether a file under tests/ is neither tests nor fixtures, nor lies where helpers do."""
    name = path.rpartition("/")[2]
    support = path.startswith("tests/support/")
    if support == (name.startswith("test_") or name == "conftest.py"):
        return [f"{path}: helpers, and they alone, lie in tests/support"]
    return []


def borrowed(path: str, source: str) -> list[str]:
    """The imports from other tests and from a conftest."""
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            names += [f"{module}.{alias.name}" for alias in node.names]
    ours = [one for one in names if f"{one}.".startswith(("tests.", "conftest.", "."))]
    return [
        f"{path} imports {one}: what is shared lies in tests/support"
        for one in ours
        if not one.startswith("tests.support")
    ]


def private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name != "_"


def reached(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Private names that are asked of an object or a module: by a dot, an import, or as text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            if ast.unparse(node.value) not in ("self", "cls"):
                yield node.lineno, node.attr
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.Call):
            called = (
                node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
            )
            if called in ("setattr", "getattr", "delattr", "hasattr"):
                words = [one.value for one in node.args[:2] if isinstance(one, ast.Constant)]
                yield from ((node.lineno, str(one).rpartition(".")[2]) for one in words)


def prying(path: str, source: str) -> list[str]:
    """Where private names of others are used; those that the file itself defines are its own."""
    tree = ast.parse(source)
    own = {node.name for node in ast.walk(tree) if isinstance(node, DEFINITIONS)}
    own |= {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and ast.unparse(node.value) in ("self", "cls")
    }
    return [
        f"{path}:{line} uses {name}: ask for something public"
        for line, name in reached(tree)
        if private(name) and name not in own
    ]


def test_what_tests_share_lies_in_one_place() -> None:
    found = sources()
    assert len(found) > 150
    bad = [one for path, source in found for one in misplaced(path) + borrowed(path, source)]
    assert bad == []


def test_tests_ask_only_for_what_is_public() -> None:
    assert [one for path, source in sources() for one in prying(path, source)] == []


@pytest.mark.parametrize(
    "path", ["tests/web/reading.py", "tests/helpers.py", "tests/support/test_it.py",
             "tests/support/conftest.py"],
)  # fmt: skip
def test_a_file_in_the_wrong_place_is_found(path: str) -> None:
    assert len(misplaced(path)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "from tests.web.explorer.test_river_stream import parse",
        "from tests.web import test_stream",
        "import tests.web.explorer.test_river_stream as stream",
        "from tests.web.conftest import BASE",
        "from conftest import BASE",
        "def f():\n    from tests.web.explorer.test_river_stream import parse",
        "from .test_stream import parse",
        "from . import test_stream",
    ],
)
def test_an_import_from_another_test_is_found(source: str) -> None:
    assert len(borrowed("tests/web/test_a.py", source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "assert not engine._jobs",
        "store._require('id')",
        "from app.pictures.samples import _photo",
        "monkeypatch.setattr(store, '_lock', lock)",
        "monkeypatch.setattr('app.bench.command._measure', measured)",
        "getattr(store, '_lock')",
        "class Held:\n    def f(self, other):\n        other._let.set()",
    ],
)
def test_a_private_name_of_something_else_is_found(source: str) -> None:
    assert len(prying("tests/web/test_a.py", source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "import app.services.engine.engine\napp.services.engine.__name__",
        "class Held:\n    def __init__(self):\n        self._let = 1\nHeld()._let",
        "def _pixels():\n    pass\n_pixels()",
        "from tests.support.waiting import until",
    ],
)
def test_what_is_public_or_ones_own_is_let_pass(source: str) -> None:
    assert prying("tests/web/test_a.py", source) == borrowed("tests/web/test_a.py", source) == []
