"""The scripts around the project: what can be told without installing or fetching anything."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from scripts import browser, changed, check, deadline, setup, vendor

ROOT = Path(__file__).resolve().parents[2]
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
    """What the tools would answer, and the report of so many tests; what was called with what."""

    def __init__(self, ruff: int = 0, pytest: int = 0, tests: int = 0) -> None:
        self.statuses, self.tests = {"ruff": ruff, "pytest": pytest}, tests
        self.commands: list[list[str]] = []
        self.variables: list[dict[str, str]] = []

    def __call__(self, command: list[str], *, env: dict[str, str], **_: object) -> int:
        self.commands.append(command[2:])
        self.variables.append(env)
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


def test_a_run_that_broke_off_has_failed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    interrupted = 2
    monkeypatch.setattr(subprocess, "call", Called(pytest=interrupted, tests=7))
    assert check.main(["unit"]) == 1
    assert capsys.readouterr().out.endswith("\n7 passed, 1 failed\n")


def test_workers_have_one_thread_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "cores", lambda: 3)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    called = Called(tests=1)
    monkeypatch.setattr(subprocess, "call", called)
    assert check.main(["unit"]) == check.main(["unit", "--", "-k", "pooling"]) == 0
    together, alone = called.commands
    assert together[:4] == ["pytest", "-n", "3", "--dist=worksteal"]
    assert "-n" not in alone
    assert [one.get("OMP_NUM_THREADS") for one in called.variables] == ["1", None]


@pytest.mark.parametrize(
    ("extra", "number"),
    [
        ([], 4),
        (["-x", "--durations=9"], 4),
        (["tests/project"], 4),
        (["-k", "pooling"], 0),
        (["-kpooling"], 0),
        (["--lf"], 0),
        (["-n2"], 0),
        (["tests/test_main.py"], 0),
        (["-v", "tests/test_main.py::test_it"], 0),
    ],
)
def test_few_tests_need_no_workers(
    monkeypatch: pytest.MonkeyPatch, extra: list[str], number: int
) -> None:
    monkeypatch.setattr(check, "cores", lambda: 16)
    assert check.workers(extra) == number


def test_one_core_needs_no_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "cores", lambda: 1)
    assert check.workers([]) == 0


def test_types_are_looked_at_while_the_tests_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    began, called = threading.Event(), Called(tests=2)

    def types(command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        began.set()
        return subprocess.CompletedProcess(command, 1, stdout=b"x.py:1: error")

    def call(command: list[str], *, env: dict[str, str], **_: object) -> int:
        assert began.wait(60)
        return called(command, env=env)

    monkeypatch.setattr(subprocess, "run", types)
    monkeypatch.setattr(subprocess, "call", call)
    assert check.main(["types", "unit"]) == 1
    said = capsys.readouterr().out
    assert "x.py:1: error" in said
    assert said.endswith("\nNot in order: types.\n2 passed, 0 failed\n")


def test_quick_is_lint_and_types_and_the_tests_of_what_changed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    choice = changed.Choice(("a.py",), ("tests/test_a.py",), ("tests/test_b.py",))
    monkeypatch.setattr(changed, "choose", lambda root: choice)
    well = subprocess.CompletedProcess([], 0, stdout=b"Success")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: well)
    called = Called(tests=2)
    monkeypatch.setattr(subprocess, "call", called)
    assert check.main(["quick"]) == 0
    assert [command[0] for command in called.commands] == ["ruff", "ruff", "pytest"]
    assert "tests/test_a.py" in called.commands[-1]
    assert float(called.variables[-1][deadline.VARIABLE]) > 0
    said = capsys.readouterr().out
    assert "Success" in said and "tests/test_b.py" in said
    assert said.endswith("\n2 passed, 0 failed\n")


@pytest.mark.parametrize(("moment", "outcome"), [("0", "1 skipped"), ("inf", "1 passed")])
def test_after_a_moment_no_test_begins(tmp_path: Path, moment: str, outcome: str) -> None:
    (tmp_path / "test_a.py").write_text("def test_it(): ...\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", deadline.__name__, "-p", "no:playwright"]
    environment = {**os.environ, deadline.VARIABLE: moment, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*command, "-p", "no:schemathesis", "."], cwd=tmp_path, env=environment,
        capture_output=True, text=True,
    )  # fmt: skip
    assert outcome in done.stdout
    assert ("test_a.py (1)" in done.stdout) == (moment == "0")


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
