"""Imports point one way: web -> services -> vision -> models, and pictures is a leaf.

Within `app.services` and `app.web` the rooms are in order, too: none imports one that comes later.
No modules import one another in a circle.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# What each part may import of the project's own; the longest prefix decides.
MAY = {
    "models": {"models"},
    "app.errors": set[str](),
    "app.settings": {"app.errors"},
    "app.pictures": {"app.pictures", "app.errors"},
    "app.vision": {"app.vision", "models", "app.errors"},
    "app.services": {"app.services", "app.vision", "app.pictures", "models", "app.errors"},
    "app.training": {"app.training", "app.vision", "app.pictures", "models", "app.errors"},
    "app.web": {"app", "models"},
    "app.bench": {"app", "models"},
    "app.verbs": {"app", "models"},
    "app": {"app"},
}
ROOMS = {
    "app.services": (
        *("files", "data_folder", "cache", "engine", "networks", "pictures", "runs", "surveys"),
        *("synthesis", "atlas", "attacks", "interventions"),
    ),
    "app.web": (
        *("core", "parts", "api", "panels", "explorer"),
        *("attack", "compare", "layers", "lab", "panel_registry", "app", "server"),
    ),
}
"""A room imports itself and those before it; the last three put everything together."""
APART = {"app.web": {"attack", "compare", "layers", "lab"}}
"""Rooms of pages that do not import one another either."""
PAGES = {"panels", "explorer", "attack", "compare", "layers", "lab"}
CIRCLES = {
    frozenset(f"models.{name}" for name in ("registry", "alexnet", "mini", "squeezenet", "vgg"))
}
"""The registry loads the architectures, and they register themselves with it."""
MOST_FLAT = 8
"""Modules that may lie in `app/services/` beside its packages."""

ONLY_WEB = {"fastapi", "starlette", "jinja2", "uvicorn", "pydantic"}
PURE = {
    "torch",
    "__future__",
    "collections",
    "contextlib",
    "contextvars",
    "dataclasses",
    "itertools",
    "math",
    "time",
    "typing",
}


def imported(source: str) -> set[str]:
    """Names of all modules that a source imports, inside functions too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide where an arrow points"
            module = node.module or ""
            inside = module in ("app", *ROOMS)
            found |= {f"{module}.{alias.name}" for alias in node.names} if inside else {module}
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


def out_of_order(module: str, source: str) -> list[str]:
    """The imports of a module from a room that comes after its own, or stands apart from it."""
    bad = []
    for top, rooms in ROOMS.items():
        here = room_of(module, top)
        for name in sorted(imported(source)):
            there = room_of(name, top)
            if not here or not there or here == there:
                continue
            apart = APART.get(top, set())
            if rooms.index(there) > rooms.index(here) or {here, there} <= apart:
                bad.append(f"{module} imports {name}")
    return bad


def room_of(module: str, top: str) -> str:
    """`runs` of `app.services.runs.run`; "" for a module that does not lie under `top`."""
    return module.removeprefix(f"{top}.").partition(".")[0] if module.startswith(f"{top}.") else ""


def modules() -> list[tuple[str, Path]]:
    """Every module of app/ and models/."""
    found = []
    for top in ("app", "models"):
        for path in sorted((ROOT / top).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found.append((".".join(parts).removesuffix(".__init__"), path))
    return found


def graph(sources: dict[str, str]) -> dict[str, set[str]]:
    """The modules that each module imports: in functions and for types only, too.

    `from package import name` is an import of the module `package.name` if there is one, and of the
    package's `__init__` otherwise. That a module's own package is run before it does not count.
    """
    found: dict[str, set[str]] = {}
    for module, source in sources.items():
        names = set[str]()
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                whole = [f"{node.module}.{alias.name}" for alias in node.names]
                names |= {one if one in sources else str(node.module) for one in whole}
        found[module] = (names & sources.keys()) - {module}
    return found


def circles(arrows: dict[str, set[str]]) -> set[frozenset[str]]:
    """Groups of two or more modules each of which imports, directly or not, all the others."""
    reach = {name: _reached(arrows, name) for name in arrows}
    groups = {frozenset(other for other in reach[name] if name in reach[other]) for name in arrows}
    return {group for group in groups if len(group) > 1}


def _reached(arrows: dict[str, set[str]], start: str) -> set[str]:
    reached, waiting = set[str](), [start]
    while waiting:
        new = arrows[waiting.pop()] - reached
        reached |= new
        waiting += new
    return reached


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
        ("app.errors", "from app.web.core import errors"),
    ],
)
def test_an_arrow_that_runs_the_other_way_is_found(module: str, source: str) -> None:
    assert len(wrong(module, source)) == 1


