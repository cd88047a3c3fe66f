"""Adversarial stickers (patches): training, measuring, packing into a file and reading back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from math import ceil

import torch
from torch import Tensor

from app.errors import BadRequest, DataUnusable
from app.services.networks.asset_files import AssetFile, find
from app.services.networks.catalogue import Model
from app.services.networks.weight_files import RefusedFile
from app.vision.attacks.goal import AttackGoal
from app.vision.attacks.paste import TURN, diameter
from app.vision.attacks.pixel_model import PixelModel
from app.vision.attacks.placing import random_places, success_rate
from app.vision.attacks.sticker import AREAS, BATCH, STEPS, random_colours, train_sticker

KIND = "stickers"
LARGEST_SIDE = 1024
AHEAD = 64
"""Batch size of the predictions before the training."""


@dataclass(frozen=True, slots=True)
class StickerRecipe:
    """How a sticker is trained: pictures a step, covered area as a share, degrees turned."""

    steps: int = STEPS
    batch: int = BATCH
    areas: tuple[float, float] = AREAS
    turn: float = TURN
    seed: int = 0


@dataclass(frozen=True, slots=True)
class StickerFigures:
    """Success rates on `tested` held-out pictures, 0..1.

    `largest` is the share classified as the sticker's class when it covers the largest area,
    `reached` the share over all its sizes, `random` that of random colours at the largest area.
    """

    tested: int
    largest: float
    reached: float
    random: float


@dataclass(frozen=True, slots=True)
class Sticker:
    """A sticker: `pixels` is uint8 [3,P,P], `index` its class, trained on `pictures` pictures."""

    index: int
    label: str
    pixels: Tensor
    recipe: StickerRecipe
    pictures: int
    measured: StickerFigures
    shipped: bool = False


@dataclass(frozen=True, slots=True)
class StickerTraining:
    """`done` of `total` steps; `reached` is the success rate on the last batch, 0..1."""

    done: int
    total: int
    reached: float


def train(
    model: Model,
    reader: PixelModel,
    pictures: Tensor,
    held_out: Tensor,
    target: int,
    recipe: StickerRecipe,
) -> Iterator[StickerTraining | Sticker]:
    """Train a sticker: yield progress after each step, finally the sticker with its figures.

    It is measured on `held_out`. Both are uint8 [N,3,S,S]; pictures classified as the target
    without a sticker are skipped. Raises `DataUnusable` if none is left.
    """
    pictures, held_out = (without_target(reader, some, target) for some in (pictures, held_out))
    goal = AttackGoal(torch.full((len(pictures),), target, device=reader.device), targeted=True)
    steps = train_sticker(
        reader, pictures, goal, areas=recipe.areas, turn=recipe.turn, steps=recipe.steps,
        batch=recipe.batch, seed=recipe.seed,
    )  # fmt: skip
    for step in steps:
        yield StickerTraining(step.number, recipe.steps, step.reached)
    measured = measure(reader, held_out, step.sticker, target, recipe)
    label = model.labels[target].label
    yield Sticker(target, label, step.sticker, recipe, len(pictures), measured)


def without_target(reader: PixelModel, pictures: Tensor, target: int) -> Tensor:
    """The pictures, uint8 [N,3,S,S], that are not classified as `target` without a sticker.

    Raises `DataUnusable` if none is left.
    """
    rest = [
        part[(reader.logits(part.to(reader.device).float()).argmax(1) != target).cpu()]
        for part in torch.split(pictures, AHEAD)
    ]
    if not rest or not sum(map(len, rest)):
        raise DataUnusable("There is no picture left that the network takes for something else.")
    return torch.cat(rest)


def measure(
    reader: PixelModel, held_out: Tensor, sticker: Tensor, target: int, recipe: StickerRecipe
) -> StickerFigures:
    """Measure success on uint8 [N,3,S,S], each picture with its own place, size and rotation."""
    count, side = len(held_out), held_out.shape[-1]
    most = (recipe.areas[1], recipe.areas[1])
    # Not the places it was trained at.
    seed = recipe.seed + 1
    large, all_sizes = (
        random_places(count, side, a, recipe.turn, seed) for a in (most, recipe.areas)
    )
    control = random_colours(sticker.shape[-1], seed)
    return StickerFigures(
        count,
        success_rate(reader, held_out, sticker, target, large),
        success_rate(reader, held_out, sticker, target, all_sizes),
        success_rate(reader, held_out, control, target, large),
    )


@dataclass(frozen=True, slots=True)
class Stickers:
    """The stickers for one network, at most one per class, and the files that were refused."""

    stickers: tuple[Sticker, ...]
    refused: tuple[RefusedFile, ...]

    def of(self, index: int) -> Sticker | None:
        """The sticker of a class, if there is one."""
        return next((one for one in self.stickers if one.index == index), None)


def stickers_of(model: Model) -> Stickers:
    """The stickers for a network: the operator's own first, then the shipped ones."""
    found = find(model, KIND)
    by_class, refused = dict[int, Sticker](), list(found.refused)
    for asset in found.assets:
        try:
            for one in unpack(asset, model):
                by_class.setdefault(one.index, one)
        except DataUnusable as error:
            refused.append(RefusedFile(asset.path.name, error.detail))
    return Stickers(tuple(by_class.values()), tuple(refused))


