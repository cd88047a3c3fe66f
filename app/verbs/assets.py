"""`python -m app assets`: make the files that ship with the embedded weights again."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.errors import BadRequest
from app.services.engine import device
from app.services.files import put
from app.services.networks.asset_files import content
from app.services.networks.catalogue import Catalogue
from app.services.networks.loading import load
from app.verbs import sticker, synthesised_assets, universal
from app.verbs.asset_making import AssetInputs, Maker
from app.verbs.terminal import duration

MODEL = "mini"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file in `models/weights/` and the function that makes it; `name` is for `--only`."""

    name: str
    file: str
    make: Maker
    data: bool = True
    """True if it is made from the data set, not from the weights alone."""


ASSETS: tuple[Asset, ...] = (
    Asset("stickers", "mini.stickers.safetensors", sticker.shipped),
    Asset("universal", "mini.universal.safetensors", universal.shipped),
    Asset("synthesised", "mini.synthesised.safetensors", synthesised_assets.shipped, data=False),
)
"""Every file that is made from the weights and ships with them."""


def main(arguments: Sequence[str]) -> int:
    """Make every file, or those of `--only`; return the exit status."""
    given = _parser().parse_args(arguments)
    wanted = _wanted(given.only)
    if given.data is None and (needs := [asset.name for asset in wanted if asset.data]):
        raise BadRequest(f"--data must name the data set: {', '.join(needs)} come from it.")
    chosen = device.choose(given.device)
    model = Catalogue(chosen, 1).model(MODEL)
    network = load(model.entry).to(chosen).eval().requires_grad_(False)
    work = AssetInputs(model, network, chosen, given.data or Path())
    out = given.out or model.row.path.parent
    for asset in wanted:
        try:
            _make(asset, work, out)
        except KeyboardInterrupt:
            work.teller.line(f"Stopped: {asset.file} stays as it was.")
            return 130
    return 0


def _make(asset: Asset, work: AssetInputs, out: Path) -> None:
    started, file = time.monotonic(), out / asset.file
    work.teller.line(f"{asset.name}: making {file}")
    made = asset.make(work)
    data = content(work.model, made.tensors, made.about)
    put(file, data)
    # Readable by everyone: it ships.
    file.chmod(0o644)
    took = duration(time.monotonic() - started)
    work.teller.line(f"{made.sentence}\nWritten: {file} ({len(data):,} bytes) after {took}.")


def _wanted(names: Sequence[str]) -> list[Asset]:
    """The assets of these names; all if there are no names. Raises `BadRequest`."""
    known = [asset.name for asset in ASSETS]
    if unknown := [name for name in names if name not in known]:
        raise BadRequest(f"Nothing is called {unknown[0]!r}. There are: {', '.join(known)}.")
    return [asset for asset in ASSETS if not names or asset.name in names]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m app assets",
        description=f"Make the files that ship with the weights of {MODEL} again.",
    )
    parser.add_argument(
        "--data", type=Path,
        help="the data set it was trained with: a folder or zip with train/ and val/",
    )  # fmt: skip
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME",
        help=f"of {', '.join(asset.name for asset in ASSETS)}; more than once for some [all]",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, help="a folder [models/weights]")
    parser.add_argument("--device", default="auto", help="auto, cuda, mps or cpu [auto]")
    return parser
