"""Measures Layerscope against the bare network, on the same machine in the same run."""

from __future__ import annotations

from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """`python -m app bench`; the exit status."""
    from app.bench.command import run

    return run(arguments)
