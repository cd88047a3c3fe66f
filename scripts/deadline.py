"""A plugin for pytest: from a moment on no further test begins.

The moment is in the environment, in seconds since 1970, for workers have their own clocks. Tests
that do not begin are counted as skipped, and told by file at the end.
"""

from __future__ import annotations

import os
import time
from collections import Counter

import pytest

VARIABLE = "LAYERSCOPE_TESTS_END"
REASON = "no time was left"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Skip, before any fixture is made, what comes too late."""
    if time.time() > float(os.environ.get(VARIABLE, "inf")):
        pytest.skip(REASON)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell by file what was left out."""
    left = Counter(
        report.nodeid.partition("::")[0]
        for report in terminalreporter.stats.get("skipped", [])
        if REASON in str(report.longrepr)
    )
    if left:
        terminalreporter.write_line(f"Left out, for {REASON}:")
        for file, number in left.items():
            terminalreporter.write_line(f"  {file} ({number})")
