"""A pytest plugin with a deadline, after which all remaining tests are skipped.

The deadline is in an environment variable, in seconds since 1970, so that all workers share it.
The skipped tests are listed by file at the end.
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
    """Skip a test after the deadline, before its fixtures are set up."""
    if time.time() > float(os.environ.get(VARIABLE, "inf")):
        pytest.skip(REASON)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List the skipped tests by file."""
    left = Counter(
        report.nodeid.partition("::")[0]
        for report in terminalreporter.stats.get("skipped", [])
        if REASON in str(report.longrepr)
    )
    if left:
        terminalreporter.write_line(f"Left out, for {REASON}:")
        for file, number in left.items():
            terminalreporter.write_line(f"  {file} ({number})")
