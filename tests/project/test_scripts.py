"""The scripts around the project: what can be told without installing or fetching anything."""

from __future__ import annotations

import ast
import json
import subprocess
from pathlib import Path

import pytest

from scripts import browser, check, setup, vendor

REPORT = '<testsuites><testsuite tests="9" failures="2" errors="1" skipped="1"/></testsuites>'


def test_a_report_is_counted(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(REPORT, encoding="utf-8")
    assert check.read_report(report) == check.Count(passed=5, failed=3, skipped=1)


@pytest.mark.parametrize("text", [None, "", "<testsuites>"])
def test_a_run_without_a_report_has_failed(tmp_path: Path, text: str | None) -> None:
    report = tmp_path / "report.xml"
    if text is not None:
        report.write_text(text, encoding="utf-8")
    assert check.read_report(report) == check.Count(failed=1)


def test_the_last_line_sums_the_phases() -> None:
    assert str(check.Count(3, 0) + check.Count(4, 1)) == "7 passed, 1 failed"
    assert str(check.Count(3, 0, 2) + check.Count(4, 1)) == "7 passed, 1 failed, 2 skipped"


class Called:
    """What the tools would answer, and the report of so many tests."""

    def __init__(self, ruff: int = 0, pytest: int = 0, tests: int = 0) -> None:
        self.statuses, self.tests = {"ruff": ruff, "pytest": pytest}, tests

    def __call__(self, command: list[str], **_: object) -> int:
        for word in command:
            if word.startswith("--junitxml="):
                text = f'<testsuites><testsuite tests="{self.tests}"/></testsuites>'
                Path(word.partition("=")[2]).write_text(text, encoding="utf-8")
        return self.statuses[command[2]]


@pytest.mark.parametrize(("lint", "status"), [(0, 0), (1, 1)])
def test_lint_counts_for_the_status_but_not_for_the_sum(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], lint: int, status: int
) -> None:
    monkeypatch.setattr(subprocess, "call", Called(ruff=lint, tests=2))
    assert check.main(["lint", "unit"]) == status
    assert capsys.readouterr().out.endswith("\n2 passed, 0 failed\n")


def test_a_run_of_no_tests_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing_collected = 5
    monkeypatch.setattr(subprocess, "call", Called(pytest=nothing_collected, tests=0))
    assert check.main(["unit"]) == 1


def test_the_named_chromium_wins_and_must_exist(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    chromium = tmp_path / "chromium"
    monkeypatch.setenv(browser.VARIABLE, str(chromium))
    assert browser.find_chromium() is None
    assert browser.install_chromium() is None
    chromium.touch()
    assert browser.find_chromium() == chromium


def test_setup_can_be_read_by_a_python_that_is_too_old() -> None:
    ast.parse(Path(setup.__file__).read_text(encoding="utf-8"), feature_version=(3, 8))


def test_setup_is_ready_until_a_requirement_changes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in setup.FILES["dev"]:
        (tmp_path / name).write_text("torch==2.13.0\n", encoding="utf-8")
    python = tmp_path / "python"
    python.touch()
    stamp = tmp_path / "stamp.json"
    for name, value in (("ROOT", tmp_path), ("PYTHON", python), ("STAMP", stamp)):
        monkeypatch.setattr(setup, name, value)
    assert not setup.is_ready("run")
    stamp.write_text(json.dumps({kind: setup.digest(kind) for kind in setup.FILES}))
    assert setup.is_ready("run")
    assert setup.is_ready("dev")
    (tmp_path / "requirements-dev.txt").write_text("pytest==9.2.0\n", encoding="utf-8")
    assert setup.is_ready("run")
    assert not setup.is_ready("dev")


def test_setup_says_which_python_it_needs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(setup, "OLDEST", (3, 98))
    monkeypatch.setattr(setup, "NEWEST", (3, 99))
    monkeypatch.setattr(setup, "is_ready", lambda kind: False)
    assert setup.main([]) == 1
    assert "needs Python 3.98 to 3.99" in capsys.readouterr().out


def test_vendored_files_that_changed_are_told(tmp_path: Path) -> None:
    files = [
        {"path": f"a/{name}", "sha256": vendor.digest(b"x")} for name in ("same", "gone", "new")
    ]
    (tmp_path / "manifest.json").write_text(json.dumps({"packages": [{"files": files}]}))
    (tmp_path / "a").mkdir()
    for name, data in (("same", b"x"), ("new", b"y"), ("stray", b"x")):
        (tmp_path / "a" / name).write_bytes(data)
    told = " ".join(vendor.problems(tmp_path))
    assert "a/gone is missing" in told
    assert "a/new is not the file" in told
    assert "a/stray is in no manifest" in told
    assert "a/same" not in told
