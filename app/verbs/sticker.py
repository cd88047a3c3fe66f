"""`python -m app sticker`: train an adversarial sticker (patch) that works at any place."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

from app.errors import BadRequest
from app.pictures.printable_stickers import LARGEST_CM, sticker_png
from app.services.attacks.pixel_model import pixel_model_of
from app.services.attacks.stickers import (
    Sticker,
    StickerRecipe,
    StickerTraining,
    checked,
    pack,
    train,
)
from app.services.files import put
from app.services.networks.asset_files import content
from app.services.networks.class_names import find_class
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
from app.vision.attacks.sticker import AREAS, BATCH, STEPS

SHIPPED = ("school bus", "goldfish", "mushroom")
"""Classes whose stickers ship: they work, and show something recognisable."""
PICTURES, HELD_OUT = 4000, 1000
"""Number of pictures that the shipped stickers are trained with and measured on."""
RECIPE = StickerRecipe()
CENTIMETRES = 6.0


def main(arguments: Sequence[str]) -> int:
    """Train, measure and write a sticker, with a picture to print; return the exit status."""
    given = _parser().parse_args(arguments)
    if not 0.5 <= given.size <= LARGEST_CM:
        raise BadRequest(f"A sticker is 0.5 to {LARGEST_CM:g} cm wide, not {given.size:g}.")
    subject, teller = load_network(given), Teller()
    model = subject.model
    areas = (given.area / 100 * AREAS[0] / AREAS[1], given.area / 100)
    recipe = checked(
        StickerRecipe(given.steps, given.batch, areas, given.turn, given.seed), model.row.crop
    )
    target = find_class(model.labels, given.target)
    name = f"{model.id}.{_slug(model.labels[target].label)}.safetensors"
    out = given.out or subject.settings.data / "stickers" / name
    check_out(out, ".safetensors")
    try:
        gathered = load_pictures(given.images, model, given.count, given.seed, teller)
        sticker = _trained(subject, gathered, target, recipe, teller)
    except KeyboardInterrupt:
        teller.line("Stopped: nothing was written.")
        return 130
    _write(sticker, subject, out, given.size, teller)
    return 0


def shipped(work: AssetInputs) -> AssetContent:
    """Make the shipped stickers, for `python -m app assets`."""
    model = work.model
    subject = ChosenNetwork(model, pixel_model_of(model, work.network))
    train, val = work.pictures("train", PICTURES), work.pictures("val", HELD_OUT)
    made = []
    for name in SHIPPED:
        target = find_class(model.labels, name)
        # By their true class, not only by the network's prediction.
        gathered = PictureSplit(
            train.pixels[train.labels != target], val.pixels[val.labels != target], 0
        )
        made.append(_trained(subject, gathered, target, RECIPE, work.teller))
        work.teller.line(sentence(made[-1]))
    tensors, about = pack(made)
    digests = {"training_sha256": train.sha256, "validation_sha256": val.sha256}
    names = ", ".join(one.label for one in made)
    return AssetContent(tensors, {**about, **digests}, f"{len(made)} stickers: {names}.")


def _trained(
    subject: ChosenNetwork,
    gathered: PictureSplit,
    target: int,
    recipe: StickerRecipe,
    teller: Teller,
) -> Sticker:
    progress = ProgressReport(teller, f"{subject.model.labels[target].label}: ")
    made = train(
        subject.model, subject.reader, gathered.pictures, gathered.held_out, target, recipe
    )
    for item in made:
        if isinstance(item, StickerTraining):
            progress.tell(item.done, item.total, item.reached)
        else:
            return item
    raise RuntimeError("a training ends with its sticker")


def _write(
    sticker: Sticker, subject: ChosenNetwork, out: Path, size: float, teller: Teller
) -> None:
    tensors, about = pack([sticker])
    printable = out.with_suffix(".png")
    put(out, content(subject.model, tensors, about))
    put(printable, sticker_png(sticker.pixels, size, f"{sticker.label} sticker"))
    teller.line(sentence(sticker))
    teller.line(f"Written: {out}, and {printable.name} to print: {size:g} cm wide at 300 dpi.")


def sentence(sticker: Sticker) -> str:
    """Its success rates in a sentence, compared with a sticker of random colours."""
    found, areas = sticker.measured, sticker.recipe.areas
    return (
        f"{sticker.label}: covering {areas[1]:.0%} at a random place it turns "
        f"{found.largest:.1%} of {found.tested:,} held-out pictures into its class, "
        f"{found.reached:.1%} at {areas[0]:.0%} to {areas[1]:.0%}; a sticker of random colours "
        f"{found.random:.1%}."
    )


def _slug(label: str) -> str:
    """A class's name for a file name."""
    return re.sub(r"[^a-z0-9]+", "-", label.casefold()).strip("-") or "sticker"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m app sticker",
        description="Train a round sticker that makes a network see a class, at any place.",
    )
    add_common_options(parser)
    parser.add_argument("--target", required=True, help="the class, by name or index: school bus")
    parser.add_argument(
        "--area", type=float, default=100 * AREAS[1], help="largest, percent of the picture [15]"
    )
    parser.add_argument("--turn", type=float, default=22.5, help="degrees to either side [22.5]")
    parser.add_argument("--steps", type=positive, default=STEPS, help=f"[{STEPS}]")
    parser.add_argument("--batch", type=positive, default=BATCH, help=f"a step [{BATCH}]")
    parser.add_argument(
        "--size", type=float, default=CENTIMETRES, help=f"of the print, cm [{CENTIMETRES:g}]"
    )
    parser.add_argument(
        "-o", "--out", type=Path, help="a file [data/stickers/<model>.<class>.safetensors]"
    )
    return parser