def test_no_modules_import_one_another_in_a_circle() -> None:
    found = circles(graph({name: path.read_text("utf-8") for name, path in modules()}))
    assert [" <-> ".join(sorted(circle)) for circle in found - CIRCLES] == []
    assert found >= CIRCLES, "an exception that is not needed any more"


@pytest.mark.parametrize(
    "back",
    [
        "import a.one",
        "from a import one",
        "from a.one import name as other",
        "def f():\n    from a.one import name",
        "if TYPE_CHECKING:\n    from a.one import Name",
    ],
)
def test_a_circle_of_imports_is_found(back: str) -> None:
    sources = {"a": "", "a.one": "from a.two import x", "a.two": "import a.three", "a.three": back}
    assert circles(graph(sources)) == {frozenset({"a.one", "a.two", "a.three"})}


def test_a_package_that_gathers_its_modules_is_no_circle() -> None:
    sources = {"a": "from a.one import x", "a.one": "from a import two", "a.two": "import a.three"}
    assert circles(graph({**sources, "a.three": ""})) == set()
    assert circles(graph({**sources, "a.three": "from a import x"})) == {
        frozenset({"a.three", *sources})
    }


def test_every_room_has_its_place_and_no_arrow_runs_back() -> None:
    for top, rooms in ROOMS.items():
        folder = ROOT / top.replace(".", "/")
        there = {path.stem for path in folder.iterdir() if (path / "__init__.py").is_file()}
        there |= {path.stem for path in folder.glob("*.py")} - {"__init__"}
        assert there == set(rooms)
    bad = [one for name, path in modules() for one in out_of_order(name, path.read_text("utf-8"))]
    assert bad == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("app.services.networks.loading", "from app.services.runs.run import Run"),
        ("app.services.cache", "from app.services import engine"),
        ("app.services.surveys.survey", "from app.services.atlas.atlas import KEEP"),
        ("app.web.api.channels", "from app.web.panels.crops.panel import router"),
        ("app.web.core.links", "from app.web.parts.photo import photo"),
        ("app.web.panels.numbers", "def f():\n    from app.web.explorer.river import card"),
        ("app.web.attack.page", "from app.web.compare.page import pair"),
        ("app.web.lab.row", "from app.web import app"),
    ],
)
def test_an_arrow_back_between_rooms_is_found(module: str, source: str) -> None:
    assert len(out_of_order(module, source)) == 1


def test_the_api_imports_no_page() -> None:
    for name, path in modules():
        if name.startswith("app.web.api"):
            rooms = {room_of(one, "app.web") for one in imported(path.read_text("utf-8"))}
            assert not rooms & PAGES, name


def test_few_modules_of_the_services_have_no_room() -> None:
    flat = {path.stem for path in (ROOT / "app/services").glob("*.py")} - {"__init__"}
    assert len(flat) <= MOST_FLAT


def test_a_class_name_is_found_once() -> None:
    places: dict[str, list[str]] = {}
    for name, path in modules():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(name)
    assert len(places) > 400
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_the_document_of_the_architecture_names_every_room_and_nothing_else() -> None:
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    _, *sections = re.split(r"^### ", text, flags=re.MULTILINE)
    for top, rooms in ROOMS.items():
        folder = ROOT / top.replace(".", "/")
        (section,) = [one for one in sections if one.startswith(f"{top.replace('.', '/')}\n")]
        rows = dict(re.findall(r"^\| `(\w+)/` \|.*\| (.+) \|$", section, flags=re.MULTILINE))
        assert set(rows) == {one for one in rooms if (folder / one).is_dir()}
        for room, begin in rows.items():
            for name in re.findall(r"`([\w/]+\.py|\w+/)`", begin):
                assert (folder / room / name).exists(), f"{room}: {name}"
    for name in re.findall(r"`((?:web|services|vision|pictures)/[\w/]+\.py)`", text):
        assert (ROOT / "app" / name).exists(), name
