"""The benchmark: measures Layerscope against the bare network, on one machine in one run."""

from __future__ import annotations

from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Run `python -m app bench`; returns the exit status."""
    from app.bench.command import run

    return run(arguments)
