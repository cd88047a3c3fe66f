"""Make the network that ships from the pictures alone: three trainings, one after another.

.venv/bin/python -m scripts.mini --data tiny-imagenet-200.zip --out made/

Two learn from the labels, apart from each other; the third goes on from the second's weights and
learns from what both answer. Kill it and start it again: it goes on where it was. What else is
given after these two options goes to each training.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from app.__main__ import main as app

FIRST = [
    "--epochs", "46", "--cutmix", "0.35", "--area", "0.35", "--decay", "5e-4",
    "--average", "0.998", "--calm", "0.2",
]  # fmt: skip
SECOND: list[str] = []
"""The defaults: the best that was found without teachers."""
THIRD = [
    "--epochs", "20", "--rate", "0.03", "--dropout", "0.2", "--decay", "5e-4", "--calm", "0.1",
    "--teach", "0.8",
]  # fmt: skip
"""Its pictures change as the second's do."""


def main(arguments: Sequence[str]) -> int:
    """The exit status of the training that did not end well, or 0."""
    parser = argparse.ArgumentParser(prog="python -m scripts.mini", description=__doc__)
    parser.add_argument("--data", required=True, help="ImageFolder or zip: train/, val/")
    parser.add_argument("--out", type=Path, required=True, help="a folder for all that is made")
    given, more = parser.parse_known_args(arguments)
    first, second, third = (
        given.out / f"{name}.safetensors" for name in ("first", "second", "mini")
    )
    taught = ["--teacher", str(first), "--teacher", str(second),
              "--start", str(given.out / "second.training" / "checkpoint.pt")]  # fmt: skip
    plan = ((first, FIRST), (second, SECOND), (third, [*THIRD, *taught]))
    for out, options in plan:
        if out.exists() and "--fresh" not in more:
            continue  # Made: written again it would be another file to those who learn from it.
        common = ["--data", given.data, "--precision", "bfloat16", "--out", str(out)]
        if status := app(["train", *common, *options, *more]):
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
