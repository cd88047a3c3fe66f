"""What `quick` chooses: by imports and names, nearest first, within a number of tests."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from scripts import changed

SOURCES = {
    "app/__init__.py": "",
    "app/web/__init__.py": "",
    "app/vision/__init__.py": "",
    "app/vision/pooling.py": "",
    "app/vision/window.py": "def f():\n    from app.vision import pooling\n",
    "app/web/page.py": 'from app.vision.window import f\nPAGE = "partials/_pooled.html"\n',
    "app/__main__.py": 'LATER = "app.web.page"\n',
    "templates/partials/_pooled.html": "",
    "templates/pages/x.html": '{% include "partials/_pooled.html" %}',
    "tests/web/conftest.py": "import app.web.page\n",
    "tests/web/test_page.py": "def test_it(): ...\n",
    "tests/web/test_pooling_page.py": "def test_it(): ...\n",
    "tests/vision/test_pooling.py": "import app.vision.pooling\n" + "def test_it(): ...\n" * 3,
    "tests/vision/test_window.py": "from app.vision.window import f\nasync def test_it(): ...\n",
    "tests/browser/test_page.py": "import app.vision.pooling\n",
    "tests/test_main.py": "import app.__main__\ndef test_it(): ...\n",
    "tests/project/test_repository.py": "",
}


def chosen(*names: str) -> list[str]:
    near = changed.nearest(names, changed.dependents(SOURCES, names))
    return [name for name in near if changed.is_unit_test(name, SOURCES)]


def test_a_module_leads_to_tests_by_the_number_of_imports_between() -> None:
    assert chosen("app/vision/pooling.py") == [
        "tests/vision/test_pooling.py",
        "tests/vision/test_window.py",
        "tests/web/test_pooling_page.py",
        "tests/test_main.py",
        "tests/web/test_page.py",
    ]


def test_a_module_that_is_gone_leads_to_those_that_import_it() -> None:
    names = ["app/vision/gone.py"]
    sources = {"tests/vision/test_gone.py": "from app.vision.gone import f\n"}
    assert changed.dependents(sources, names) == {"app/vision/gone.py": set(sources)}


def test_a_package_leads_to_what_imports_from_it() -> None:
    assert "tests/vision/test_window.py" in chosen("app/vision/__init__.py")


def test_a_module_that_cannot_be_read_leads_nowhere() -> None:
    assert changed.imported("import app\nimport") == set()


def test_a_template_leads_to_the_tests_of_what_names_it() -> None:
    web = ["tests/web/test_page.py", "tests/web/test_pooling_page.py"]
    assert chosen("templates/partials/_pooled.html") == ["tests/test_main.py", *web]


def test_changed_tests_come_first_and_a_conftest_leads_to_its_own_folder() -> None:
    assert chosen("tests/vision/test_window.py") == ["tests/vision/test_window.py"]
    web = ["tests/web/test_page.py", "tests/web/test_pooling_page.py"]
    assert chosen("tests/web/conftest.py") == web


def test_beyond_a_number_of_tests_files_are_left_out_but_never_the_first() -> None:
    names = ["tests/vision/test_pooling.py", "tests/vision/test_window.py"]
    assert changed.within(names, SOURCES, 4) == (names, [])
    assert changed.within(names, SOURCES, 3) == (names[:1], names[1:])
    assert changed.within(names, SOURCES, 1) == (names[:1], names[1:])


def git(root: Path, *arguments: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@localhost", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *arguments], cwd=root, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Main went on after the branch had left it; the branch has one commit of its own."""
    if shutil.which("git") is None:
        pytest.skip("there is no git")
    for name, text in SOURCES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    git(tmp_path, "init", "--initial-branch=main")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--message=a")
    git(tmp_path, "checkout", "-b", "branch")
    (tmp_path / "app/vision/window.py").write_text("f = 1\n", encoding="utf-8")
    git(tmp_path, "commit", "--all", "--message=b")
    git(tmp_path, "checkout", "main")
    (tmp_path / "app/vision/pooling.py").write_text("g = 1\n", encoding="utf-8")
    git(tmp_path, "commit", "--all", "--message=c")
    git(tmp_path, "checkout", "branch")
    return tmp_path


def test_what_changed_is_committed_or_not_or_new(repository: Path) -> None:
    assert changed.changes(repository) == ["app/vision/window.py"]
    (repository / "README.md").write_text("new", encoding="utf-8")
    (repository / "app/web/page.py").unlink()
    both = ["README.md", "app/vision/window.py", "app/web/page.py"]
    assert changed.changes(repository) == both


def test_what_is_chosen_and_what_is_not_is_told(repository: Path) -> None:
    habits = "tests/project/test_repository.py"
    choice = changed.choose(repository, most=1)
    assert choice.tests == (habits, "tests/vision/test_window.py")
    assert "tests/web/test_page.py" in choice.left
    assert choice.left[0] in choice.summary()
    (repository / "tests/browser/test_page.py").write_text("", encoding="utf-8")
    choice = changed.choose(repository)
    assert not choice.left
    assert "tests/browser/test_page.py" not in choice.tests
    assert "Left to `make browser`: tests/browser/test_page.py" in choice.summary()


def test_without_changes_nothing_is_chosen(repository: Path) -> None:
    git(repository, "checkout", "main")
    choice = changed.choose(repository)
    assert choice.tests == ()
    assert "Nothing differs" in choice.summary()


def test_without_history_the_reason_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(changed.NoHistory, match="make unit"):
        changed.choose(tmp_path)