def pack(stickers: Sequence[Sticker]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata of a file of stickers."""
    about = [
        {
            "index": one.index,
            "label": one.label,
            "pictures": one.pictures,
            **asdict(one.recipe),
            "measured": {name: round(value, 4) for name, value in asdict(one.measured).items()},
        }
        for one in stickers
    ]
    tensors = {f"sticker.{one.index}": one.pixels for one in stickers}
    return tensors, {"stickers": json.dumps(about)}


def unpack(asset: AssetFile, model: Model) -> list[Sticker]:
    """Read the stickers of a file. Raises `DataUnusable` if it does not fit the network."""
    try:
        return [
            _sticker(one, asset, model) for one in json.loads(asset.about.get("stickers", "null"))
        ]
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise DataUnusable(f"{asset.path.name} holds no stickers that can be read.") from error


def _sticker(about: dict[str, object], asset: AssetFile, model: Model) -> Sticker:
    """One sticker of a file. Raises `KeyError`, `TypeError`, `ValueError`, `IndexError`."""
    fields = dict(about)
    index, label = int(str(fields.pop("index"))), str(fields.pop("label"))
    pixels = asset.tensors[f"sticker.{index}"]
    square = pixels.dim() == 3 and pixels.shape[0] == 3 and pixels.shape[1] == pixels.shape[2]
    if not square or pixels.dtype != torch.uint8 or not 1 <= pixels.shape[1] <= LARGEST_SIDE:
        raise ValueError("no square picture")
    if model.labels[index].label != label:
        raise ValueError("another class")
    measured = StickerFigures(**fields.pop("measured"))  # type: ignore[arg-type]
    pictures = int(str(fields.pop("pictures")))
    fields["areas"] = tuple(fields["areas"])  # type: ignore[arg-type]
    return Sticker(
        index, label, pixels, StickerRecipe(**fields), pictures, measured, asset.shipped  # type: ignore[arg-type]
    )  # fmt: skip


def checked(recipe: StickerRecipe, side: int) -> StickerRecipe:
    """Validate a recipe for pictures of `side` pixels and return it. Raises `BadRequest`."""
    low, high = recipe.areas
    if not 0 < low <= high <= 0.5:
        raise BadRequest(f"A sticker covers 0 to 50 % of the picture, not {high:.0%}.")
    if ceil(diameter(high) * side) < 4:
        raise BadRequest(f"{high:.1%} of {side} pixels is too small for a sticker to be seen.")
    return recipe
