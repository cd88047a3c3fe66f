"""Find the unit tests affected by changes, through imports and through file names in the code.

A file has changed if it differs from the merge base with `main`; uncommitted and untracked files
count too. Tests with the fewest imports between them and a change come first; those beyond a limit
are skipped, and listed.
"""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

CODE = ("app", "models", "scripts", "tests")
PAGES = ("templates", "static")
KINDS = (".py", ".html", ".js", ".css")
"""Files that depend on other files; all others only have dependents."""
DOTTED = r"\w+(?:\.\w+)+"

ALWAYS = tuple(f"tests/project/test_{habit}.py" for habit in ("repository", "imports", "modes"))
"""Tests of rules that hold for every file of the repository."""
OF_PAGES = "tests/web/test_pages.py"
"""Checks all pages, for every changed template or script."""

MOST = 300
"""Most test functions in the selected files: these take about a minute."""


class NoHistory(Exception):
    """Git cannot say what changed; the message says so."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Changed files, selected test files (nearest first), and those beyond the limit."""

    changed: tuple[str, ...]
    tests: tuple[str, ...]
    left: tuple[str, ...] = ()

    def summary(self) -> str:
        """Description of the selection in words."""
        if not self.changed:
            return "Nothing differs from main, so there is nothing to test."
        lines = [f"Of {len(self.changed)} changed files: {len(self.tests)} files of tests."]
        if self.left:
            names = "".join(f"\n  {name}" for name in self.left)
            lines.append(f"Left out, being farther away, are these {len(self.left)}:{names}")
        if browser := [name for name in self.changed if name.startswith("tests/browser/")]:
            lines.append(f"Left to `make browser`: {', '.join(browser)}")
        return "\n".join(lines)


def choose(root: Path, most: int = MOST) -> Choice:
    """Select the tests affected by changes in the repository at `root`. Raises `NoHistory`."""
    changed = changes(root)
    if not changed:
        return Choice((), ())
    sources = read_sources(root)
    near = nearest(changed, dependents(sources, changed))
    if any(name.startswith(PAGES) for name in changed):
        near.append(OF_PAGES)
    tests = [name for name in dict.fromkeys(near) if is_unit_test(name, sources)]
    kept, left = within([name for name in tests if name not in ALWAYS], sources, most)
    habits = [name for name in ALWAYS if name in sources]
    return Choice(tuple(changed), (*habits, *kept), tuple(left))


def changes(root: Path) -> list[str]:
    """Paths that differ from the merge base with main, sorted. Raises `NoHistory`."""
    bases = (_git(root, "merge-base", "HEAD", name) for name in ("main", "origin/main"))
    base = next((base.strip() for base in bases if base), "HEAD")
    differing = _git(root, "diff", "--name-only", "--no-renames", "-z", base)
    new = _git(root, "ls-files", "-z", "--others", "--exclude-standard")
    if differing is None or new is None:
        raise NoHistory("Git does not tell what changed here: `make unit` runs all unit tests.")
    return sorted({name for name in (differing + new).split("\0") if name})


def read_sources(root: Path) -> dict[str, str]:
    """The text of the project's modules, templates, scripts and styles, by path."""
    paths = [path for top in (*CODE, *PAGES) for path in sorted((root / top).rglob("*.*"))]
    return {
        path.relative_to(root).as_posix(): path.read_text(encoding="utf-8")
        for path in paths
        if path.suffix in KINDS and "vendor" not in path.parts
    }


def dependents(sources: Mapping[str, str], changed: Iterable[str] = ()) -> dict[str, set[str]]:
    """For each path the sources that import it or, if it is no module, contain its name."""
    modules, others = {}, dict[str, set[str]]()
    for path in {*sources, *changed}:
        if path.endswith(".py"):
            dotted = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            modules[dotted] = path
        else:
            others.setdefault(path.rpartition("/")[2], set()).add(path)
    found: dict[str, set[str]] = {}
    for name, text in sources.items():
        said = re.findall(r"[\w-][\w.-]*\.\w+", text)
        needed = {path for word in said for path in others.get(word, ())}
        if name.endswith(".py"):
            needed |= {modules[module] for module in imported(text) if module in modules}
            needed |= set(_conftests(name, sources))
        for path in needed - {name}:
            found.setdefault(path, set()).add(name)
    return found


def imported(text: str) -> set[str]:
    """Every module that may be imported, with the packages that contain it, as dotted names.

    A string that is only a dotted name counts too, since some modules are imported on demand.
    """
    names: set[str] = set()
    try:
        tree = ast.parse(text)
    except SyntaxError:  # Linting reports it.
        return names
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Constant) and re.fullmatch(DOTTED, str(node.value)):
            names.add(str(node.value))
    parts = [name.split(".") for name in names]
    return {".".join(part[:length]) for part in parts for length in range(1, len(part) + 1)}


def nearest(changed: Iterable[str], dependents: Mapping[str, set[str]]) -> list[str]:
    """The changed files and all that depend on them, sorted by the number of imports between.

    At equal distance, names that share more words with a changed path come first:
    `test_sweep.py` before `test_ablation.py` for `app/web/attack/sweep.py`.
    """
    level = list(changed)
    meant = [_words(name) for name in level]

    def strange(name: str) -> int:
        return -max(len(words & _words(Path(name).stem)) for words in meant)

    near = dict.fromkeys(level)
    while level:
        beyond = {name for known in level for name in dependents.get(known, ())} - near.keys()
        level = sorted(beyond, key=lambda name: (strange(name), name))
        near |= dict.fromkeys(level)
    return list(near)


def is_unit_test(name: str, sources: Mapping[str, str]) -> bool:
    """True for an existing test file that needs no browser."""
    a_test = name.startswith("tests/") and name.rpartition("/")[2].startswith("test_")
    return a_test and name in sources and not name.startswith("tests/browser/")


def within(
    names: Sequence[str], sources: Mapping[str, str], most: int
) -> tuple[list[str], list[str]]:
    """Split files after `most` test functions in all; the first part has at least one file."""
    total = 0
    for i, name in enumerate(names):
        total += len(re.findall(r"^ *(?:async )?def test_", sources[name], re.MULTILINE))
        if i and total > most:
            return list(names[:i]), list(names[i:])
    return list(names), []


def _words(path: str) -> set[str]:
    return set(re.split(r"[/._-]+", path))


def _conftests(name: str, sources: Mapping[str, str]) -> Iterator[str]:
    """The conftest files that pytest loads before a test module."""
    for folder in Path(name).parents:
        path = (folder / "conftest.py").as_posix()
        if name.startswith("tests/") and path in sources:
            yield path


def _git(root: Path, *arguments: str) -> str | None:
    """The output of git; None if it fails or is not installed."""
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, check=False)
    except OSError:
        return None
    return done.stdout.decode(errors="replace") if done.returncode == 0 else None
