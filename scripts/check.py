"""Check everything: lint, types, unit tests, browser tests; the last line is the sum of the tests.

    python -m scripts.check                     all phases
    python -m scripts.check lint types          some of them
    python -m scripts.check quick               lint, types and the unit tests of what changed
    python -m scripts.check unit -- -k pooling  what follows `--` goes to pytest

A phase that fails does not keep the next ones from running. Unit and browser tests are two
processes: the event loop of pytest-playwright and that of async tests cannot share one. Both spread
over the cores, with one thread a worker, for threads of several workers wait for each other. Types
are looked at while the first tests run, and told after the last.
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
"""A worker takes up to 1.5 GB of memory: it has had several large networks in it."""

ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
ALONE = ("-k", "-m", "-n", "--numprocesses", "--lf", "--last-failed", "--pdb", "--trace")
"""Options with which pytest runs few tests, or which say themselves how many workers there are."""

BEGAN = time.time()
QUICK_SECONDS = 75.0
"""After these, counted from the start, `quick` begins no further test."""

STRANGE = 2
"""The first of pytest's statuses that mean something else than passed or failed tests."""
NO_TESTS = 5


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
    outcomes = _run_all(phases, extra)
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


def workers(extra: Sequence[str]) -> int:
    """How many processes share the tests; 0 for few tests, which take less than a worker's start.

    Few are those that an option, a file or a test's own name selects.
    """
    for argument in extra:
        if argument.startswith(ALONE) or (ROOT / argument.partition("::")[0]).is_file():
            return 0
    number = min(MOST_WORKERS, cores())
    return number if number > 1 else 0


def cores() -> int:
    """The cores that this process may use, as far as the system tells."""
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


def _run_all(phases: list[str], extra: list[str]) -> list[Outcome]:
    """Outcomes of the phases; types need one core, and have it beside the tests."""
    with ThreadPoolExecutor(1) as beside:
        types = None
        outcomes = []
        for phase in phases:
            if phase == "types":
                types = beside.submit(_run, phase, extra)
            else:
                outcomes.append(_run(phase, extra))
        return outcomes if types is None else [types.result(), *outcomes]


def _run(phase: str, extra: list[str]) -> Outcome:
    if phase == "types":
        return _types()
    _say(f"\n=== {phase} ===")
    if phase == "lint":
        commands = [["ruff", "check", "."], ["ruff", "format", "--check", "."]]
        statuses = [_call(*command) for command in commands]
        return Outcome(phase, not any(statuses))
    if phase == "unit":
        return _pytest(phase, [*WITHOUT_BROWSER, *extra], workers(extra))
    if phase == "quick":
        return _quick(extra)
    chromium = find_chromium() or install_chromium()
    if chromium is None:
        _say(ADVICE)
        return Outcome(phase, False, Count(failed=1))
    return _pytest(
        phase, ["tests/browser", *extra], workers(extra), variables={VARIABLE: str(chromium)}
    )


def _types() -> Outcome:
    """Run mypy, and say what it said in one piece when it has ended."""
    command = [sys.executable, "-m", "mypy", *CODE]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    _say(f"\n=== types ===\n{done.stdout.decode(errors='replace').rstrip()}")
    return Outcome("types", done.returncode == 0)


def _quick(extra: list[str]) -> Outcome:
    """Run the unit tests of what changed, nearest first, until the time is over."""
    try:
        choice = changed.choose(ROOT)
    except changed.NoHistory as error:
        _say(str(error))
        return Outcome("quick", False)
    _say(choice.told())
    if not choice.tests:
        return Outcome("quick", True, Count())
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
) -> Outcome:
    """Run pytest in `number` workers, or without; a run without any test has not gone well.

    Nor has one that broke off, even if no test had failed until then.
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
    return Outcome(phase, status == 0 and count.failed == 0, count)


def _call(module: str, *arguments: str, variables: dict[str, str] | None = None) -> int:
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.call(command, cwd=ROOT, env={**os.environ, **(variables or {})})


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
