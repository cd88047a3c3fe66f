"""What the verbs share in a terminal: progress, one line that is rewritten (few lines in a log),
durations, and numbers of the command line.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import TextIO

QUIET = 15.0  # seconds between two lines in a log


class Teller:
    """Writes progress to `stream`, by default standard error."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._open = False
        self._last = -QUIET

    def progress(self, text: str) -> None:
        """Rewrite the line in a terminal; in a log write a line every `QUIET` seconds."""
        if self._stream.isatty():
            self._stream.write(f"\r\x1b[K{text}")
            self._open = True
        elif time.monotonic() - self._last >= QUIET:
            self._last = time.monotonic()
            self._stream.write(f"{text}\n")
        self._stream.flush()

    def line(self, text: str) -> None:
        """Write a line that stays."""
        self._stream.write(f"\r\x1b[K{text}\n" if self._open else f"{text}\n")
        self._open = False
        self._stream.flush()


def duration(seconds: float) -> str:
    """Seconds in words: `1 h 05 min`, `3 min 20 s`, `8 s`."""
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 60} min {whole % 60:02d} s" if whole >= 60 else f"{whole} s"


def positive(text: str) -> int:
    """Parse a whole number from 1 on, for argparse."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("a whole number from 1 on")
    return int(text)
