"""The benchmark's table as text and as Markdown, with the machine it was measured on."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import torch

from app.bench.networks import is_seeded
from app.bench.rows import HEAD, BenchRow

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
_RIGHT = {"bar", "measured", "bare", "ratio"}


def text(rows: Sequence[BenchRow]) -> str:
    """The table with aligned columns, the machine below."""
    lines = [HEAD, *(row.cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    shown = [
        "  ".join(
            cell.rjust(width) if name in _RIGHT else cell.ljust(width)
            for name, cell, width in zip(HEAD, line, widths, strict=True)
        ).rstrip()
        for line in lines
    ]
    return "\n".join([*shown, "", *_machine(), *_weights(rows)]) + "\n"


def markdown(rows: Sequence[BenchRow], note: str = "") -> str:
    """The table as Markdown."""
    rule = ["---:" if name in _RIGHT else "---" for name in HEAD]
    table = ["| " + " | ".join(line) + " |" for line in (HEAD, rule, *(r.cells() for r in rows))]
    about = [f"- {line}" for line in (f"Date: {date.today()}", *_machine(note), *_weights(rows))]
    return "\n".join([*about, "", *table]) + "\n"


def write(path: Path, rows: Sequence[BenchRow], note: str = "") -> None:
    """Write the table into a document between its marks; without marks append it."""
    made = f"{BEGIN}\n\n{markdown(rows, note)}\n{END}"
    old = path.read_text(encoding="utf-8") if path.is_file() else f"# Benchmarks\n\n{BEGIN}{END}\n"
    before, begin, rest = old.partition(BEGIN)
    _, end, after = rest.partition(END)
    new = before + made + after if begin and end else f"{old.rstrip()}\n\n{made}\n"
    path.write_text(new, encoding="utf-8")


def _machine(note: str = "") -> list[str]:
    cores = f"{os.cpu_count()} {platform.machine()} cores, {_processor()}"
    return [
        f"Machine: {cores}{', ' + note if note else ''}",
        f"Software: Python {platform.python_version()}, torch {torch.__version__}, "
        f"{torch.get_num_threads()} threads, on the CPU",
    ]


def _weights(rows: Sequence[BenchRow]) -> list[str]:
    names = dict.fromkeys(row.network for row in rows)
    seeded = [name for name in names if is_seeded(name)]
    return [f"Random weights (the same each time): {', '.join(seeded)}"] if seeded else []


def _processor() -> str:
    """The processor's name, as far as the system reports it."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or "unknown processor")
