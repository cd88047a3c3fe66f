"""`python -m app atlas`: find the crops of a folder of pictures that activate channels most."""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Sequence
from pathlib import Path

from app.errors import DataUnusable, printable
from app.services.atlas.atlas import Atlas, merge, read_atlas, write_atlas
from app.services.atlas.building import AtlasOptions, AtlasPass, AtlasProgress
from app.services.atlas.crops import table
from app.services.atlas.folder import PictureFolder
from app.services.engine import device
from app.services.files import put
from app.services.networks.catalogue import Catalogue, Model
from app.services.networks.loading import load
from app.services.networks.weight_files import WeightFiles
from app.settings import Settings
from app.verbs.terminal import Teller, duration, positive

NAMED = 10
"""Most unreadable pictures named on the screen; the file names more."""


def main(arguments: Sequence[str]) -> int:
    """Run one of the sub-verbs and return the exit status."""
    given = _parser().parse_args(arguments)
    settings, teller = Settings.from_environment(), Teller()
    catalogue = Catalogue(device.choose(given.device), 1, WeightFiles(settings.shelves))
    model = catalogue.model(given.model)
    if given.verb == "merge":
        out = given.out or given.shards[0].parent
        _finish(merge([read_atlas(path) for path in given.shards]), model, out, teller)
        return 0
    # Where the server looks for atlases: one folder per folder of pictures, named after it.
    name = given.images.resolve().name or "pictures"
    return _build(given, model, given.out or settings.data / "atlas" / name, teller)


def _build(given: argparse.Namespace, model: Model, out: Path, teller: Teller) -> int:
    shard, count = given.shard
    part = f".{shard + 1}of{count}" if count > 1 else ""
    file = out / f"{model.id}{part}.atlas"
    folder = PictureFolder.of(given.images)
    chosen = device.choose(given.device)
    network = load(model.entry).to(chosen).eval().requires_grad_(False)
    options = AtlasOptions(given.batch, given.save_every, given.shard, given.workers)
    if given.fresh:
        file.with_name(f"{file.name}.state").unlink(missing_ok=True)
    work = AtlasPass(model, network, folder, file, options)
    if work.resumed:
        teller.line(f"Going on from picture {work.resumed:,} of {work.total:,}.")
    started = time.monotonic()
    try:
        for progress in work.run():
            _tell(teller, progress, work.resumed, time.monotonic() - started)
    except KeyboardInterrupt:
        teller.line("Stopped. The same command goes on from what was saved.")
        return 130
    _finish(work.atlas, model, out, teller, file)
    return 0


def _tell(teller: Teller, progress: AtlasProgress, resumed: int, seconds: float) -> None:
    if progress.cutting:
        teller.progress(f"Cutting crops from {progress.done:,} of {progress.total:,} pictures")
        return
    new = progress.done - resumed
    left = seconds * (progress.total - progress.done) / new if new else 0.0
    bad = f", {progress.unreadable:,} unreadable" if progress.unreadable else ""
    teller.progress(
        f"{progress.done:,} of {progress.total:,} pictures{bad}, {new / seconds:,.0f} a second, "
        f"{duration(left)} left"
    )


def _finish(
    atlas: Atlas, model: Model, out: Path, teller: Teller, file: Path | None = None
) -> None:
    """Write the atlas if it is not written yet, and its index; list skipped pictures."""
    if atlas.about.model != model.id:
        raise DataUnusable(f"These shards are of {atlas.about.model}: add --model with its name.")
    if file is None:
        file = out / f"{model.id}.atlas"
        write_atlas(file, atlas)
    index = file.with_name(f"{file.name}.csv")
    put(index, printable(table(atlas, model.geometry)).encode())
    about = atlas.about
    teller.line(f"{about.read:,} pictures went in. Written: {file} and {index.name}.")
    if about.unreadable:
        shown = "".join(f"\n    {name}" for name in about.skipped[:NAMED])
        more = about.unreadable - min(NAMED, len(about.skipped))
        rest = f"\n    and {more:,} more" if more > 0 else ""
        teller.line(f"{about.unreadable:,} could not be read and were skipped:{shown}{rest}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m app atlas",
        description="Find the nine crops that activate each channel of each convolution most.",
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="verb")
    build = verbs.add_parser("build", help="process a folder; the same command resumes")
    build.add_argument("--images", type=Path, required=True, help="a folder, of any size")
    build.add_argument("--shard", type=_shard, default=(0, 1), metavar="I/N", help="a part of it")
    build.add_argument("--batch", type=positive, default=32, help="pictures at a time [32]")
    build.add_argument("--save-every", type=positive, default=2000, help="pictures [2000]")
    build.add_argument("--workers", type=positive, help="threads that read [half the cores]")
    build.add_argument("--fresh", action="store_true", help="start again, ignoring saved progress")
    joined = verbs.add_parser("merge", help="make one atlas of all shards of a folder")
    joined.add_argument("shards", type=Path, nargs="+", metavar="FILE")
    for verb in (build, joined):
        verb.add_argument("--model", default="mini", help="as `weights list` names it [mini]")
        where = "data/atlas/<name of the folder>" if verb is build else "that of the first"
        verb.add_argument("--out", type=Path, help=f"a folder [{where}]")
        verb.add_argument("--device", default="auto", help="auto, cuda, mps or cpu [auto]")
    return parser


def _shard(text: str) -> tuple[int, int]:
    """Parse `2/4`, the second of four, as (1, 4)."""
    match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise argparse.ArgumentTypeError("a shard is written 2/4: the second of four")
    return int(match[1]) - 1, int(match[2])
