"""The command line of the benchmark: networks, repetitions, output of the table."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from app.bench import (
    atlas,
    attacks,
    bytes_on_wire,
    explain,
    foolbox_attack,
    loading,
    memory,
    projections,
    repeated_run,
    report,
    stickers,
    synthesis,
    thirty_at_once,
    upload,
)
from app.bench.bench_services import open_bench
from app.bench.networks import KNOWN, NETWORKS, default_networks
from app.bench.rows import BenchRow

PARTS = (
    upload.measure,
    repeated_run.measure,
    explain.measure,
    attacks.measure,
    foolbox_attack.measure,
    stickers.measure,
    synthesis.measure,
    projections.measure,
    atlas.measure,
    thirty_at_once.measure,
    bytes_on_wire.measure,
    loading.measure,
)


def run(arguments: Sequence[str]) -> int:
    """Measure and print the table; returns 1 with `--strict` where a bar is missed, else 0."""
    options = _parser().parse_args(arguments)
    rows = asyncio.run(_measure(options.models, options.quick))
    sys.stdout.write(report.text(rows))
    if options.markdown:
        report.write(options.markdown, rows, options.note)
        sys.stdout.write(f"\nWritten to {options.markdown}.\n")
    return int(options.strict and any(row.verdict == "over" for row in rows))


async def _measure(models: Sequence[str], quick: bool) -> list[BenchRow]:
    rows = []
    for name in models:
        _tell(f"{name}: idle memory")
        rows += await asyncio.to_thread(memory.measure, name)
        async with open_bench(name, quick) as bench:
            for part in PARTS:
                _tell(f"{name}: {part.__module__.rpartition('.')[2]}")
                rows += await part(bench)
    return rows


def _tell(text: str) -> None:
    """Print progress to stderr, apart from the table."""
    sys.stderr.write(f"{text} …\n")


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names or not set(names) <= set(KNOWN):
        raise argparse.ArgumentTypeError(f"choose from {', '.join(KNOWN)}, with commas")
    return names


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m app bench",
        description="Measure speed against the bare network, on the CPU.",
    )
    parser.add_argument(
        "--models", type=_names, default=default_networks(),
        help=f"default: {', '.join(NETWORKS)}, and every network whose weights are here",
    )  # fmt: skip
    parser.add_argument("--quick", action="store_true", help="fewer repetitions, rougher figures")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table there too")
    parser.add_argument("--note", default="", help="a note on the machine, next to the table")
    parser.add_argument("--strict", action="store_true", help="exit status 1 where a bar is missed")
    return parser
