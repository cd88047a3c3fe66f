"""Habits of the repository that no linter knows."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from scripts.vendor import FOLDERS, problems, read_manifest

ROOT = Path(__file__).resolve().parents[2]
MADE = {".git", ".venv", "wheels", "data", "__pycache__", ".hypothesis", "test-results"}
VENDORED = ("static/vendor/", "tests/vendor/")
LONGEST = 350

# In pieces, so that this file does not name what it looks for.
REGISTRIES = [
    "py" + r"pi\.org",
    "pythonhost" + r"ed\.org",
    "registry" + r"\.npm",
    "registry" + r"\.yarn",
    "deb" + r"\.debian\.org",
    "archive" + r"\.ubuntu\.com",
]
FOLDERS_OF_SOMEBODY = r"(?<![\w./:-])/(ho" + "me|Us" + "ers|ro" + "ot|wo" + r"rk)/\w"


def project_files() -> list[str]:
    """What is in the repository, or would be with the next commit; all files where git is not."""
    if shutil.which("git") and (ROOT / ".git").exists():
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        names = [name for name in listed.stdout.split("\0") if name]
    else:
        found = (path.relative_to(ROOT) for path in ROOT.rglob("*"))
        names = [path.as_posix() for path in found if not MADE & set(path.parts)]
    return sorted(name for name in names if (ROOT / name).is_file())


FILES = project_files()
OWN = [name for name in FILES if not name.startswith(VENDORED)]


def own_texts() -> dict[str, str]:
    """Our own text files by name; pictures, weights and archives are not text."""
    texts = {}
    for name in OWN:
        data = (ROOT / name).read_bytes()
        if b"\0" not in data:
            texts[name] = data.decode("utf-8")
    return texts


def requirements(file: str) -> list[str]:
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith(("#", "-r "))]


def names_of(file: str) -> list[str]:
    return [requirement.partition("==")[0] for requirement in requirements(file)]


def test_there_are_files_to_look_at() -> None:
    assert {"README.md", "Makefile", "app/__init__.py"} <= set(OWN)


@pytest.mark.parametrize("pattern", [*REGISTRIES, FOLDERS_OF_SOMEBODY])
def test_no_text_names_a_package_registry_or_a_folder_of_one_machine(pattern: str) -> None:
    named = re.compile(pattern)
    assert [name for name, text in own_texts().items() if named.search(text)] == []


def test_no_source_file_is_too_long() -> None:
    sources = [
        name
        for name in OWN
        if name.startswith(("app/", "models/", "static/")) and name.endswith((".py", ".js", ".css"))
    ]
    lengths = {name: (ROOT / name).read_text(encoding="utf-8").count("\n") for name in sources}
    assert lengths
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)
def test_vendored_files_are_the_ones_in_the_manifest(folder: Path) -> None:
    assert problems(folder) == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)
def test_vendored_packages_tell_version_licence_and_source(folder: Path) -> None:
    packages = read_manifest(folder)["packages"]
    assert packages
    for package in packages:
        name, version = package["package"], package["version"]
        assert re.fullmatch(r"\d+\.\d+\.\d+", version)
        assert package["licence"]
        assert package["source"] == f"npm package {name}@{version}"
        assert f"{name}/LICENSE" in {file["path"] for file in package["files"]}


@pytest.mark.parametrize(
    "file", ["requirements.txt", "requirements-optional.txt", "requirements-dev.txt"]
)
def test_requirements_are_pinned_and_sorted(file: str) -> None:
    lines = requirements(file)
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9-]+==\d[\w.]*", line)] == []
    names = [name for name in names_of(file) if name != "torch"]
    assert names == sorted(names)


def test_notices_name_what_is_vendored_and_what_running_needs() -> None:
    notices = (ROOT / "THIRD_PARTY_NOTICES.md").read_text(encoding="utf-8")
    vendored = [p["package"] for folder in FOLDERS for p in read_manifest(folder)["packages"]]
    needed = vendored + names_of("requirements.txt") + names_of("requirements-optional.txt")
    assert [name for name in needed if f"| {name} |" not in notices] == []


def test_notices_tell_the_vendored_versions() -> None:
    notices = (ROOT / "THIRD_PARTY_NOTICES.md").read_text(encoding="utf-8")
    for folder in FOLDERS:
        for package in read_manifest(folder)["packages"]:
            row = f"| {package['package']} | {package['version']} | {package['licence']} |"
            assert row in notices


def test_the_version_is_told_once() -> None:
    from app import __version__

    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{__version__}"' in project
