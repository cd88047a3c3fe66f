"""Check everything: lint, types, unit tests, browser tests; the last line is the sum of the tests.

    python -m scripts.check                     all phases
    python -m scripts.check lint types          some of them
    python -m scripts.check unit -- -k pooling  what follows `--` goes to pytest

A phase that fails does not keep the next ones from running. Unit and browser tests are two
processes: the event loop of pytest-playwright and that of async tests cannot share one.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.browser import ADVICE, VARIABLE, find_chromium, install_chromium

ROOT = Path(__file__).resolve().parent.parent
CODE = ("app", "models", "scripts", "tests")
PHASES = ("lint", "types", "unit", "browser")


@dataclass(frozen=True, slots=True)
class Count:
    """How many tests passed, failed (or broke), and were skipped."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(
            self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped
        )

    def __str__(self) -> str:
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one phase; `count` is None where it runs no tests."""

    phase: str
    well: bool
    count: Count | None = None


def main(arguments: Sequence[str]) -> int:
    """Run the phases that are asked for, tell what came of them, and give the exit status."""
    phases, extra = _parse(list(arguments))
    outcomes = [_run(phase, extra) for phase in PHASES if phase in phases]
    failed = [outcome.phase for outcome in outcomes if not outcome.well]
    counts = [outcome.count for outcome in outcomes if outcome.count is not None]
    _say(f"\nNot in order: {', '.join(failed)}." if failed else "\nAll in order.")
    if counts:
        _say(str(sum(counts, Count())))
    return 1 if failed else 0


def read_report(report: Path) -> Count:
    """Counts of a JUnit XML report; one failure where there is no report, as after a crash."""
    try:
        suites = list(ElementTree.parse(report).iter("testsuite"))
    except (OSError, ElementTree.ParseError):
        return Count(failed=1)
    tests, failures, errors, skipped = (
        sum(int(suite.get(name, 0)) for suite in suites)
        for name in ("tests", "failures", "errors", "skipped")
    )
    failed = failures + errors
    return Count(tests - failed - skipped, failed, skipped)


def _parse(arguments: list[str]) -> tuple[list[str], list[str]]:
    extra: list[str] = []
    if "--" in arguments:
        cut = arguments.index("--")
        arguments, extra = arguments[:cut], arguments[cut + 1 :]
    parser = argparse.ArgumentParser(
        prog="python -m scripts.check",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("phases", nargs="*", metavar="phase", help=", ".join(PHASES))
    phases = parser.parse_args(arguments).phases or list(PHASES)
    if unknown := set(phases) - set(PHASES):
        parser.error(f"no phase is called {', '.join(sorted(unknown))}")
    return phases, extra


def _run(phase: str, extra: list[str]) -> Outcome:
    _say(f"\n=== {phase} ===")
    if phase == "lint":
        commands = [["ruff", "check", "."], ["ruff", "format", "--check", "."]]
        statuses = [_call(*command) for command in commands]
        return Outcome(phase, not any(statuses))
    if phase == "types":
        return Outcome(phase, _call("mypy", *CODE) == 0)
    if phase == "unit":
        return _pytest(phase, ["-p", "no:playwright", "--ignore=tests/browser", *extra])
    chromium = find_chromium() or install_chromium()
    if chromium is None:
        _say(ADVICE)
        return Outcome(phase, False, Count(failed=1))
    return _pytest(phase, ["tests/browser", *extra], {VARIABLE: str(chromium)})


def _pytest(phase: str, arguments: list[str], variables: dict[str, str] | None = None) -> Outcome:
    """Run pytest; a run without any test has not gone well (pytest's own status is 5 then)."""
    with tempfile.TemporaryDirectory(prefix="layerscope-") as folder:
        report = Path(folder) / "report.xml"
        status = _call("pytest", *arguments, f"--junitxml={report}", variables=variables)
        count = read_report(report)
    return Outcome(phase, status == 0 and count.failed == 0, count)


def _call(module: str, *arguments: str, variables: dict[str, str] | None = None) -> int:
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.call(command, cwd=ROOT, env={**os.environ, **(variables or {})})


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
