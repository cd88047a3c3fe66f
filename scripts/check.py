"""Run all checks: lint, types, unit tests, browser tests; the last line is the total of tests.

    python -m scripts.check                     all phases
    python -m scripts.check lint types          some of them
    python -m scripts.check quick               lint, types and the unit tests of changed files
    python -m scripts.check unit -- -k pooling  arguments after `--` are passed to pytest

If a phase fails, the next ones still run. Unit and browser tests run in two processes: the event
loops of pytest-playwright and of async tests cannot share one. Both use several workers with one
thread each, since threads of several workers would compete for the cores. Types are checked while
the tests run, and reported after them.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from scripts import changed, deadline
from scripts.browser import ADVICE, VARIABLE, find_chromium, install_chromium

ROOT = Path(__file__).resolve().parent.parent
CODE = ("app", "models", "scripts", "tests")
PHASES = ("lint", "types", "unit", "browser")
QUICK = ("lint", "types", "quick")

WITHOUT_BROWSER = ("-p", "no:playwright", "--ignore=tests/browser")
MOST_WORKERS = 4
"""A worker takes up to 1.5 GB of memory, for several large networks."""

ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
ALONE = ("-k", "-m", "-n", "--numprocesses", "--lf", "--last-failed", "--pdb", "--trace")
"""Options with which pytest runs few tests, or which set the number of workers."""

BEGAN = time.time()
QUICK_SECONDS = 75.0
"""Seconds from the start after which `quick` starts no further test."""

STRANGE = 2
"""The lowest exit status of pytest that means neither passed nor failed tests."""
NO_TESTS = 5


@dataclass(frozen=True, slots=True)
class Count:
    """Number of passed, failed (or broken) and skipped tests."""

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
class PhaseResult:
    """The result of one phase; `count` is None if it runs no tests."""

    phase: str
    well: bool
    count: Count | None = None


def main(arguments: Sequence[str]) -> int:
    """Run the requested phases, report their results, and return the exit status."""
    phases, extra = _parse(list(arguments))
    outcomes = _run_all(phases, extra)
    failed = [outcome.phase for outcome in outcomes if not outcome.well]
    counts = [outcome.count for outcome in outcomes if outcome.count is not None]
    _say(f"\nNot in order: {', '.join(failed)}." if failed else "\nAll in order.")
    if counts:
        _say(str(sum(counts, Count())))
    return 1 if failed else 0


def read_report(report: Path) -> Count:
    """Read the counts of a JUnit XML report; one failure if there is no report."""
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


def workers(extra: Sequence[str]) -> int:
    """Number of worker processes; 0 for few tests, which take less time than starting a worker.

    Tests are few if an option, a file or a test's name selects them.
    """
    for argument in extra:
        if argument.startswith(ALONE) or (ROOT / argument.partition("::")[0]).is_file():
            return 0
    number = min(MOST_WORKERS, cores())
    return number if number > 1 else 0


def cores() -> int:
    """Number of cores that this process may use, if the system reports it."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


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
    known = (*PHASES, "quick")
    parser.add_argument("phases", nargs="*", metavar="phase", help=", ".join(known))
    phases = parser.parse_args(arguments).phases or list(PHASES)
    if unknown := set(phases) - set(known):
        parser.error(f"no phase is called {', '.join(sorted(unknown))}")
    if "quick" in phases:
        phases = [*phases, *QUICK]
    return [phase for phase in known if phase in phases], extra


def _run_all(phases: list[str], extra: list[str]) -> list[PhaseResult]:
    """Run the phases; the type check needs one core and runs in parallel to the tests."""
    with ThreadPoolExecutor(1) as pool:
        types = None
        outcomes = []
        for phase in phases:
            if phase == "types":
                types = pool.submit(_run, phase, extra)
            else:
                outcomes.append(_run(phase, extra))
        return outcomes if types is None else [types.result(), *outcomes]


def _run(phase: str, extra: list[str]) -> PhaseResult:
    if phase == "types":
        return _types()
    _say(f"\n=== {phase} ===")
    if phase == "lint":
        commands = [["ruff", "check", "."], ["ruff", "format", "--check", "."]]
        statuses = [_call(*command) for command in commands]
        return PhaseResult(phase, not any(statuses))
    if phase == "unit":
        return _pytest(phase, [*WITHOUT_BROWSER, *extra], workers(extra))
    if phase == "quick":
        return _quick(extra)
    chromium = find_chromium() or install_chromium()
    if chromium is None:
        _say(ADVICE)
        return PhaseResult(phase, False, Count(failed=1))
    return _pytest(
        phase, ["tests/browser", *extra], workers(extra), variables={VARIABLE: str(chromium)}
    )


def _types() -> PhaseResult:
    """Run mypy, and print its output when it has ended."""
    command = [sys.executable, "-m", "mypy", *CODE]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    _say(f"\n=== types ===\n{done.stdout.decode(errors='replace').rstrip()}")
    return PhaseResult("types", done.returncode == 0)


def _quick(extra: list[str]) -> PhaseResult:
    """Run the unit tests of changed files, nearest first, until the time limit."""
    try:
        choice = changed.choose(ROOT)
    except changed.NoHistory as error:
        _say(str(error))
        return PhaseResult("quick", False)
    _say(choice.summary())
    if not choice.tests:
        return PhaseResult("quick", True, Count())
    options = [*WITHOUT_BROWSER, "-p", deadline.__name__, "--dist=loadfile"]
    number = workers(extra)
    if number:
        options.append("--no-loadscope-reorder")
    end = {deadline.VARIABLE: str(BEGAN + QUICK_SECONDS)}
    return _pytest("quick", [*options, *choice.tests, *extra], number, variables=end)


def _pytest(
    phase: str,
    arguments: Sequence[str],
    number: int = 0,
    *,
    variables: dict[str, str] | None = None,
) -> PhaseResult:
    """Run pytest in `number` workers, or without workers for 0.

    A run without any test is a failure, and so is an aborted run without failed tests.
    """
    if number:
        arguments = ["-n", str(number), "--dist=worksteal", *arguments]
        variables = {**ONE_THREAD, **(variables or {})}
    with tempfile.TemporaryDirectory(prefix="layerscope-") as folder:
        report = Path(folder) / "report.xml"
        status = _call("pytest", *arguments, f"--junitxml={report}", variables=variables)
        count = read_report(report)
    if status >= STRANGE and status != NO_TESTS and not count.failed:
        count += Count(failed=1)
    return PhaseResult(phase, status == 0 and count.failed == 0, count)


def _call(module: str, *arguments: str, variables: dict[str, str] | None = None) -> int:
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.call(command, cwd=ROOT, env={**os.environ, **(variables or {})})


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
