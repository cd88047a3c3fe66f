"""Imports point one way: web -> services -> vision -> models, and pictures is a leaf."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# What each part may import of the project's own; the longest prefix decides.
MAY = {
    "models": {"models"},
    "app.errors": set[str](),
    "app.pictures": {"app.pictures", "app.errors"},
    "app.vision": {"app.vision", "models", "app.errors"},
    "app.services": {"app.services", "app.vision", "app.pictures", "models", "app.errors"},
    "app.training": {"app.training", "app.vision", "app.pictures", "models", "app.errors"},
    "app.web": {"app", "models"},
    "app.bench": {"app", "models"},
    "app.verbs": {"app", "models"},
    "app": {"app"},
}
ONLY_WEB = {"fastapi", "starlette", "jinja2", "uvicorn", "pydantic"}
PURE = {"torch", "__future__", "collections", "dataclasses", "itertools", "math", "time", "typing"}


def imported(source: str) -> set[str]:
    """Names of all modules that a source imports, inside functions too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide where an arrow points"
            module = node.module or ""
            found |= (
                {f"{module}.{alias.name}" for alias in node.names} if module == "app" else {module}
            )
    return found


def wrong(module: str, source: str) -> list[str]:
    """The imports of a module that point the wrong way."""
    part = max((name for name in MAY if f"{module}.".startswith(f"{name}.")), key=len)
    bad = []
    for name in sorted(imported(source)):
        top = name.partition(".")[0]
        if top in ("app", "models"):
            if name == "app.__version__":
                continue
            if not any(f"{name}.".startswith(f"{allowed}.") for allowed in MAY[part]):
                bad.append(f"{module} imports {name}")
        elif top in ONLY_WEB and part not in ("app.web", "app.bench", "app"):
            bad.append(f"{module} imports {name}: only app.web knows HTTP and HTML")
        elif part == "app.vision" and top not in PURE:
            bad.append(f"{module} imports {name}: app.vision is pure torch")
    return bad


def modules() -> list[tuple[str, Path]]:
    """Every module of app/ and models/."""
    found = []
    for top in ("app", "models"):
        for path in sorted((ROOT / top).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found.append((".".join(parts).removesuffix(".__init__"), path))
    return found


def test_no_arrow_runs_the_other_way() -> None:
    checked = modules()
    assert len(checked) > 40
    bad = [one for name, path in checked for one in wrong(name, path.read_text(encoding="utf-8"))]
    assert bad == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("models.mini", "from app.vision import forward"),
        ("app.vision.forward", "import app.services.engine.engine"),
        ("app.vision.forward", "import numpy"),
        ("app.vision.predict", "def f():\n    from PIL import Image"),
        ("app.vision.predict", "from app.pictures.sheets import sheet"),
        ("app.training.trainer", "from app.settings import Settings"),
        ("app.training.trainer", "from app.services.engine.engine import Engine"),
        ("app.pictures.sheets", "from app import services"),
        ("app.pictures.sheets", "import app.vision.forward as f"),
        ("models.weights", "import app.errors"),
        ("app.errors", "import models"),
        ("app.vision.forward", "import jinja2"),
        ("app.pictures.sheets", "from models.graph import Step"),
        ("app.services.runs.runs", "def f():\n    from app.web.core.links import View"),
        ("app.services.runs.runs", "from fastapi import Depends"),
        ("app.errors", "from app.web import errors"),
    ],
)
def test_an_arrow_that_runs_the_other_way_is_found(module: str, source: str) -> None:
    assert len(wrong(module, source)) == 1
