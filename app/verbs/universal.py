"""`python -m app universal`: make a universal adversarial perturbation, one for many pictures."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from app.errors import BadRequest
from app.pictures.printable_stickers import noise_png
from app.services.attacks.options import LARGEST
from app.services.attacks.pixel_model import pixel_model_of
from app.services.attacks.universal import NoiseRecipe, NoiseTraining, UniversalNoise, make, pack
from app.services.files import put
from app.services.networks.asset_files import content
from app.verbs.asset_making import AssetContent, AssetInputs
from app.verbs.picture_folders import (
    ChosenNetwork,
    PictureSplit,
    ProgressReport,
    add_common_options,
    check_out,
    load_network,
    load_pictures,
)
from app.verbs.terminal import Teller, positive
from app.vision.attacks.pixel_model import PixelModel
from app.vision.attacks.universal import BATCH, PASSES

RECIPE = NoiseRecipe(passes=3)
PICTURES, HELD_OUT = 8000, 1000
"""Number of pictures that the shipped noise is made from and measured on."""


def main(arguments: Sequence[str]) -> int:
    """Make, measure and write a noise, with its picture; return the exit status."""
    given = _parser().parse_args(arguments)
    if not 1 <= given.epsilon <= LARGEST:
        raise BadRequest(f"Epsilon lies between 1 and {LARGEST:g}, not at {given.epsilon:g}.")
    recipe = NoiseRecipe(given.epsilon, given.passes, given.batch, given.seed)
    subject, teller = load_network(given), Teller()
    out = given.out or subject.settings.data / "universal" / f"{subject.model.id}.safetensors"
    check_out(out, ".safetensors")
    try:
        gathered = load_pictures(given.images, subject.model, given.count, given.seed, teller)
        noise = _made(subject.reader, gathered, recipe, teller)
    except KeyboardInterrupt:
        teller.line("Stopped: nothing was written.")
        return 130
    _write(noise, subject, out, teller)
    return 0


def shipped(work: AssetInputs) -> AssetContent:
    """Make the shipped noise, for `python -m app assets`."""
    reader = pixel_model_of(work.model, work.network)
    train, val = work.pictures("train", PICTURES), work.pictures("val", HELD_OUT)
    gathered = PictureSplit(train.pixels, val.pixels, 0)
    noise = _made(reader, gathered, RECIPE, work.teller)
    tensors, about = pack(noise)
    digests = {"training_sha256": train.sha256, "validation_sha256": val.sha256}
    return AssetContent(tensors, {**about, **digests}, sentence(noise))


def _made(
    reader: PixelModel, gathered: PictureSplit, recipe: NoiseRecipe, teller: Teller
) -> UniversalNoise:
    progress = ProgressReport(teller)
    for item in make(reader, gathered.pictures, gathered.held_out, recipe):
        if isinstance(item, NoiseTraining):
            progress.tell(item.done, item.total, item.reached)
        else:
            return item
    raise RuntimeError("a making ends with its noise")


def _write(noise: UniversalNoise, subject: ChosenNetwork, out: Path, teller: Teller) -> None:
    tensors, about = pack(noise)
    preview = out.with_suffix(".png")
    put(out, content(subject.model, tensors, about))
    put(preview, noise_png(noise.values, noise.epsilon))
    teller.line(sentence(noise))
    teller.line(f"Written: {out}, and {preview.name}, which shows the noise amplified.")


def sentence(noise: UniversalNoise) -> str:
    """Its success rates in a sentence, compared with random noise."""
    rates = "; ".join(
        f"{one.share:.1%} at epsilon {one.epsilon:g} (random signs {one.random:.1%})"
        for one in noise.flipped
    )
    return f"It changes the answer to this share of {noise.tested:,} held-out pictures: {rates}."


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m app universal",
        description="Make one noise that changes a network's prediction for many pictures.",
    )
    add_common_options(parser)
    parser.add_argument(
        "--epsilon", type=float, default=10.0, help=f"largest change of a value, 1-{LARGEST:g} [10]"
    )
    parser.add_argument(
        "--passes", type=positive, default=PASSES, help=f"passes over the pictures [{PASSES}]"
    )
    parser.add_argument("--batch", type=positive, default=BATCH, help=f"pictures a step [{BATCH}]")
    parser.add_argument(
        "-o", "--out", type=Path, help="a file [data/universal/<model>.safetensors]"
    )
    return parser
